"""The measures of enlarging, on pictures and readers whose figures can be worked out by hand."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from sr_models import nearest, sr_contract, sr_model
from toy_model import crop_of_text, model_bytes

from lprfast.evaluation import Settings, exact_interval
from lprfast.super_resolution import UpscaledCrop
from training import measure_sr
from training.sr import curves as curves_module
from training.sr import drawing, measure_pictures
from training.sr.config import Config
from training.sr.contenders import open_contenders, open_readers
from training.sr.data import HELD_OUT_SEED, synthetic_validation
from training.sr.distortions import STRENGTHS, distorted, distorted_pairs, distortion_map, map_values
from training.sr.intensity import intensity
from training.sr.measure_pictures import contrast_chart, grid, intensity_grid
from training.sr.measure_report import markdown, plain
from training.sr.measures import Contender, Spread, measure, spread
from training.sr.paddle import ABSENT, PaddleTexts, load_paddle
from training.sr.pairs import Pair

PLAIN = Settings({})
RNG = np.random.default_rng(0)


class Scripted:
    """A reader that answers what it was told to, and keeps what it was shown."""

    name = "scripted"

    def __init__(self, *answers: tuple[str, float]) -> None:
        self.answers = answers
        self.seen: list[Any] = []

    def read(self, low: Sequence[Any], enlarged: Sequence[Any]) -> list[tuple[str, float]]:
        self.seen = list(enlarged)
        return [self.answers[number % len(self.answers)] for number in range(len(low))]


def low(seed: int = 0, colour: bool = False) -> Any:
    shape = (8, 12, 3) if colour else (8, 12)
    return np.random.default_rng(seed).integers(40, 200, shape, np.uint8)


def pair(seed: int = 0, text: str = "AB12", colour: bool = False) -> Pair:
    small = low(seed, colour)
    return Pair(small, nearest(small, 2), text)


def brighter(by: int) -> Contender:
    return Contender(
        f"by {by}", lambda crops: [UpscaledCrop(nearest(crop, 2) + np.uint8(by)) for crop in crops]
    )


# Figures.


def test_the_spread_of_values() -> None:
    assert spread([6.0, 1.0, 2.0]) == Spread(3, 3.0, 2.0, pytest.approx(math.sqrt(7)))  # type: ignore[arg-type]
    assert spread([4.0]) == Spread(1, 4.0, 4.0, 0.0)
    assert spread([]) is None


def test_psnr_is_that_of_the_error_and_at_most_100() -> None:
    found = measure(brighter(10), "set", [pair(0), pair(1)], [], PLAIN)
    assert found.psnr is None  # gray pictures: there is one luma and no more
    assert found.psnr_y is not None
    assert found.psnr_y.median == pytest.approx(20 * math.log10(255 / 10))
    assert found.psnr_y.deviation == pytest.approx(0, abs=1e-9)
    equal = measure(brighter(0), "set", [pair()], [], PLAIN)
    assert equal.psnr_y == Spread(1, 100.0, 100.0, 0.0)
    assert equal.ssim is not None
    assert equal.ssim.mean == pytest.approx(1)
    assert equal.ms is not None
    assert equal.ms.n == 1


def test_colour_counts_where_both_have_it() -> None:
    """An error of the blue channel alone: a third of the pixels' squares, 1868 / 16384 of it in the luma."""

    def bluer(crops: Sequence[Any]) -> list[UpscaledCrop]:
        return [UpscaledCrop(nearest(crop, 2) + np.array([20, 0, 0], np.uint8)) for crop in crops]

    found = measure(Contender("bluer", bluer), "set", [pair(colour=True)], [], PLAIN)
    assert found.psnr is not None
    assert found.psnr_y is not None
    assert found.psnr.mean == pytest.approx(10 * math.log10(255**2 / (400 / 3)))
    assert found.psnr_y.mean == pytest.approx(20 * math.log10(255 / (20 * 1868 / 16384)))


