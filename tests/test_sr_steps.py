"""Each step of an SR training: what learns and how fast, what is scored, and which step is not taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from test_sr_losses import make_reader
from torch import Tensor, nn

from training import synth, train_sr
from training.descent import descend
from training.ocr.world import World
from training.sr import train as train_module
from training.sr.checkpoint import load_checkpoint
from training.sr.config import Config
from training.sr.evaluate import psnr
from training.sr.losses.adversarial import AdversarialLoss
from training.sr.losses.build import build_loss
from training.sr.losses.pecl import Pecl, default_margin
from training.sr.losses.terms import Batch, PixelLoss, SrLoss
from training.sr.reader import FrozenReader
from training.sr.run import Run

pytestmark = pytest.mark.usefixtures("process_as_it_was")

TINY: dict[str, Any] = {"batch": 2, "val_size": 1, "workers": 0, "threads": 1, "export": False}
SMALL: dict[str, Any] = {**TINY, "patch": 32, "widths": (40, 80)}
PLACE = (3, Path("run"))


class Level(nn.Module):
    """Answers the same gray everywhere: ``[N, C, h, w]`` to ``[N, C, 4 h, 4 w]``."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(level))

    def forward(self, low: Tensor) -> Tensor:
        return self.level.expand(*low.shape[:2], 4 * low.shape[2], 4 * low.shape[3])


class Weighed(PixelLoss):
    """L1, with a weight that it learns."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    def learnt_weights(self) -> list[nn.Parameter]:
        return [self.weight]


class Rooted(PixelLoss):
    """L1 and a term of an encoder of one parameter: finite, and of the gradient 0 * inf = NaN."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Parameter(torch.tensor(0.0))

    def forward(self, upscaled: Tensor, batch: Batch) -> Tensor:
        return super().forward(upscaled, batch) + 0 * self.encoder.sqrt()

    def trained(self) -> list[nn.Parameter]:
        return [self.encoder]


@pytest.fixture
def toy_reader(monkeypatch: pytest.MonkeyPatch) -> FrozenReader:
    """In place of the bundled one: as good here, and fast."""
    reader = make_reader(charset=synth.CHARSET)
    monkeypatch.setattr(FrozenReader, "load", classmethod(lambda cls, spec: reader))
    return reader


def make_run(config: Config, out: Path, loss: SrLoss) -> Run:
    """A run of ``Level(0.8)``; its log is for the test to close."""
    return Run(config, out, World(0, 1, torch.device("cpu")), Level(0.8), loss, make_reader())


def trained(out: Path, *flags: str) -> dict[str, Any]:
    """The checkpoint after a run of ``train_sr.py``."""
    tiny = ("--batch", "2", "--val-size", "1", "--workers", "0", "--threads", "1", "--no-export")
    assert train_sr.main([*flags, *tiny, "--out", str(out)]) == 0
    return load_checkpoint(out / "last.pt", resume=True)


# What learns, and how fast.


def test_the_discriminator_takes_a_step_with_each_of_the_network(
    tmp_path: Path, toy_reader: FrozenReader
) -> None:
    flags = ("--loss", "adversarial", "--steps", "2", "--widths", "64", "72", "--lr", "1e-3")
    state = trained(tmp_path / "run", *flags)
    kept = state["loss"]["_extra_state"]["optimizer"]["state"]
    assert len(kept) == sum(
        "discriminator" in name for name, _ in AdversarialLoss(toy_reader, 1).named_parameters()
    )
    assert {float(each["step"]) for each in kept.values()} == {2.0}
    assert all(float(each["exp_avg"].abs().max()) > 0 for each in kept.values())


@pytest.mark.filterwarnings("ignore:clipped_learnable")
def test_a_clipped_weight_is_cut_after_each_step(tmp_path: Path, toy_reader: FrozenReader) -> None:
    """Adam's first step is as long as the rate, 0.02 * 100 at the start: from 0.5 far past 0 or 1."""
    flags = ("--arch", "espcn", "--loss", "pecl", "--weighting", "clipped_learnable", "--weight-lr", "100")
    state = trained(tmp_path / "run", *flags, "--steps", "1", "--patch", "32", "--widths", "40", "80")
    assert float(state["loss"]["pixel_share"]) in (0.0, 1.0)


def test_every_rate_follows_the_cosine(tmp_path: Path) -> None:
    run = make_run(Config(steps=100, lr=2e-3, weight_lr=0.5, **SMALL), tmp_path / "run", Weighed())
    # A fiftieth at the start, the peak at 6 %, the mean of the peak and its hundredth halfway from there.
    for progress, share in ((0.0, 0.02), (0.06, 1.0), (0.53, 0.505), (1.0, 0.01)):
        told = run.set_learning_rates(progress)
        rates = [group["lr"] for group in run.optimizer.param_groups]
        assert rates == pytest.approx([2e-3 * share, 0.5 * share])
        assert told == rates[0]
    run.log.close()


