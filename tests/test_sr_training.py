"""SR training: pairs that are registered, batches that do not depend on workers, resume, export, import."""

from __future__ import annotations

import csv
import json
import random
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from test_sr_losses import CHARSET, make_reader
from torch import nn

from lprfast import _core
from lprfast._ort_library import ort_library_path
from lprfast.data.labels import read_labels
from lprfast.prepare import prepare
from training import quantize_sr, train_sr
from training.export import ParityError
from training.ocr.labels import LabelledCrop
from training.sr import export
from training.sr import run as run_module
from training.sr.checkpoint import load_checkpoint, network_of
from training.sr.config import Config
from training.sr.contract import sr_metadata
from training.sr.data import (
    PairMaker,
    ValidationSet,
    batches,
    patch_of,
    planes,
    stacked,
    synthetic_validation,
    tensors,
)
from training.sr.evaluate import baselines, enlarge, evaluate, psnr
from training.sr.labelled import read_pairs_file
from training.sr.losses.build import build_loss
from training.sr.losses.pecl import Pecl
from training.sr.models import build_model, lpsr, swinir, tbsrn
from training.sr.pairs import Pair, PairSource, cut_out, tinted
from training.sr.reader import FrozenReader
from training.synth.camera import draw_optics, draw_view
from training.synth.generator import Library
from training.synth.pair import scene

Pixels = NDArray[Any]
TINY = ["--batch", "2", "--val-size", "2", "--workers", "0", "--threads", "1"]
SMALL = [*TINY, "--patch", "32", "--widths", "40", "80"]
CCPD_NAME = "025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15"