def test_a_gray_answer_is_compared_with_the_luma_of_a_coloured_plate() -> None:
    gray = np.full((16, 24), 100, np.uint8)
    high = np.full((16, 24, 3), (255, 0, 0), np.uint8)  # blue: luma 29.07
    way = Contender("gray", lambda crops: [UpscaledCrop(gray)])
    found = measure(way, "set", [Pair(low(colour=True), high, "")], [], PLAIN)
    assert found.psnr is None
    assert found.psnr_y is not None
    assert found.psnr_y.mean == pytest.approx(20 * math.log10(255 / (100 - 255 * 1868 / 16384)))


def test_what_is_read_is_counted_by_hand() -> None:
    reader = Scripted(("AB12", 0.9), ("ab-13", 0.5), ("", 0.1))
    pairs = [pair(0, "AB12"), pair(1, "AB12"), pair(2, "ABC"), pair(3, "")]
    (found,) = measure(brighter(0), "set", pairs, [reader], PLAIN).readings
    assert (found.n, found.exact, found.exact_match) == (3, 1, pytest.approx(1 / 3))
    assert found.cer == pytest.approx((0 + 1 + 3) / 11)
    assert found.interval == exact_interval(1, 3)
    assert found.confidence == Spread(3, pytest.approx(0.5), 0.5, pytest.approx(0.4))  # type: ignore[arg-type]
    folded = measure(brighter(0), "set", pairs, [reader], Settings({"3": "2"})).readings[0]
    assert folded.exact == 2


def test_sets_without_texts_are_not_read() -> None:
    assert measure(brighter(0), "set", [pair(text="")], [Scripted(("A", 1.0))], PLAIN).readings == ()


def test_who_enlarges_nothing_has_no_picture() -> None:
    reader = Scripted(("AB12", 0.9))
    found = measure(Contender("none"), "set", [pair()], [reader], PLAIN)
    assert (found.psnr_y, found.ssim, found.ms, found.failed) == (None, None, None, 0)
    assert reader.seen == [None]
    original = measure(Contender("original", original=True), "set", [pair()], [reader], PLAIN)
    assert original.psnr_y is None
    np.testing.assert_array_equal(reader.seen[0], pair().high)


def test_a_crop_that_fails_costs_only_itself() -> None:
    def fails(crops: Sequence[Any]) -> list[UpscaledCrop]:
        bad = int(crops[0][0, 0]) == int(low(1)[0, 0])
        return [UpscaledCrop(error="no") if bad else UpscaledCrop(nearest(crops[0], 2))]

    found = measure(Contender("half", fails), "set", [pair(0), pair(1)], [Scripted(("AB12", 1.0))], PLAIN)
    assert found.failed == 1
    assert found.psnr_y == Spread(1, 100.0, 100.0, 0.0)
    # The reader would read the small crop of the failed one, too: that is not what SR made of it.
    assert (found.readings[0].n, found.readings[0].exact) == (2, 1)
    assert found.readings[0].confidence == Spread(2, 0.5, 0.5, pytest.approx(math.sqrt(0.5)))  # type: ignore[arg-type]
    assert "half (1 failed)" in markdown([found])


def test_a_crop_that_fails_is_named_in_the_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[Any] = []
    monkeypatch.setattr(measure_pictures, "crop_grid", lambda headers, panels: rows.extend(panels))
    never = Contender("never", lambda crops: [UpscaledCrop(error="no") for _ in crops])
    grid([never], [pair(text="AB12")], Scripted(("AB12", 1.0)), PLAIN, 1)
    low_, failed, original = rows[0]
    assert [(panel.text, panel.right) for panel in (low_, failed)] == [("AB12", True), ("failed", False)]
    assert original.text == "AB12  (is AB12)"


