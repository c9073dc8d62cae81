"""Settings of SR training: what is refused, and what they come to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from test_sr_losses import CHARSET, make_reader

from training import train_sr
from training.sr.config import Config
from training.sr.losses.build import build_loss
from training.sr.losses.pecl import Pecl

UNUSED = "does not use it; leave it out, or choose --loss"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--loss", "pecl", "--weight", "3"], "--weight: expected 0 to 1 with --loss pecl"),
        (
            ["--loss", "confidence", "--weight", "nan"],
            "--weight: expected a finite number, 0 or more",
        ),
        (["--loss", "reading", "--weight", "-1"], "--weight: expected a finite number, 0 or more, got -1.0"),
        (["--loss", "lcofl", "--ratio", "0"], "--ratio: expected a positive finite number, got 0.0"),
        (["--loss", "reading", "--ratio", "inf"], "--ratio: expected a positive finite number, got inf"),
        (["--loss", "adversarial", "--adversarial", "-0.1"], "--adversarial: expected a finite number"),
        (["--loss", "pecl", "--contrastive", "pull_push", "--margin", "0"], "--margin: expected a positive"),
        (["--loss", "pecl", "--contrastive", "pull_push"], "--contrastive pull_push: needs --train-encoder"),
        (["--loss", "pecl", "--weight-lr", "0"], "--weight-lr: expected a positive finite number, got 0.0"),
        (["--margin", "1"], f"--margin: --loss l1 {UNUSED} pecl"),
        (["--loss", "mse", "--weight", "1"], f"--weight: --loss mse {UNUSED} confidence or reading or pecl"),
        (["--loss", "lcofl", "--pixel", "l1"], f"--pixel: --loss lcofl {UNUSED} confidence or reading"),
        (["--loss", "confidence", "--ratio", "1"], f"--ratio: --loss confidence {UNUSED} reading or pecl"),
        (["--loss", "reading", "--adversarial", "0.005"], f"--adversarial: --loss reading {UNUSED} adv"),
        (["--loss", "reading", "--confusion", "x.json"], f"--confusion: --loss reading {UNUSED} lcofl"),
        (["--loss", "lcofl", "--train-encoder"], f"--train-encoder: --loss lcofl {UNUSED} pecl"),
        (["--loss", "reading", "--weight", "1", "--ratio", "1"], "--ratio: used with no --weight, in"),
        (["--loss", "pecl", "--ratio", "1"], "in PECL with --weighting balanced only"),
        (["--loss", "pecl", "--weighting", "balanced", "--weight", "0.5"], "--weight: used with --weighting"),
        (["--loss", "pecl", "--weighting", "balanced", "--weight-lr", "1"], "--weight-lr: used with"),
        (["--loss", "reading", "--no-one-line"], "--no-one-line: --loss reading reads plates of one line"),
        (
            ["--loss", "pecl", "--margin", "1"],
            "--margin: used with --contrastive as_printed or pull_push",
        ),
        (["--loss", "pecl", "--weight-lr", "1"], "--weight-lr: used with --weighting clipped_learnable or"),
        (
            ["--loss", "pecl", "--weighting", "uncertainty", "--weight", "1"],
            "--weight: used with",
        ),
        (["--loss", "pecl", "--encoder", "reader", "--encoder-weights", "x"], "used with --encoder resnet18"),
    ],
)
def test_settings_of_losses_that_cannot_be_used(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_sr.main([*arguments, "--steps", "1", "--out", str(tmp_path / "o")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--eval-steps", "0", "--steps", "1"], "--eval-steps: expected a positive finite number, got 0"),
        (["--arch", "bicubic", "--steps", "1"], "--arch bicubic: there is nothing to train"),
        (["--steps", "0"], "--steps: expected a positive finite number, got 0"),
        (["--patch", "30", "--steps", "1"], "--patch: expected 0 or a multiple of 4"),
        (["--loss", "reading", "--patch", "64", "--steps", "1"], "--patch: expected 0 (whole plates)"),
        (["--widths", "20", "90", "--steps", "1"], "--widths: expected 32 <= LOW"),
        (["--resume"], "--resume: also give --out"),
        (["--resume", "--init", "x.pth"], "give one of them"),
        (["--init", "absent.pth", "--steps", "1"], "absent.pth: no such file"),
        (["--reader", "absent.onnx", "--steps", "1"], "absent.onnx"),
    ],
)
def test_arguments_that_cannot_be_used(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = [] if "also give" in message else ["--out", str(tmp_path / "o")]
    assert train_sr.main([*arguments, *out]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_settings_choose_the_loss() -> None:
    reader = make_reader()
    loss = build_loss(Config(steps=1, loss="pecl", embedding=64, metric="l2", weight=0.3), reader)
    assert isinstance(loss, Pecl)
    assert (loss.metric, loss.weight, loss.pixel, loss.d) == ("l2", 0.3, "mse", 64)
    assert loss.margin == pytest.approx(2**0.5 / 2)
    kinds = [type(build_loss(Config(steps=1, loss=name), reader)).__name__ for name in ("mse", "adversarial")]
    assert kinds == ["PixelLoss", "AdversarialLoss"]
    assert reader.codec.charset == CHARSET


def test_the_record_of_a_loss_holds_what_was_used() -> None:
    assert Config(steps=1).loss_settings() == {}
    assert Config(steps=1, loss="lcofl").loss_settings() == {"ratio": 1.0, "confusion": None}
    given = Config(steps=1, loss="lcofl", weight=1.0, confusion="/somewhere/confusion.json:2")
    assert given.loss_settings() == {"weight": 1.0, "confusion": "confusion.json:2"}
    assert Config(steps=1, loss="confidence").loss_settings() == {"pixel": "l1", "weight": 0.1}
    pecl = Config(
        steps=1,
        loss="pecl",
        contrastive="pull_push",
        train_encoder=True,
        encoder_weights="/somewhere/resnet18.pth",
    )
    told = pecl.loss_settings()
    assert told.pop("margin") == pytest.approx((128 / np.pi) ** 0.5)
    assert told == {
        "contrastive": "pull_push", "weighting": "fixed", "metric": "l1", "embedding": 128, "pixel": "mse",
        "weight": 0.5, "encoder": "resnet18", "encoder_weights": "resnet18.pth", "train_encoder": True,
    }  # fmt: skip
    balanced = Config(steps=1, loss="pecl", weighting="balanced", ratio=2.0).loss_settings()
    assert balanced["ratio"] == 2.0
    assert not {"weight", "weight_lr"} & balanced.keys()
    learnt = Config(steps=1, loss="pecl", weighting="uncertainty", lr=0.01).loss_settings()
    assert learnt["weight_lr"] == 0.01
    assert not {"weight", "margin"} & learnt.keys()