@pytest.fixture(autouse=True)
def _leave_the_process_as_it_was() -> Iterator[None]:
    threads = torch.get_num_threads()
    handlers = [(number, signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    torch.set_num_threads(threads)
    for number, handler in handlers:
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(held_out=False, system_fonts=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of three steps, exported."""
    out = tmp_path_factory.mktemp("sr") / "three"
    arguments = ["--arch", "espcn", "--steps", "3", "--lr", "0.01", "--out", str(out), "--name", "three"]
    assert train_sr.main([*arguments, *SMALL]) == 0
    return out


# Pairs.


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("channels", [1, 3])
def test_pairs_have_exact_sizes(library: Library, scale: int, channels: int) -> None:
    source = PairSource(scale, channels, "camera", library)
    for seed in range(6):
        (pair,) = source.drawn(random.Random(seed), 24, least_height=16)
        assert pair.low.dtype == pair.high.dtype == np.uint8
        assert pair.low.shape[1] == 24
        assert pair.low.shape[0] >= 16
        assert pair.high.shape[:2] == (pair.low.shape[0] * scale, 24 * scale)
        assert pair.low.shape[2:] == pair.high.shape[2:] == ((3,) if channels == 3 else ())
        assert pair.text


@pytest.mark.parametrize("degradation", ["camera", "shrink"])
@pytest.mark.parametrize("scale", [2, 4, 8])
def test_pairs_are_registered(library: Library, scale: int, degradation: str) -> None:
    """Clean ones, so that nothing but a shift would be left: the small crop is the mean of the large one's
    pixels, and not moved by a twentieth of its own."""
    source = PairSource(scale, 1, degradation, library, difficulty=0.0)
    for seed in range(4):
        (pair,) = source.drawn(random.Random(seed), 40)
        mean = cv2.resize(pair.high, pair.low.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.abs(shift_of(mean, pair.low)).max() < 0.05, seed
        assert psnr(mean, pair.low) > (25 if degradation == "camera" else 99)


def shift_of(a: Pixels, b: Pixels) -> Pixels:
    """By how many pixels (down, right) ``b`` lies from ``a``: least squares over their mean's slopes."""
    middle = (a.astype(float) + b) / 2
    slopes = np.stack([each[1:-1, 1:-1].ravel() for each in np.gradient(middle)], axis=1)
    change = (a.astype(float) - b)[1:-1, 1:-1].ravel()
    return np.asarray(np.linalg.lstsq(slopes, change, rcond=None)[0])


def test_a_shift_is_seen() -> None:
    image = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (40, 60), np.uint8), (0, 0), 2.0)
    np.testing.assert_allclose(shift_of(image[:-1, :-1], image[:-1, 1:]), [0, -1], atol=0.15)
    np.testing.assert_allclose(shift_of(image[1:, 1:], image[:-1, 1:]), [1, 0], atol=0.15)


def test_the_phase_of_the_grid_is_drawn(library: Library) -> None:
    """Two draws of equal plates on grids that differ would be equal without it."""
    lows = set()
    for seed in range(8):
        rng = random.Random(3)
        plate = library.plate(rng, 0.0)
        view, optics = draw_view(rng, 0.0, 4.5), draw_optics(rng, 0.0)
        seen = scene(random.Random(seed), plate.canvas, plate.box, view, optics, (32, 0), 4)
        lows.add(seen.tobytes())
    assert len(lows) == 8


def test_a_camera_does_more_than_shrink(library: Library) -> None:
    plain = PairSource(4, 1, "shrink", library).drawn(random.Random(5), 40)[0]
    seen = PairSource(4, 1, "camera", library).drawn(random.Random(5), 40, repeat=3)
    assert np.array_equal(plain.high, seen[0].high)
    assert not np.array_equal(plain.low, seen[0].low)
    assert len({pair.low.tobytes() for pair in seen}) == 3
    assert len({pair.high.tobytes() for pair in seen}) == 1


def test_tints_keep_the_luma() -> None:
    gray = np.linspace(60, 200, 64, dtype=np.float32).reshape(8, 8)
    for seed in range(5):
        colour = tinted(random.Random(seed), gray)
        np.testing.assert_allclose(colour @ np.array([0.114, 0.587, 0.299]), gray, atol=12)
        assert np.ptp(colour, axis=2).max() > 0.5


def test_a_patch_is_the_same_place_in_both() -> None:
    high = np.arange(40 * 80, dtype=np.uint32).reshape(40, 80)
    pair = Pair(high[::4, ::4].astype(np.uint8), (high % 251).astype(np.uint8), "A")
    marked = Pair(high[::4, ::4], high, "A")  # type: ignore[arg-type]
    for seed in range(5):
        cut = patch_of(random.Random(seed), marked, 8, 4)
        assert cut.low.shape == (8, 8)
        assert np.array_equal(cut.high[::4, ::4], cut.low)
    small = patch_of(random.Random(0), pair, 16, 4)
    assert small.low.shape == (16, 16)
    assert np.array_equal(small.low[10:], np.repeat(small.low[9:10], 6, 0))  # the edge, repeated


def test_stacked_pairs_are_padded_and_keep_their_sizes() -> None:
    a = Pair(np.full((2, 4), 10, np.uint8), np.full((4, 8), 20, np.uint8), "A")
    b = Pair(np.full((3, 5), 30, np.uint8), np.full((6, 10), 40, np.uint8), "B")
    raw = stacked([a, b], 2)
    assert raw.low.shape == (2, 1, 3, 5)
    assert raw.high.shape == (2, 1, 6, 10)
    assert raw.sizes.tolist() == [[4, 8], [6, 10]]
    batch = tensors(raw, torch.device("cpu"))
    assert float(batch.low[0].min()) == float(batch.low[0].max()) == pytest.approx(10 / 255)


def test_planes_are_rgb() -> None:
    bgr = np.zeros((1, 1, 3), np.uint8)
    bgr[0, 0] = (1, 2, 3)
    assert planes(bgr)[:, 0, 0].tolist() == [3, 2, 1]


# Batches.


def test_batches_depend_on_seed_and_number_alone() -> None:
    maker = PairMaker(Config(steps=1, batch=3, patch=32, repeat=2), [])
    first, again, other = maker[5], PairMaker(Config(steps=1, batch=3, patch=32, repeat=2), [])[5], maker[6]
    assert np.array_equal(first.low, again.low)
    assert first.texts == again.texts
    assert not np.array_equal(first.low, other.low)
    assert first.high.shape == (3, 1, 32, 32)
    stream = batches(maker, 5, workers=0, pin=False)
    assert np.array_equal(np.asarray(next(stream).high), first.high)
    assert np.array_equal(np.asarray(next(stream).high), other.high)


def test_whole_plates_are_of_one_line_and_one_width() -> None:
    raw = PairMaker(Config(steps=1, batch=6, loss="reading", widths=(120, 160)), [])[0]
    assert len(set(raw.sizes[:, 1].tolist())) == 1
    assert 116 <= raw.sizes[0, 1] <= 160
    assert all(raw.texts)


def test_the_synthetic_validation_is_the_same_every_time() -> None:
    config = Config(steps=1, val_size=3, widths=(100, 200))
    a, b = synthetic_validation(config), synthetic_validation(config)
    assert [pair.high.shape[1] for pair in a.pairs] == [100, 148, 200]
    assert all(np.array_equal(x.low, y.low) for x, y in zip(a.pairs, b.pairs, strict=True))


# Labelled crops and CCPD.


def write_labels(folder: Path, rows: list[tuple[str, str, str, int]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "text", "split"])
        for number, (name, text, split, width) in enumerate(rows):
            Image.fromarray(np.full((width // 4, width), 60 + number, np.uint8)).save(folder / name)
            writer.writerow([name, text, split])
    return folder / "labels.csv"


def test_labelled_crops_by_split_and_width(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_labels(
        tmp_path / "mine",
        [("a.png", "ab-12", "train", 100), ("b.png", "CD34", "dev", 100), ("c.png", "EF56", "train", 20)],
    )
    file = read_pairs_file(f"{path}:2", "train", 4)
    assert [row.text for row in file.rows] == ["AB12"]
    assert file.weight == 2
    assert [bad.line for bad in file.bad_rows] == [4]
    assert "20 px wide, expected at least 32" in file.bad_rows[0].reason
    config = Config(steps=1, data=(str(path),), val=(str(path),))
    assert [f.name for f in run_module.read_files(config, "train")] == ["mine/labels.csv"]
    assert "line 4 is left out" in capsys.readouterr().err


def test_labelled_crops_are_mixed_in(tmp_path: Path) -> None:
    path = write_labels(tmp_path, [("a.png", "AB12", "train", 200)])
    config = Config(steps=1, batch=8, patch=32, repeat=2, data=(str(path),), data_share=1.0)
    raw = PairMaker(config, [read_pairs_file(str(path), "train", 4)])[0]
    assert raw.texts == ["AB12"] * 8
    assert set(np.unique(raw.high)) == {60}


def test_an_image_damaged_behind_its_header_is_replaced(tmp_path: Path) -> None:
    path = write_labels(tmp_path, [("a.png", "AB12", "train", 200)])
    file = read_pairs_file(str(path), "train", 4)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    config = Config(steps=1, batch=2, patch=32, data=(str(path),), data_share=1.0)
    assert "AB12" not in PairMaker(config, [file])[0].texts


def test_ccpd_is_imported_and_its_plates_cut_out(tmp_path: Path) -> None:
    folder = tmp_path / "ccpd_base"
    folder.mkdir()
    image = np.zeros((500, 400), np.uint8)
    image[383:473, 154:386] = 200
    Image.fromarray(image).save(folder / f"{CCPD_NAME}.png")
    (row,) = read_pairs_file(str(tmp_path), "train", 4).rows
    assert row.text == read_labels(tmp_path).rows[0].text == "皖AY339S"
    cut = cut_out(random.Random(0), image, row)
    height, width = cut.shape
    assert 90 <= height <= 90 * 1.24 + 2
    assert 232 <= width <= 232 * 1.24 + 2
    assert int((cut == 200).sum()) == 90 * 232  # the whole plate is in it
    pair = PairSource(4, 1, "shrink", Library(False, False)).labelled(random.Random(0), row, 48)
    assert pair.high.shape[1] == 192
    whole = LabelledCrop(row.path, row.text)
    assert cut_out(random.Random(0), image, whole) is image


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
    proto = export.to_onnx(model, 3, sr_metadata("x", 2, 3, "fp32", {}))
    export.write_checked(proto, model, 3, tmp_path / "x.onnx")
    assert (tmp_path / "x.onnx").is_file()


def test_a_file_that_answers_otherwise_is_not_kept(tmp_path: Path) -> None:
    model = build_model("espcn", 2, 1).eval()
    proto = export.to_onnx(model, 1, sr_metadata("x", 2, 1, "fp32", {}))
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
    monkeypatch.setattr(FrozenReader, "load", classmethod(lambda cls, spec: make_reader()))
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
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
    assert Config(steps=1, loss="lcofl").loss_settings() == {"weight": None, "ratio": 1.0, "confusion": None}
    kinds = [type(build_loss(Config(steps=1, loss=name), reader)).__name__ for name in ("mse", "adversarial")]
    assert kinds == ["PixelLoss", "AdversarialLoss"]
    assert reader.codec.charset == CHARSET


# int8.


def test_int8_twin(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "int8.onnx"
    arguments = [str(finished / "model.onnx"), "--out", str(out), "--crops", "4", "--compared", "4"]
    assert quantize_sr.main([*arguments, "--max-drop", "3"]) == 0
    session = _core.Session(str(out), ort_library_path())
    assert session.metadata["precision"] == "int8"
    record = json.loads(session.metadata["training"])["quantization"]
    assert record["compared"]["n"] == 4
    assert session.run(np.zeros((1, 1, 7, 9), np.float32)).shape == (1, 1, 28, 36)
    assert quantize_sr.main([str(out), "--out", str(tmp_path / "twice.onnx")]) == 2
    assert "quantised already" in capsys.readouterr().err
    assert (
        quantize_sr.main([*arguments[:2], str(tmp_path / "no.onnx"), *arguments[3:], "--max-drop", "-9"]) == 1
    )
    assert not (tmp_path / "no.onnx").exists()