def test_who_fails_on_all_is_refused() -> None:
    never = Contender("never", lambda crops: [UpscaledCrop(error="no") for _ in crops])
    with pytest.raises(ValueError, match="never: none of 2 crops could be enlarged: no"):
        measure(never, "set", [pair(0), pair(1)], [Scripted(("AB12", 1.0))], PLAIN)


def test_tables_and_plain_values() -> None:
    found = measure(brighter(10), "set", [pair(0), pair(1)], [Scripted(("AB12", 0.5))], PLAIN)
    text = markdown([found])
    assert "## set, n 2" in text
    assert "| by 10 | - | - | 28.13 ± 0.00 (28.13) |" in text
    assert "| by 10 | scripted | 2 | 100.0% (15.8% - 100.0%) | 0.0% | 0.500 ± 0.000 (0.500) |" in text
    values = plain(found)
    assert values["psnr"] is None
    assert values["psnr_y"]["median"] == pytest.approx(28.13, abs=0.01)
    assert values["readings"][0]["exact_match_interval"][1] == 1.0
    json.dumps(values, allow_nan=False)


# PaddleOCR, by a stand-in.


def test_the_adapter_shows_bgr_lines_to_the_recognition_alone() -> None:
    seen: list[Any] = []

    def engine(image: Any, **switches: bool) -> SimpleNamespace:
        seen.append((image.shape, switches))
        return SimpleNamespace(txts=("AB 12",), scores=(0.75,)) if len(seen) == 1 else SimpleNamespace(
            txts=None, scores=None
        )  # fmt: skip

    found = PaddleTexts(engine).read([low(), low(colour=True)], [nearest(low(), 2), None])
    assert found == [("AB 12", 0.75), ("", 0.0)]
    only = {"use_det": False, "use_cls": False, "use_rec": True}
    assert seen == [((16, 24, 3), only), ((8, 12, 3), only)]


def test_the_adapter_says_which_models_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class RapidOCR:
        def __init__(self, params: dict[str, Any]) -> None:
            assert params["EngineConfig.onnxruntime.intra_op_num_threads"] == 3
            self.cfg = SimpleNamespace(Rec=SimpleNamespace(ocr_version=SimpleNamespace(value="PP-OCR")))

    monkeypatch.setitem(sys.modules, "rapidocr", SimpleNamespace(RapidOCR=RapidOCR))  # type: ignore[arg-type]
    monkeypatch.setattr("training.sr.paddle.version", lambda name: "9")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    found = load_paddle(3)
    assert found is not None
    assert found.name == "PaddleOCR (PP-OCR, rapidocr 9)"


def test_without_the_package_there_is_no_adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert load_paddle() is None


# Distortions.


def test_distortions_have_the_strength_that_they_state() -> None:
    flat = np.full((200, 200), 128, np.uint8)
    assert distorted(flat, "noise", 10, 3).std() == pytest.approx(10, rel=0.03)
    np.testing.assert_array_equal(distorted(flat, "noise", 10, 3), distorted(flat, "noise", 10, 3))
    assert (distorted(flat, "noise", 10, 3) != distorted(flat, "noise", 10, 4)).any()
    dot = np.zeros((41, 41), np.uint8)
    dot[20, 20] = 255
    spot = distorted(dot, "blur", 1.2, 0).astype(float)
    assert spot[20, 20] / 255 == pytest.approx(1 / (2 * math.pi * 1.2**2), rel=0.05)
    picture = RNG.integers(0, 256, (24, 40, 3), np.uint8)
    errors = [
        np.abs(distorted(picture, "compression", quality, 0).astype(int) - picture).mean()
        for quality in STRENGTHS["compression"]
    ]
    assert errors == sorted(errors)
    assert errors[0] == 0
    with pytest.raises(ValueError, match="kind: expected one of noise, blur, compression, got 'rain'"):
        distorted(picture, "rain", 1, 0)