def test_each_step_has_the_rate_of_its_progress(
    tmp_path: Path, toy_reader: FrozenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = []

    def spied(loss: Tensor, optimizer: torch.optim.Optimizer, *rest: Any) -> float:
        rates.append(optimizer.param_groups[0]["lr"])
        return descend(loss, optimizer, *rest)

    monkeypatch.setattr(train_module, "descend", spied)
    config = Config(arch="espcn", steps=2, lr=1e-3, **SMALL)
    train_module.train(config, tmp_path / "run")
    halfway = 0.01 + 0.99 * (1 + np.cos(np.pi * 0.44 / 0.94)) / 2
    assert rates == pytest.approx([0.02e-3, 1e-3 * halfway])


def test_steps_take_the_tiniest_numbers_for_0(tmp_path: Path) -> None:
    """On every thread: torch's others keep what held when they were made, so a process of its own."""
    code = f"""
import sys, torch
from pathlib import Path
from training.sr import train
from training.sr.config import Config

def tiny():
    return int((torch.full((1_000_000,), 1e-30) * 1e-10 != 0).sum())

found = []
train._loop = lambda run: bool(found.append(tiny()))
settings = {{**{SMALL!r}, "threads": 2, "arch": "espcn", "steps": 1}}
train.train(Config.from_dict(settings), Path(sys.argv[1]))
print(*found, torch.get_num_threads(), float(torch.full((1,), 1e-30) * 1e-10) > 0)
"""
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 2 True"


# What is scored.


def test_the_averaged_weights_are_scored_and_kept(tmp_path: Path) -> None:
    """The network answers 0.8, the average of its past 0.2: the gray level 51."""
    run = make_run(Config(steps=1, **SMALL), tmp_path / "run", PixelLoss())
    nn.init.constant_(run.ema.model.level, 0.2)  # type: ignore[arg-type]
    run.validate()
    run.log.close()
    (pair,) = run.validation[0].pairs
    expected = psnr(np.full_like(pair.high, 51), pair.high)
    assert run.scores["synthetic"]["psnr"] == pytest.approx(expected)
    kept = torch.load(run.out / "best_psnr.pt", weights_only=False)
    assert float(kept["ema"]["level"]) == pytest.approx(0.2)
    assert abs(psnr(np.full_like(pair.high, 204), pair.high) - expected) > 0.1  # the network's own


# Which step is not taken.


def test_a_step_by_hand() -> None:
    """Of the gradients (3, 4) and 5 the first is cut to the norm 1; the other is not among ``clipped``."""
    network, encoder = nn.Parameter(torch.tensor([3.0, 4.0])), nn.Parameter(torch.tensor(1.0))
    loss = network.square().sum() / 2 + 5 * encoder
    value = descend(loss, torch.optim.SGD([network, encoder], 1.0), [network], 1.0, PLACE)
    assert value == 12.5 + 5
    assert network.tolist() == pytest.approx([3 - 0.6, 4 - 0.8], abs=1e-5)
    assert float(encoder.detach()) == 1 - 5


@pytest.mark.parametrize("factor", [0.0, 1.0])  # the gradient of the root at 0 is NaN, or infinite
def test_a_gradient_that_is_not_clipped_is_looked_at_too(factor: float) -> None:
    network, encoder = nn.Parameter(torch.tensor([3.0, 4.0])), nn.Parameter(torch.tensor(0.0))
    optimizer = torch.optim.Adam([{"params": [network]}, {"params": [encoder]}], 0.1)
    loss = network.square().sum() / 2 + factor * encoder.sqrt()
    with pytest.raises(
        ValueError, match=r"^step 3: the loss is 12\.5 and the norm of its gradient (nan|inf)"
    ):
        descend(loss, optimizer, [network], 1.0, PLACE)
    assert network.tolist() == [3.0, 4.0]
    assert float(encoder.detach()) == 0.0
    assert not optimizer.state


def test_an_encoder_without_a_finite_gradient_ends_the_run(
    tmp_path: Path, toy_reader: FrozenReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, loss = Level(0.8), Rooted()
    monkeypatch.setattr(train_module, "build_model", lambda *_: model)
    monkeypatch.setattr(train_module, "build_loss", lambda *_: loss)
    with pytest.raises(ValueError, match=r"^step 1: the loss is 0\.\d+ and the norm of its gradient nan"):
        train_module.train(Config(steps=2, **SMALL), tmp_path / "run")
    assert float(model.level.detach()) == pytest.approx(0.8)
    assert float(loss.encoder.detach()) == 0.0


# Which loss a step has.


@pytest.mark.parametrize(("pixel", "expected"), [(None, "l1"), ("mse", "mse")])
def test_the_adversarial_loss_is_built_as_set(pixel: str | None, expected: str) -> None:
    given = Config(steps=1, loss="adversarial", channels=3, adversarial=0.7, lr=3e-3, ratio=0.25, pixel=pixel)
    loss = build_loss(given, make_reader())
    assert isinstance(loss, AdversarialLoss)
    assert (loss.balance.ratio, loss.pixel, loss.adversarial) == (0.25, expected, 0.7)
    assert (loss.weight, loss.discriminator.first.in_channels) == (None, 3)
    assert loss.optimizer.param_groups[0]["lr"] == 3e-3


def test_the_discriminators_opinion_counts_0_005_unless_set() -> None:
    assert Config(steps=1, loss="adversarial").loss_settings()["adversarial"] == 0.005
    assert AdversarialLoss(make_reader(), 1).adversarial == 0.005


@pytest.mark.parametrize("metric", ["l1", "l2"])
def test_the_printed_margin_is_2(metric: str) -> None:
    assert default_margin("as_printed", metric, 64) == 2.0
    config = Config(steps=1, loss="pecl", contrastive="as_printed", encoder="reader", metric=metric)
    loss = build_loss(config, make_reader())
    assert isinstance(loss, Pecl)
    assert loss.margin == 2.0
