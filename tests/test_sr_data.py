"""Pairs for SR: registered, the same for a seed, cut from labelled crops and CCPD."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from lprfast.data.labels import read_labels
from training.ocr.labels import LabelledCrop
from training.sr import run as run_module
from training.sr.config import Config
from training.sr.data import (
    PairMaker,
    batches,
    labelled_validation,
    patch_of,
    planes,
    source_of,
    stacked,
    synthetic_validation,
    tensors,
)
from training.sr.evaluate import psnr
from training.sr.labelled import read_pairs_file
from training.sr.pairs import Pair, PairSource, cut_out, tinted
from training.synth.camera import draw_optics, draw_view
from training.synth.generator import Library
from training.synth.pair import scene

Pixels = NDArray[Any]
CCPD_NAME = "025-95_113-154&383_386&473-386&473_177&454_154&383_363&402-0_0_22_27_27_33_16-37-15"


@pytest.fixture(scope="module")
def library() -> Library:
    return Library(held_out=False, system_fonts=False)


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


def test_a_plate_has_one_shape_at_every_scale(library: Library) -> None:
    """Heights are whole pixels of the small crop, so half of one is what may be lost."""
    aspects = set()
    for seed in range(6):
        x4, x8 = (
            PairSource(scale, 1, "shrink", library).drawn(random.Random(seed), 192 // scale)[0].high.shape
            for scale in (4, 8)
        )
        assert abs(x8[0] - x4[0]) <= 8 / 2 + 4 / 2
        aspects.add(round(192 / x8[0]))
    assert 5 in aspects


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


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, (64, False, 4)),
        ({"patch": 0}, (0, False, 4)),
        ({"patch": 0, "one_line": True}, (0, True, 4)),
        ({"loss": "reading"}, (0, True, 4)),
        ({"degradation": "shrink"}, (64, False, 4)),
        ({"degradation": "shrink", "patch": 0}, (0, False, 1)),  # four times the same pair otherwise
        ({"degradation": "shrink", "patch": 0, "repeat": 2}, (0, False, 2)),
    ],
)
def test_patches_lines_and_repeats_follow_loss_and_degradation(
    settings: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    config = Config(steps=1, **settings)
    assert (config.patch, config.one_line, config.repeat) == expected
    assert source_of(config, held_out=False).one_line is expected[1]
    assert source_of(config, held_out=True).one_line


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


def test_a_damaged_image_to_validate_on_is_named_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(name, "AB12", "dev", 200) for name in ("a.png", "b.png", "c.png")]
    path = write_labels(tmp_path, rows)
    file = read_pairs_file(str(path), "dev", 4)
    config = Config(steps=1, val=(str(path),))
    whole = labelled_validation(config, file)
    (tmp_path / "b.png").write_bytes((tmp_path / "b.png").read_bytes()[:40])
    pairs = labelled_validation(config, file).pairs
    assert len(pairs) == 2
    assert all(np.array_equal(whole.pairs[n].low, pair.low) for n, pair in zip((0, 2), pairs, strict=True))
    err = capsys.readouterr().err
    assert f"{path}: b.png is left out: " in err
    assert err.count("left out") == 1
    for name in ("a.png", "c.png"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(ValueError, match="no image can be read"):
        labelled_validation(config, file)


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
