"""SR training: scores, a run, resume, export, int8."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import torch
from test_sr_losses import CHARSET, make_reader
from torch import nn

from lprfast import _core
from lprfast._ort_library import ort_library_path
from lprfast.prepare import prepare
from lprfast.sr_contract import SrContract
from training import quantize_sr, synth, train_sr
from training.ocr.schedule import learning_rate
from training.onnx_file import ParityError
from training.qdq import worst_pairs
from training.sr import export
from training.sr import run as run_module
from training.sr.checkpoint import load_checkpoint, network_of
from training.sr.config import Config
from training.sr.data import (
    ValidationSet,
)
from training.sr.evaluate import baselines, enlarge, evaluate, psnr
from training.sr.losses.build import build_loss
from training.sr.losses.pecl import Pecl
from training.sr.models import build_model, lpsr, swinir, tbsrn
from training.sr.pairs import Pair
from training.sr.reader import FrozenReader

TINY = ["--batch", "2", "--val-size", "2", "--workers", "0", "--threads", "1"]
SMALL = [*TINY, "--patch", "32", "--widths", "40", "80"]


@pytest.fixture(autouse=True)
def _leave_the_process_as_it_was() -> Iterator[None]:
    threads = torch.get_num_threads()
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers:
        signal.signal(number, handler)


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


@pytest.mark.parametrize("arch", ["bicubic", "compact_42k", "srcnn", "lpsr", "tbsrn", "swinir"])
def test_networks_run_in_any_size(arch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    monkeypatch.setattr(swinir, "GROUPS", 1)  # all of its kinds of layers, in seconds
    monkeypatch.setattr(swinir, "LAYERS", 2)
    monkeypatch.setattr(tbsrn, "BLOCKS", 1)
    monkeypatch.setattr(lpsr, "BLOCKS", 1)
    model = build_model(arch, 2, 3).eval()
    proto = export.to_onnx(model, 3, SrContract("x", 2, 3, training={}).to_metadata())
    export.write_checked(proto, model, 3, tmp_path / "x.onnx")
    assert (tmp_path / "x.onnx").is_file()


def test_a_file_that_answers_otherwise_is_not_kept(tmp_path: Path) -> None:
    model = build_model("espcn", 2, 1).eval()
    proto = export.to_onnx(model, 1, SrContract("x", 2, 1, training={}).to_metadata())
    nn.init.constant_(model.conv3.bias, 0.5)  # type: ignore[union-attr,arg-type]
    with pytest.raises(ParityError, match="differ from torch's"):
        export.write_checked(proto, model, 1, tmp_path / "x.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "loss",
    [
        ["l1"],
        ["adversarial"],
        ["pecl", "--weighting", "uncertainty", "--encoder", "reader", "--embedding", "16"],
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


def test_learning_lowers_the_loss(tmp_path: Path) -> None:
    flags = ["--arch", "espcn", "--steps", "20", "--lr", "0.005", "--no-export", "--difficulty", "0"]
    assert train_sr.main([*flags, "--out", str(tmp_path / "o"), *SMALL]) == 0
    log = [json.loads(line) for line in (tmp_path / "o" / "log.jsonl").read_text("utf-8").splitlines()]
    gray = 10 * np.log10(1 / 0.25)  # a network that answers black everywhere is about there
    assert log[-1]["synthetic"]["psnr"] > gray


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
    """Adam moves a weight by about its rate at each step, whatever the gradient is."""
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
    assert moved[0] == pytest.approx(1e-4 * expected, rel=0.1)
    assert moved[2] == pytest.approx(0.05 * expected, rel=0.1)


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
        (["--loss", "pecl", "--weight-lr", "0"], "--weight-lr: expected a positive finite number, got 0.0"),
        (["--margin", "1"], f"--margin: --loss l1 {UNUSED} pecl"),
        (["--loss", "mse", "--weight", "1"], f"--weight: --loss mse {UNUSED} confidence or reading or pecl"),
        (["--loss", "lcofl", "--pixel", "l1"], f"--pixel: --loss lcofl {UNUSED} confidence or reading"),
        (["--loss", "confidence", "--ratio", "1"], f"--ratio: --loss confidence {UNUSED} reading or lcofl"),
        (["--loss", "reading", "--adversarial", "0.005"], f"--adversarial: --loss reading {UNUSED} adv"),
        (["--loss", "reading", "--confusion", "x.json"], f"--confusion: --loss reading {UNUSED} lcofl"),
        (["--loss", "lcofl", "--train-encoder"], f"--train-encoder: --loss lcofl {UNUSED} pecl"),
        (["--loss", "reading", "--weight", "1", "--ratio", "1"], "--ratio: used with no --weight only"),
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
        (["--loss", "pecl", "--encoder", "reader", "--train-encoder", "--steps", "1"], "--train-encoder"),
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


def test_a_run_does_not_change_its_settings(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train_sr.main(["--resume", "--loss", "mse", "--out", str(finished)]) == 2
    assert "--loss: the run was started with 'l1'" in capsys.readouterr().err
    assert train_sr.main(["--steps", "1", "--out", str(finished)]) == 2
    assert "holds a run already" in capsys.readouterr().err


def test_a_readers_checkpoint_is_no_sr_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "last.pt").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"expected a checkpoint of training/train_sr\.py"):
        load_checkpoint(tmp_path / "last.pt")


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
    pecl = Config(steps=1, loss="pecl", contrastive="pull_push", encoder_weights="/somewhere/resnet18.pth")
    told = pecl.loss_settings()
    assert told.pop("margin") == pytest.approx((128 / np.pi) ** 0.5)
    assert told == {
        "contrastive": "pull_push", "weighting": "fixed", "metric": "l1", "embedding": 128, "pixel": "mse",
        "weight": 0.5, "encoder": "resnet18", "encoder_weights": "resnet18.pth", "train_encoder": False,
    }  # fmt: skip
    learnt = Config(steps=1, loss="pecl", weighting="uncertainty", lr=0.01).loss_settings()
    assert learnt["weight_lr"] == 0.01
    assert not {"weight", "margin"} & learnt.keys()


# int8.


def test_int8_twin(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "int8.onnx"
    arguments = [str(finished / "model.onnx"), "--out", str(out), "--crops", "4", "--compared", "4"]
    assert quantize_sr.main([*arguments, "--max-drop", "3"]) == 0
    session = _core.Session(str(out), ort_library_path())
    assert session.metadata["precision"] == "int8"
    record = json.loads(session.metadata["training"])["quantization"]
    assert record["compared"]["n"] == 4
    assert (record["fp32_convolutions"], record["refused"]) == ("none", {})
    assert len(worst_pairs(onnx.load(out))) == 3  # all of ESPCN's
    assert session.run(np.zeros((1, 1, 7, 9), np.float32)).shape == (1, 1, 28, 36)
    assert quantize_sr.main([str(out), "--out", str(tmp_path / "twice.onnx")]) == 2
    assert "quantised already" in capsys.readouterr().err
    assert (
        quantize_sr.main([*arguments[:2], str(tmp_path / "no.onnx"), *arguments[3:], "--max-drop", "-9"]) == 1
    )
    assert not (tmp_path / "no.onnx").exists()


def test_the_ends_stay_in_fp32_where_all_of_int8_loses_too_much(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "int8.onnx"
    drops = iter([0.3, 0.1])
    monkeypatch.setattr(
        quantize_sr, "compare", lambda *_: {"n": 2, "psnr_fp32": 20.0, "psnr_int8": 20.0 - next(drops)}
    )
    arguments = [str(finished / "model.onnx"), "--out", str(out), "--crops", "2", "--compared", "2"]
    assert quantize_sr.main(arguments) == 0
    said = capsys.readouterr().out
    assert "not with none in fp32: 19.7 dB" in said
    assert "left in fp32: the first 1 and the last" in said
    record = json.loads(_core.Session(str(out), ort_library_path()).metadata["training"])["quantization"]
    assert record["fp32_convolutions"] == "the first 1 and the last"
    assert record["refused"] == {"none": 19.7}
    assert len(worst_pairs(onnx.load(out))) == 1  # of ESPCN's three


def test_a_number_of_convolutions_can_stay_in_fp32(finished: Path, tmp_path: Path) -> None:
    out = tmp_path / "int8.onnx"
    arguments = [str(finished / "model.onnx"), "--out", str(out), "--crops", "2", "--compared", "2"]
    assert quantize_sr.main([*arguments, "--stem", "2", "--max-drop", "99"]) == 0
    (name,) = worst_pairs(onnx.load(out))
    assert "conv3" in name


def test_bicubic_is_exported_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bicubic.onnx"
    assert export.main(["--arch", "bicubic", "--scale", "2", "--channels", "3", "--out", str(out)]) == 0
    assert f"{out}: bicubic, x2, 3 channels" in capsys.readouterr().out
    session = _core.Session(str(out), ort_library_path())
    training = json.loads(session.metadata["training"])
    assert (training["arch"], training["parameters"]) == ("bicubic", 0)
    image = np.random.default_rng(0).random((5, 7), np.float32)
    expected = cv2.resize(image, (14, 10), interpolation=cv2.INTER_CUBIC)
    got = session.run(np.broadcast_to(image, (1, 3, 5, 7)).copy())
    np.testing.assert_allclose(got[0], np.broadcast_to(expected, (3, 10, 14)), atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a checkpoint or --arch bicubic"),
        (["last.pt", "--arch", "bicubic"], "give one of them"),
        (["last.pt", "--scale", "2"], "--scale, --channels: a checkpoint has its own"),
        (["absent.pt"], "absent.pt: no such checkpoint"),
    ],
)
def test_what_cannot_be_exported(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export.main([*arguments, "--out", str(tmp_path / "x.onnx")]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
