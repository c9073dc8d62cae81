"""SR training: scores, a run, resume."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import torch
from test_sr_losses import make_reader
from torch import nn

from lprfast import _core
from lprfast._ort_library import ort_library_path
from lprfast.prepare import prepare
from training import synth, train_sr
from training.ocr.schedule import learning_rate
from training.sr import export
from training.sr import run as run_module
from training.sr.checkpoint import load_checkpoint, network_of
from training.sr.data import (
    ValidationSet,
)
from training.sr.evaluate import baselines, enlarge, evaluate, psnr
from training.sr.models import build_model
from training.sr.pairs import Pair
from training.sr.reader import FrozenReader

TINY = ["--batch", "2", "--val-size", "2", "--workers", "0", "--threads", "1"]
SMALL = [*TINY, "--patch", "32", "--widths", "40", "80"]


pytestmark = pytest.mark.usefixtures("process_as_it_was")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three steps, exported."""
    out = tmp_path_factory.mktemp("sr") / "three"
    arguments = ["--arch", "espcn", "--steps", "3", "--lr", "0.01", "--out", str(out), "--name", "three"]
    assert train_sr.main([*arguments, *SMALL]) == 0
    return out


# Evaluation.


def test_psnr_by_hand() -> None:
    a = np.array([[0, 10]], np.uint8)
    assert psnr(a, np.array([[0, 20]], np.uint8)) == pytest.approx(10 * np.log10(255**2 / 50))
    assert psnr(a, a) == 100.0


@pytest.mark.parametrize("channels", [1, 3])
def test_enlarge_rounds_and_keeps_the_channels_in_order(channels: int) -> None:
    model = build_model("bicubic", 2, channels)
    low = np.zeros((4, 6) if channels == 1 else (4, 6, 3), np.uint8)
    low[..., -1:] = 77  # gray: the last column, BGR: red
    out = enlarge(model, low)
    expected = cv2.resize(low, (12, 8), interpolation=cv2.INTER_CUBIC)
    assert np.abs(out.astype(int) - expected).max() <= 1


def test_scores_of_a_set() -> None:
    """Reads are compared with the texts that are known; PSNR is that of all pairs."""
    reader = make_reader()
    rng = np.random.default_rng(0)
    high = rng.integers(0, 256, (24, 64), np.uint8)
    (text,) = reader.read(torch.from_numpy(prepare([high], height=32, width=128)))
    pairs = [Pair(high[::4, ::4].copy(), high, text or "0"), Pair(high[::4, ::4].copy(), high, "")]
    data = ValidationSet("made", pairs)
    scores = evaluate(data, reader, lambda pair: pair.high)
    assert scores["psnr"] == 100.0
    assert scores["n"] == 2
    assert scores["exact"] == float(bool(text))
    assert set(baselines(data, reader)) == {"bicubic", "none", "original"}
    assert "psnr" not in baselines(data, reader)["none"]


# A run.


def test_a_run_leaves_a_model_and_its_best(finished: Path) -> None:
    events = [json.loads(line) for line in (finished / "log.jsonl").read_text("utf-8").splitlines()]
    kinds = [event["event"] for event in events if event["event"] != "step"]
    assert kinds == ["start", "baseline", "validation"]
    assert {"bicubic", "none", "original"} <= events[1].keys()
    assert {"psnr", "exact", "cer", "n"} == events[-1]["synthetic"].keys()
    for name in ("last.pt", "best_psnr.pt", "best_exact.pt", "model.onnx"):
        assert (finished / name).is_file(), name