def test_maps_hold_every_strength_of_every_kind() -> None:
    readers = [Scripted(("AB12", 1.0), ("X", 1.0))]
    cells = distortion_map([brighter(0), Contender("none")], [pair(0), pair(1)], readers, PLAIN)
    assert len(cells) == 2 * sum(map(len, STRENGTHS.values()))
    rows = map_values(cells, "by 0", "exact")
    assert rows["blur"] == [(label, 0.5) for label in ("0", "0.5", "0.8", "1.2", "1.8")]
    assert map_values(cells, "none", "psnr_y")["noise"][0] == ("0", None)
    noise = [value for _, value in map_values(cells, "by 0", "psnr_y")["noise"]]
    assert noise[0] == 100  # the mean of equal pixels, enlarged again
    assert noise[1] == pytest.approx(20 * math.log10(255 / 5), abs=1.0)


def test_spoilt_pairs_come_from_the_large_picture() -> None:
    camera = Pair(np.zeros((8, 12), np.uint8), pair().high, "AB12")
    (made,) = distorted_pairs([camera], "noise", 0)
    np.testing.assert_array_equal(made.low, pair().low)


def test_each_intensity_sees_its_own_fault() -> None:
    flat = np.full((64, 96), 128, np.uint8)
    picture = cv2.GaussianBlur(RNG.integers(0, 256, (64, 96), np.uint8), (0, 0), 1.5)
    noisy = distorted(flat, "noise", 10, 0)
    assert intensity(noisy, "noise").mean() == pytest.approx(10, rel=0.3)
    assert intensity(flat, "noise").max() == 0
    assert intensity(flat, "blur").min() == 1
    blurred = distorted(picture, "blur", 1.8, 0)
    assert intensity(blurred, "blur").mean() > 1.5 * intensity(picture, "blur").mean()
    blocks = np.repeat(np.repeat(RNG.integers(0, 256, (8, 12), np.uint8), 8, axis=0), 8, axis=1)
    shifted = np.roll(blocks, (4, 4), (0, 1))
    assert intensity(blocks, "compression").mean() > 1
    assert intensity(shifted, "compression")[8:-8, 8:-8].max() == 0
    assert intensity(np.repeat(noisy[..., None], 3, axis=2), "noise") == pytest.approx(
        intensity(noisy, "noise")
    )
    with pytest.raises(ValueError, match="kind: expected one of noise, blur, compression, got 'rain'"):
        intensity(flat, "rain")


def test_a_step_between_blocks_by_hand() -> None:
    """Gray levels 0 and 16 meet at column 8: 16 over a square of 8 x 8 of which the edge is one column."""
    found = intensity(np.repeat(np.uint8([[0] * 8 + [16] * 8]), 32, axis=0), "compression")
    assert found[16].max() == pytest.approx(16 / 8)
    assert found[16, 0] == 0


def test_intensities_stand_below_their_pictures() -> None:
    picture = intensity_grid([Contender("none"), brighter(0)], [pair(0), pair(1)], 1)
    assert picture.size == (2 * 208, 24 + 4 * (133 + 26))


# Pictures.


def test_heat_maps_colour_the_least_and_the_most() -> None:
    heat = {"noise": [("0", 0.0), ("5", 1.0), ("9", None)]}
    picture = drawing.heat_map({str(number): heat for number in range(4)}, "exact", ".0%")
    assert picture.size == (3 * (110 + 3 * 72 + 16), 24 + 2 * (24 + 48))
    top, left = 24 + 20 + 18 + 3, 8 + 110 + 3
    assert picture.getpixel((left, top)) == (247, 251, 255)
    assert picture.getpixel((left + 72, top)) == (8, 69, 148)
    assert picture.getpixel((left + 144, top)) == (255, 255, 255)
    with pytest.raises(ValueError, match="at least one value"):
        drawing.heat_map({"a": {"noise": [("0", None)]}}, "exact", ".0%")


