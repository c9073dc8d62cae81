"""SuperResolver, and PlateReader with a super-resolution model, on models that can be worked out by hand."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sr_models import nearest, sr_contract, sr_model
from test_two_line import model_bytes as two_line_model
from test_two_line import two_lines
from toy_model import crop_of_text, model_bytes

import lprfast
from lprfast import PlateReader, SuperResolver

TEXTS = ["AB12", "ZZ99", "0O0O", "A", "11111", "7XK42QM"]


def noise(height: int, width: int, *channels: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, *channels), np.uint8)


def luma(bgr: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    return (bgr.astype(np.int64) @ [1868, 9617, 4899] + 8192) >> 14


@pytest.mark.parametrize("scale", [2, 4, 8])
@pytest.mark.parametrize("size", [(21, 73), (24, 80), (1, 1), (5, 200), (9, 16)])
def test_a_gray_model_on_gray_crops(scale: int, size: tuple[int, int]) -> None:
    crop = noise(*size)
    answer = SuperResolver(sr_model(scale)).upscale(crop)
    assert answer.dtype == np.uint8
    np.testing.assert_array_equal(answer, nearest(crop, scale))


def test_colours_and_layouts() -> None:
    bgr = noise(20, 50, 3)
    gray = SuperResolver(sr_model())
    colour = SuperResolver(sr_model(channels=3))
    np.testing.assert_array_equal(gray.upscale(bgr), nearest(luma(bgr).astype(np.uint8), 4))
    np.testing.assert_array_equal(colour.upscale(bgr), nearest(bgr, 4))
    np.testing.assert_array_equal(colour.upscale(np.dstack([bgr, bgr[..., 0]])), nearest(bgr, 4))
    np.testing.assert_array_equal(colour.upscale(bgr[::-1, ::2]), nearest(bgr[::-1, ::2], 4))
    one = noise(20, 50)
    np.testing.assert_array_equal(colour.upscale(one), nearest(np.dstack([one] * 3), 4))
    np.testing.assert_array_equal(colour.upscale(one[..., None]), nearest(np.dstack([one] * 3), 4))


@pytest.mark.parametrize("color", ["bgr", "rgb"])
def test_a_colour_model_sees_red_first(color: Any) -> None:
    # Channel k of the answer is red, whatever k: the answer shows which channel of the crop the model took.
    weights = np.zeros((12, 3, 1, 1), np.float32)
    weights[:, 0] = 1
    crop = noise(8, 16, 3)
    answer = SuperResolver(sr_model(2, 3, weights=weights), color=color).upscale(crop)
    red = crop[..., 0 if color == "rgb" else 2]
    np.testing.assert_array_equal(answer, nearest(np.dstack([red] * 3), 2))


def test_values_are_clamped_and_rounded() -> None:
    crop = np.array([[0, 100, 101, 255]], np.uint8)
    answer = SuperResolver(sr_model(2, gain=1.5)).upscale(crop)
    assert answer[0].tolist() == [0, 0, 150, 150, 152, 152, 255, 255]
    assert SuperResolver(sr_model(2, gain=-1)).upscale(crop).max() == 0


def test_crops_are_padded_by_their_edge() -> None:
    # Mean of 3 x 3: at the right border of a crop that is padded the last column stands for its neighbour; a
    # crop of a whole number of steps sees the convolution's own zeros there.
    weights = np.full((4, 1, 3, 3), 1 / 9, np.float32)
    resolver = SuperResolver(sr_model(2, weights=weights))
    assert resolver.upscale(np.full((24, 50), 90, np.uint8))[20, -1] == 90
    assert resolver.upscale(np.full((24, 64), 90, np.uint8))[20, -1] == 60


@pytest.mark.parametrize("size", [(176, 400), (175, 397), (45, 1001), (1003, 33)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_crop_in_patches_equals_the_whole(channels: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    weights = (rng.random((4 * channels, channels, 3, 3)) / (9 * channels)).astype(np.float32)
    model = sr_model(2, channels, weights=weights)
    crop = noise(*size, 3)
    whole = SuperResolver(model, patch=1024).upscale(crop)
    in_patches = SuperResolver(model, patch=64, threads=2).upscale(crop)
    assert np.ptp(whole) > 50
    assert np.abs(whole.astype(int) - in_patches).max() <= 1  # a half may round to either side
    assert (whole != in_patches).mean() < 1e-3
    tall = noise(1000, 40)
    np.testing.assert_array_equal(SuperResolver(sr_model(), patch=64).upscale(tall), nearest(tall, 4))


def test_many_crops_in_order_each_costs_only_itself() -> None:
    resolver = SuperResolver(sr_model(), threads=3, batch=4)
    crops: list[Any] = [noise(16 + i % 9, 30 + 3 * (i % 13), seed=i) for i in range(60)]
    crops[7] = None
    crops[20] = np.zeros((0, 5), np.uint8)
    crops[41] = np.zeros((8, 5000), np.uint8)
    answers = resolver.upscale_many(crops)
    errors = {index: answer.error for index, answer in enumerate(answers) if answer.error}
    assert sorted(errors) == [7, 20, 41]
    assert "NoneType" in str(errors[7])
    assert "5000 x 8 pixels are more than 16384 a side" in str(errors[41])
    for index, crop in enumerate(crops):
        if index not in errors:
            image = answers[index].image
            assert image is not None
            np.testing.assert_array_equal(image, nearest(crop, 4))
    assert resolver.upscale_many([]) == []
    with pytest.raises(TypeError, match=r"one array of shape \(8, 16\); for a single crop use upscale\(\)"):
        resolver.upscale_many(noise(8, 16))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="crop: expected a uint8 array"):
        resolver.upscale(np.zeros((4, 4), np.float32))  # type: ignore[arg-type]


def test_what_is_not_finite_costs_only_its_crop() -> None:
    # 0 times infinity is NaN, and any gray but black gives infinity.
    weights = np.full((4, 1, 1, 1), np.inf, np.float32)
    answer = SuperResolver(sr_model(2, weights=weights)).upscale_many([noise(8, 16), noise(8, 5)])
    assert [one.error for one in answer] == [
        "the super-resolution model answered NaN or infinity for this crop"
    ] * 2
    reads = PlateReader(model_bytes(), sr=sr_model(2, weights=weights)).read_many(
        [noise(8, 16), crop_of_text("AB12")]
    )
    assert [read.status for read in reads] == ["error", "ok"]
    assert "NaN or infinity" in str(reads[0].error)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patch": 40}, "patch: expected a multiple of 16 from 48 to 1024, got 40"),
        ({"patch": 100}, "patch: expected a multiple of 16"),
        ({"threads": 0}, "threads: expected 1 to 1024"),
        ({"batch": 0}, "batch: expected 1 to 1024"),
        ({"color": "hsv"}, "color: expected 'bgr' or 'rgb'"),
        ({"color": None}, "color: expected 'bgr' or 'rgb', got None"),
        ({"batch": True}, "batch: expected a whole number, got True"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        SuperResolver(sr_model(), **arguments)


def test_wrong_arguments_of_a_reader_are_named() -> None:
    with pytest.raises(TypeError, match="color: expected 'bgr' or 'rgb', got None"):
        PlateReader(model_bytes(), color=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="color: expected 'bgr' or 'rgb', got None"):
        lprfast.prepare([noise(8, 16)], color=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="sr_below: expected a whole number, got True"):
        PlateReader(model_bytes(), sr=sr_model(), sr_below=True)


# Reading


def small(text: str) -> npt.NDArray[np.uint8]:
    """The toy crop shrunk twice; nearest upsampling gives it back as it was."""
    return np.ascontiguousarray(crop_of_text(text)[::2, ::2])


def test_narrow_crops_go_through_the_model_and_wide_ones_do_not() -> None:
    reader = PlateReader(model_bytes(), threads=2, sr=sr_model(2), sr_below=100)
    crops = [crop for text in TEXTS for crop in (small(text), crop_of_text(text))]
    reads = reader.read_many(crops)
    assert [read.text for read in reads] == [text for text in TEXTS for _ in range(2)]
    assert [read.upscaled for read in reads] == [2, 0] * len(TEXTS)
    assert [(read.width, read.height) for read in reads] == [(64, 16), (128, 32)] * len(TEXTS)
    assert reader.sr_contract == sr_contract(scale=2)
    assert reads[0].to_dict()["upscaled"] == 2


def test_quality_is_that_of_the_crop_as_given() -> None:
    crop = small("7XK42QM")
    plain = PlateReader(model_bytes()).read(crop)
    read = PlateReader(model_bytes(), sr=sr_model(2, gain=0.5)).read(crop)
    assert (read.upscaled, plain.upscaled) == (2, 0)
    assert read.text != plain.text  # half as bright: other classes
    assert read.quality == plain.quality
    assert read.signature is not None
    np.testing.assert_array_equal(read.signature, plain.signature)


def test_the_bound_is_exclusive_and_checked() -> None:
    crop = small("A")
    assert PlateReader(model_bytes(), sr=sr_model(2), sr_below=64).read(crop).upscaled == 0
    assert PlateReader(model_bytes(), sr=sr_model(2), sr_below=65).read(crop).upscaled == 2
    for wrong in (0, -1, 1025):
        with pytest.raises(ValueError, match=f"sr_below: expected 1 to 1024 pixels, got {wrong}"):
            PlateReader(model_bytes(), sr=sr_model(2), sr_below=wrong)
    with pytest.raises(ValueError, match="sr_below: says which crops sr enlarges, and there is no sr"):
        PlateReader(model_bytes(), sr_below=64)
    assert PlateReader(model_bytes(), sr=sr_model(2)).sr_below == 100
    with pytest.raises(TypeError, match=r"^sr: expected a bundled model's name, a path or bytes, got int"):
        PlateReader(model_bytes(), sr=5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="sr_below: expected a whole number"):
        PlateReader(model_bytes(), sr=sr_model(2), sr_below="wide")  # type: ignore[arg-type]


def test_a_bad_crop_and_a_tiny_one_cost_only_themselves() -> None:
    reader = PlateReader(model_bytes(), sr=sr_model(2))
    reads = reader.read_many([small("AB12"), None, np.zeros((3, 7), np.uint8), small("ZZ99")])  # type: ignore[list-item]
    assert [read.status for read in reads] == ["ok", "error", "unreadable", "ok"]
    assert [read.upscaled for read in reads] == [2, 0, 0, 2]


def test_two_lines_are_read_from_the_enlarged_crop() -> None:
    crop = two_lines("AB12", "XY9")
    plain = PlateReader(two_line_model()).read(crop)
    read = PlateReader(two_line_model(), sr=sr_model(2)).read(crop[::2, ::2])
    assert (read.text, read.lines, read.upscaled) == ("AB12XY9", 2, 2)
    assert read.confidence == pytest.approx(plain.confidence, abs=1e-3)
    assert read.log_posteriors is not None
    assert read.log_posteriors.shape == (65, 37)


def test_threads_and_batches_change_nothing() -> None:
    crops = [small(TEXTS[i % len(TEXTS)])[:, : 40 + i % 23] for i in range(50)]
    one = PlateReader(model_bytes(), threads=1, batch=1, sr=sr_model(2))
    expected = [one.read(crop).text for crop in crops]
    many = PlateReader(model_bytes(), threads=4, sr=sr_model(2))
    found: list[list[str]] = []

    def work() -> None:
        found.append([read.text for read in many.read_many(crops)])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 3


def test_long_lists_are_enlarged_in_parts() -> None:
    # 8 times a side: 64 bytes a pixel, so 1000 crops are over the 64 MB that are held at a time.
    crops = [noise(32, 60, seed=i % 7) for i in range(1000)]
    reader = PlateReader(model_bytes(), sr=sr_model(8))
    by_hand = [reader.read(crop).text for crop in crops[:7]]
    assert [read.text for read in reader.read_many(crops)] == [by_hand[i % 7] for i in range(1000)]


def test_crops_that_others_enlarged() -> None:
    reader = PlateReader(model_bytes())
    crops = [small("AB12"), small("ZZ99"), small("AB12")]
    enlarged = [nearest(crop, 4) for crop in crops]
    with_sr = PlateReader(model_bytes(), sr=sr_model(4)).read_many(crops)
    reads = reader.read_many(crops, enlarged=[enlarged[0], None, np.zeros((0, 3), np.uint8)])
    assert [read.status for read in reads] == ["ok", "ok", "error"]
    assert str(reads[2].error).startswith("enlarged: the crop is empty")
    assert reads[0].upscaled == 4
    assert reads[1].upscaled == 0
    assert (reads[0].text, reads[0].confidence) == (with_sr[0].text, with_sr[0].confidence)
    assert reads[0].quality == with_sr[0].quality
    with pytest.raises(ValueError, match="enlarged: expected one per crop, 3, got 1"):
        reader.read_many(crops, enlarged=enlarged[:1])


def test_names_are_public() -> None:
    assert {"SrContract", "SuperResolver", "UpscaledCrop"} <= set(lprfast.__all__)