def test_the_model_file_keeps_the_contract(finished: Path) -> None:
    session = _core.Session(str(finished / "model.onnx"), ort_library_path())
    told = dict(session.metadata)
    training = json.loads(told.pop("training"))
    assert told == {
        "contract_version": "3", "task": "sr", "name": "three", "scale": "4", "channels": "1",
        "mean": "0.0", "pixel_scale": repr(1 / 255), "precision": "fp32",
    }  # fmt: skip
    assert (training["arch"], training["steps"], training["loss"]) == ("espcn", 3, "l1")
    assert training["parameters"] == 24_752
    proto = onnx.load(finished / "model.onnx")
    assert [each.name for each in (*proto.graph.input, *proto.graph.output)] == ["images", "upscaled"]
    images = np.random.default_rng(0).random((2, 1, 9, 31), np.float32)
    expected = export.answers(network_of(load_checkpoint(finished / "best_psnr.pt")), images)
    assert session.run(images).shape == (2, 1, 36, 124)
    np.testing.assert_allclose(session.run(images), expected, atol=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        ["l1"],
        ["adversarial"],
        ["pecl", "--weighting", "uncertainty", "--encoder", "reader", "--embedding", "16", "--train-encoder"],
    ],
)
def test_a_stopped_run_goes_on_bit_for_bit(
    loss: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped by a signal after one of two steps, as by SIGTERM, and resumed."""
    flags = ["--loss", *loss, "--steps", "2", *TINY, "--widths", "64", "72", "--no-export"]
    reader = make_reader(charset=synth.CHARSET)
    monkeypatch.setattr(FrozenReader, "load", classmethod(lambda cls, spec: reader))
    assert train_sr.main([*flags, "--out", str(tmp_path / "whole")]) == 0
    plain = run_module.Ema.update

    def update(self: Any, model: nn.Module, step: int) -> None:
        plain(self, model, step)
        if step == 0:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(run_module.Ema, "update", update)
    assert train_sr.main([*flags, "--out", str(tmp_path / "parts")]) == 0
    monkeypatch.setattr(run_module.Ema, "update", plain)
    assert load_checkpoint(tmp_path / "parts" / "last.pt")["step"] == 1
    assert train_sr.main(["--resume", "--out", str(tmp_path / "parts")]) == 0
    whole, parts = (load_checkpoint(tmp_path / name / "last.pt", resume=True) for name in ("whole", "parts"))
    for part in ("model", "ema", "loss"):
        assert whole[part].keys() == parts[part].keys()
        for name, value in whole[part].items():
            if isinstance(value, torch.Tensor):
                assert torch.equal(value, parts[part][name]), (part, name)
    assert not any("reader." in name for name in whole["loss"])


def test_a_run_starts_from_published_weights(finished: Path, tmp_path: Path) -> None:
    given = load_checkpoint(finished / "last.pt")["ema"]
    torch.save({"params_ema": given}, tmp_path / "given.pth")
    flags = ["--arch", "espcn", "--steps", "1", "--lr", "1e-12", "--no-export", *SMALL]
    assert train_sr.main([*flags, "--init", str(tmp_path / "given.pth"), "--out", str(tmp_path / "o")]) == 0
    state = load_checkpoint(tmp_path / "o" / "last.pt")
    assert state["config"]["init"] == "given.pth"
    for name, value in state["ema"].items():
        torch.testing.assert_close(value, given[name], atol=1e-6, rtol=0)


def test_weights_that_cannot_be_taken_are_named_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--arch", "espcn", "--steps", "1", *SMALL, "--out", str(tmp_path / "o")]
    assert train_sr.main([*flags, "--init", str(tmp_path / "no.pth")]) == 2
    assert capsys.readouterr().err == f"train_sr: --init {tmp_path / 'no.pth'}: no such file\n"
    torch.save({"conv1.weight": torch.zeros(1)}, tmp_path / "other.pth")
    assert train_sr.main([*flags, "--init", str(tmp_path / "other.pth")]) == 2
    assert capsys.readouterr().err.count("--init") == 1


SCORES = ((20.0, 0.5), (22.0, 0.3), (21.0, 0.6), (19.0, 0.6))  # PSNR and exact match after steps 1 to 4


@pytest.mark.parametrize(("select", "step"), [("psnr", 2), ("exact", 3), ("last", 4)])
def test_the_best_by_each_measure_is_kept_and_chosen(
    select: str, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted = iter(SCORES)

    def evaluate(*_: Any) -> dict[str, float]:
        return dict(zip(("psnr", "exact", "cer", "n"), (*next(scripted), 0.1, 2.0), strict=True))

    monkeypatch.setattr(run_module, "evaluate", evaluate)
    out = tmp_path / "run"
    flags = ["--arch", "espcn", "--steps", "4", "--eval-steps", "1", *SMALL, "--select", select]
    assert train_sr.main([*flags, "--out", str(out)]) == 0
    kept = {name: load_checkpoint(out / f"{name}.pt")["step"] for name in ("best_psnr", "best_exact", "last")}
    assert kept == {"best_psnr": 2, "best_exact": 3, "last": 4}
    metadata = _core.Session(str(out / "model.onnx"), ort_library_path()).metadata
    assert json.loads(metadata["training"])["steps"] == step


def test_learning_lowers_the_loss(tmp_path: Path) -> None:
    flags = ["--arch", "espcn", "--steps", "20", "--lr", "0.005", "--no-export", "--difficulty", "0"]
    flags += ["--eval-steps", "1"]
    assert train_sr.main([*flags, "--out", str(tmp_path / "o"), *SMALL]) == 0
    validations = [event for event in read_log(tmp_path / "o") if event["event"] == "validation"]
    begun, ended = validations[0], validations[-1]
    assert (begun["step"], ended["step"]) == (1, 20)
    assert ended["synthetic"]["psnr"] > begun["synthetic"]["psnr"] + 1.0


def read_log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]


def test_validations_by_steps_and_the_last_steps_are_logged(tmp_path: Path) -> None:
    flags = ["--arch", "espcn", "--steps", "5", "--no-export", "--eval-steps", "2", *SMALL]
    assert train_sr.main([*flags, "--out", str(tmp_path / "five")]) == 0
    log = read_log(tmp_path / "five")
    assert [event["step"] for event in log if event["event"] == "validation"] == [2, 4, 5]
    steps = [event for event in log if event["event"] == "step"]
    assert [event["step"] for event in steps] == [2, 4, 5]
    assert all(event["loss"] > 0 for event in steps)
    assert [event["event"] for event in log][-2:] == ["step", "validation"]
    flags[3] = "4"  # the last step's validation is due anyway: once
    assert train_sr.main([*flags, "--out", str(tmp_path / "four")]) == 0
    validations = [event for event in read_log(tmp_path / "four") if event["event"] == "validation"]
    assert [event["step"] for event in validations] == [2, 4]


@pytest.mark.filterwarnings("ignore:clipped_learnable")
def test_learnt_weights_follow_their_own_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam moves a weight by about its rate at each step, less where the gradients of two steps differ."""
    monkeypatch.setattr(FrozenReader, "load", classmethod(lambda cls, spec: make_reader()))
    flags = ["--arch", "espcn", "--loss", "pecl", "--weighting", "clipped_learnable", "--no-export", *SMALL]
    flags += ["--steps", "4", "--eval-steps", "1", "--lr", "1e-4"]
    moved = {}
    for rate in ([], ["--weight-lr", "0.05"]):
        out = tmp_path / f"rate{len(rate)}"
        assert train_sr.main([*flags, *rate, "--out", str(out)]) == 0
        shares = [event["terms"]["w_pixel"] for event in read_log(out) if event["event"] == "step"]
        assert shares[0] == 0.5
        state = load_checkpoint(out / "last.pt", resume=True)
        moved[len(rate)] = abs(float(state["loss"]["pixel_share"]) - 0.5)
        assert len(state["optimizer"]["param_groups"]) == 2
    # The schedule: a fiftieth, then a cosine from the peak at 6 % of the run.
    expected = sum(learning_rate(step / 4, 1.0) for step in range(4))
    assert moved[0] == pytest.approx(1e-4 * expected, rel=0.25)
    assert moved[2] == pytest.approx(0.05 * expected, rel=0.25)


def test_a_run_does_not_change_its_settings(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_sr.main(["--resume", "--loss", "mse", "--out", str(finished)]) == 2
    assert "--loss: the run was started with 'l1'" in capsys.readouterr().err
    assert train_sr.main(["--steps", "1", "--out", str(finished)]) == 2
    assert "holds a run already" in capsys.readouterr().err


def test_a_readers_checkpoint_is_no_sr_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "last.pt").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"expected a checkpoint of training/train_sr\.py"):
        load_checkpoint(tmp_path / "last.pt")