def test_grids_show_the_crops_themselves() -> None:
    blue = np.full((10, 20, 3), (255, 0, 0), np.uint8)
    row = [drawing.Panel(blue, "AB12", True), drawing.Panel(blue[:, :, 0], "", False)]
    picture = drawing.crop_grid(["low", "made"], [row], width=40)
    assert picture.size == (96, 24 + 20 + 26)
    assert picture.getpixel((10, 30)) == (0, 0, 255)
    assert picture.getpixel((58, 30)) == (255, 255, 255)
    with pytest.raises(ValueError, match="as many panels as headers"):
        drawing.crop_grid(["low"], [row])


def test_a_grid_has_a_column_for_each_way_and_the_original() -> None:
    picture = grid(
        [Contender("none"), brighter(0)], [pair(0), pair(1), pair(2)], Scripted(("A", 1.0)), PLAIN, 2
    )
    assert picture.size == (3 * 208, 24 + 2 * (133 + 26))


def test_charts_need_points(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one point"):
        drawing.line_chart({}, "x", "y")
    with pytest.raises(ValueError, match="cannot be written"):
        drawing.save(tmp_path / "no" / "a.png", drawing.line_chart({"a": [(0, 1)]}, "x", "y"))
    alone = measure(brighter(1), "set", [pair()], [], PLAIN)
    with pytest.raises(ValueError, match="two or more pipelines"):
        contrast_chart([alone])


def test_lines_lie_where_their_values_are() -> None:
    picture = drawing.line_chart({"a": [(0, 0.0), (10, 1.0)]}, "step", "contrast")
    assert picture.getpixel((64, 360 - 40)) == (0x1F, 0x77, 0xB4)
    assert picture.getpixel((640 - 150, 24)) == (0x1F, 0x77, 0xB4)


# Contrast of training logs.


def log(folder: Path, *checks: tuple[int, float]) -> Path:
    folder.mkdir()
    lines = [{"event": "start"}] + [
        {"event": "validation", "step": step, "minutes": 1, "synthetic": {"psnr": value}}
        for step, value in checks
    ]
    (folder / "log.jsonl").write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return folder


def test_curves_are_ratios_to_the_first_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = log(tmp_path / "mse", (0, 20.0), (100, 20.0), (200, 30.0))
    other = log(tmp_path / "pecl", (100, 20.0), (100, 22.0), (150, 20.0), (300, 99.0))
    found = curves_module.curves([base, other], "synthetic", "psnr")
    assert found == {"pecl": [(100, pytest.approx(0.1)), (150, pytest.approx(-0.2))]}
    out = tmp_path / "c.png"
    assert curves_module.main([str(base), str(other), "--out", str(out)]) == 0
    assert capsys.readouterr().out == "pecl: 100: +0.1000  150: -0.2000\n"
    with Image.open(out) as image:
        assert image.size == (640, 360)


def test_curves_that_cannot_be_had_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, late = log(tmp_path / "mse", (0, 20.0), (100, 20.0)), log(tmp_path / "late", (200, 20.0))
    out = ["--out", str(tmp_path / "c.png")]
    for runs, options, message in (
        ([base, late], [], "late: no step from 0 to 100, where the first run has values"),
        ([base, tmp_path / "none"], [], "cannot be read as a training log"),
        ([base, late], ["--set", "mine"], "no psnr of set 'mine'; its sets: synthetic"),
        ([base, late], ["--set", "step"], "no psnr of set 'step'; its sets: synthetic"),
    ):
        assert curves_module.main([*map(str, runs), *options, *out]) == 2
        assert message in capsys.readouterr().err


def test_the_seed_decides_the_plates() -> None:
    config = Config.from_dict({"steps": 1, "patch": 0, "val_size": 2, "difficulty": 0.0})
    usual, again, other = (synthetic_validation(config, *seed).pairs for seed in ((), (HELD_OUT_SEED,), (7,)))
    assert [pair.text for pair in usual] == [pair.text for pair in again]
    assert [pair.text for pair in usual] != [pair.text for pair in other]


# The command.


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    (folder / "toy.onnx").write_bytes(model_bytes())
    (folder / "four.onnx").write_bytes(sr_model(4))
    (folder / "twice.onnx").write_bytes(sr_model(2))
    Image.fromarray(crop_of_text("AB12")).save(folder / "a.png")
    whole = (folder / "a.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) - 30])
    (folder / "labels.csv").write_text("path,text\na.png,AB12\ncut.png,AB12\n")
    return folder


def test_contenders_are_opened_by_name(files: Path) -> None:
    found = open_contenders(["none", "original", "bicubic4", str(files / "four.onnx"), "none"], 4, 1)
    assert [each.name for each in found] == ["none", "original", "bicubic4", "four.onnx"]
    assert [each.parameters for each in found] == [0, 0, 0, 16]
    metadata = sr_contract(scale=4, training={"parameters": 7}).to_metadata()  # before the export folded it
    (files / "told.onnx").write_bytes(sr_model(4, metadata=metadata))
    assert open_contenders([str(files / "told.onnx")], 4, 1)[0].parameters == 7
    assert len(found[3].facts["sha256"]) == 64
    with pytest.raises(ValueError, match=r"twice\.onnx: enlarges 2 times, expected 4 as --scale says"):
        open_contenders([str(files / "twice.onnx")], 4, 1)
    toy = str(files / "toy.onnx")
    assert [reader.name for reader in open_readers([toy, toy], 1)] == ["toy"]


def test_one_pipeline_has_no_contrast_and_this_is_said_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--pipeline", "none", "--pipeline", "bicubic4", "--contrast", "--out", str(tmp_path)]
    assert measure_sr.main(flags) == 2
    assert "--contrast: expected two or more pipelines that enlarge, got bicubic4" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_what_it_is_asked_for(
    files: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure_sr, "load_paddle", lambda threads: None)
    ways = ["none", "bicubic4", str(files / "four.onnx")]
    flags = [word for way in ways for word in ("--pipeline", way)]
    flags += ["--reader", str(files / "toy.onnx"), "--data", str(files / "labels.csv"), "--n", "2"]
    assert (
        measure_sr.main(
            [*flags, "--contrast", "--maps", "--grid", "1", "--intensity", "1", "--out", str(tmp_path)]
        )
        == 0
    )
    out, err = capsys.readouterr()
    assert ABSENT in out
    assert ABSENT in err
    assert "cut.png is left out" in err
    found = json.loads((tmp_path / "measures.json").read_text("utf-8"))
    names = ["none", "bicubic4", "four.onnx"]
    assert [each["pipeline"] for each in found["measures"]] == names * 2
    assert [(each["data"].split("/")[-1], each["n"]) for each in found["measures"]] == [
        *[("synthetic", 2)] * 3,
        *[("labels.csv", 1)] * 3,
    ]
    assert found["settings"]["paddleocr"] == ABSENT
    assert len(found["settings"]["readers"][0]["sha256"]) == 64
    made = sorted(path.name for path in tmp_path.glob("*.png"))
    assert made[:2] == ["contrast.png", "grid-0-synthetic.png"]
    assert made[3:] == ["intensity.png", "map-exact.png", "map-psnr_y.png"]
    assert len(json.loads((tmp_path / "maps.json").read_text("utf-8"))) == 45


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--pipeline", "best"], "got 'best'"),
        (["--pipeline", "none", "--n", "0"], "--n: expected 1 or more, got 0"),
        (["--pipeline", "none", "--widths", "8", "9"], "--widths"),
        (["--pipeline", "none", "--fold", "O"], "groups of at least two symbols"),
        (["--pipeline", "none", "--data", "missing.csv"], "missing.csv"),
        (["--pipeline", "none", "--reader", "missing.onnx"], "missing.onnx"),
    ],
)
def test_what_cannot_be_used_is_said(
    flags: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert measure_sr.main([*flags, "--no-paddle", "--out", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
