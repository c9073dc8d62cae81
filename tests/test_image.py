"""prepare and summarize: every layout and instruction set, against the oracle and against cases by hand."""

from __future__ import annotations

import inspect
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from image_layouts import DEFAULTS, prepared, summarized
from reference import resize as oracle

from lprfast import _core
from lprfast.model import ModelContract
from lprfast.prepare import prepare

# Gray levels between prepare and float64: about twice the worst that was measured (docs/numerics.md).
TOLERANCE = 0.07


def random_crop(seed: int, *shape: int) -> npt.NDArray[np.uint8]:
    """Half the seeds give only black and white: the hardest case for the fixed-point steps."""
    crop = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return np.where(crop > 127, 255, 0).astype(np.uint8) if seed % 2 else crop


def assert_as_oracle(crop: npt.NDArray[np.uint8], tolerance: float = TOLERANCE, **options: Any) -> None:
    spec = {**DEFAULTS, "mean": 0.0, "scale": 1.0, **options}
    np.testing.assert_allclose(prepared(crop, **spec), oracle.prepare(crop, **spec), rtol=0, atol=tolerance)


SHAPES = [
    (1, 1), (1, 9), (9, 1), (2, 2), (3, 5), (12, 40), (17, 31), (20, 63), (31, 127), (32, 128), (33, 129),
    (40, 150), (67, 200), (64, 256), (70, 33), (8, 420), (9, 600), (150, 20),
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_gray_as_oracle(shape: tuple[int, int], kernel: str) -> None:
    for seed in (0, 1):
        assert_as_oracle(random_crop(seed, *shape), kernel=kernel)


@pytest.mark.parametrize("color", ["bgr", "rgb"])
@pytest.mark.parametrize("shape", [(1, 1, 3), (7, 10, 3), (11, 43, 3), (24, 90, 4), (40, 150, 3)])
def test_color_as_oracle(shape: tuple[int, ...], color: str) -> None:
    assert_as_oracle(random_crop(2, *shape), color=color)


@pytest.mark.parametrize(
    "shape", [(1, 1), (2, 300), (300, 2), (20, 60), (10, 80), (33, 128), (32, 129), (50, 50)]
)
@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_letterbox_as_oracle(shape: tuple[int, int], kernel: str) -> None:
    assert_as_oracle(random_crop(4, *shape), fit="letterbox", kernel=kernel)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (5, 15), (8, 16), (13, 17), (48, 33), (64, 100)])
def test_other_output_sizes_as_oracle(size: tuple[int, int]) -> None:
    for shape in [(9, 21), (30, 95)]:
        assert_as_oracle(random_crop(5, *shape), tolerance=0.2, height=size[0], width=size[1])


@pytest.mark.parametrize("shape", [(3, 10_000), (10_000, 3)])
@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_ten_thousand_pixels(shape: tuple[int, int], kernel: str) -> None:
    # Hundreds of taps of 16 bits: the stated bound for this ratio is wider.
    assert_as_oracle(random_crop(6, *shape), tolerance=0.2, kernel=kernel)


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_a_constant_picture_stays_constant(kernel: str, fit: str) -> None:
    for level in (0, 1, 127, 200, 255):
        for shape in [(1, 1), (3, 12), (40, 160), (5, 2000)]:
            result = prepared(np.full(shape, level, np.uint8), kernel=kernel, fit=fit)
            top, left, height, width = 0, 0, 32, 128
            if fit == "letterbox":
                top, left, height, width = oracle.content_box(*shape, 32, 128)
            expected = np.zeros((32, 128), np.float32)
            expected[top : top + height, left : left + width] = (level - 127.5) / 64
            assert (result == expected).all()


def test_same_size_is_the_same_picture() -> None:
    crop = random_crop(0, 32, 128)
    assert (prepared(crop) == (crop - np.float32(127.5)) / 64).all()


def test_doubling_by_hand() -> None:
    crop = np.array([[0, 100], [200, 40]], np.uint8)
    levels = prepared(crop, height=4, width=4, kernel="bilinear", mean=0, scale=1)
    across = np.array([[0, 25, 75, 100], [200, 160, 80, 40]])
    by_hand = np.array(
        [across[0], (3 * across[0] + across[1]) / 4, (across[0] + 3 * across[1]) / 4, across[1]]
    )
    np.testing.assert_allclose(levels, by_hand, atol=0.005)


def test_overshoot_is_clipped() -> None:
    crop = np.repeat(np.array([[0] * 4 + [255] * 4], np.uint8), 4, axis=0)
    levels = prepared(crop, height=4, width=31, mean=0, scale=1)
    assert levels.min() == 0
    assert levels.max() == 255


def test_shrinking_is_antialiased() -> None:
    # Stripes one pixel wide, 8 to an output: a plain resize would pick black or white.
    crop = np.tile(np.array([0, 255], np.uint8), (64, 512))
    for kernel in ("bilinear", "bicubic"):
        levels = prepared(crop, kernel=kernel, mean=0, scale=1)
        assert np.abs(levels[:, 2:-2] - 127.5).max() < 1


def test_mean_and_scale() -> None:
    crop = random_crop(0, 32, 128)
    assert (prepared(crop, mean=0, scale=1) == crop).all()
    np.testing.assert_allclose(prepared(crop, mean=100, scale=-0.5), (100.0 - crop) / 2, rtol=1e-6)


def test_letterbox_pads_with_zero() -> None:
    result = prepared(np.full((20, 40), 255, np.uint8), fit="letterbox", mean=10, scale=1)
    assert (result[:, 32:96] == 245).all()
    assert (result[:, :32] == 0).all()
    assert (result[:, 96:] == 0).all()


def test_a_batch_is_its_crops() -> None:
    crops = [random_crop(seed, 10 + seed, 40 + 11 * seed) for seed in range(20)]
    batch = prepare(crops)
    assert batch.shape == (20, 1, 32, 128)
    for crop, row in zip(crops, batch, strict=True):
        assert (prepare([crop])[0] == row).all()
    assert (prepare(np.stack([crops[0]] * 3)) == batch[0]).all()
    assert prepare([]).shape == (0, 1, 32, 128)


def test_defaults_are_the_contracts() -> None:
    defaults = {name: value.default for name, value in inspect.signature(prepare).parameters.items()}
    contract = ModelContract(name="defaults", charset=("A",))
    assert defaults["height"] == contract.input_height
    assert defaults["width"] == contract.input_width
    assert defaults["fit"] == contract.resize_fit
    assert defaults["kernel"] == contract.resize_kernel
    assert (defaults["mean"], defaults["scale"]) == (contract.mean, contract.scale)


def test_sizes_share_cache_slots_without_mixing() -> None:
    # Widths that differ by 256 share a slot, and so do kernels and output sizes.
    crops = [random_crop(0, 30, width) for width in (60, 316, 60, 572)]
    for kernel in ("bilinear", "bicubic"):
        for width in (128, 96):
            together = prepare(crops, kernel=kernel, width=width)
            for crop, row in zip(crops, together, strict=True):
                np.testing.assert_allclose(
                    row[0] * 64 + 127.5,
                    np.clip(oracle.resize(crop, 32, width, kernel), 0, 255),
                    atol=TOLERANCE,
                )


def test_threads_agree() -> None:
    crops = [random_crop(0, 8 + i % 40, 40 + 3 * i) for i in range(60)]
    expected = prepare(crops)
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: prepare(crops), range(16)):
            assert (result == expected).all()


@pytest.mark.parametrize("shape", [(32, 128), (4, 16), (3, 5), (1, 1), (2, 40), (33, 100), (40, 17)])
def test_summary_as_oracle(shape: tuple[int, int]) -> None:
    for seed in (0, 1):
        crop = random_crop(seed, *shape)
        expected = oracle.summarize(crop)  # same size in and out: the resized crop is the crop
        sharpness, contrast, clipped, signature = summarized(crop, height=shape[0], width=shape[1])
        assert sharpness == pytest.approx(expected.sharpness, rel=1e-6)
        assert contrast == pytest.approx(expected.contrast, rel=1e-6)
        assert clipped == pytest.approx(expected.clipped, rel=1e-6)
        assert list(signature) == expected.signature


@pytest.mark.parametrize("shape", [(300, 40), (1100, 64), (40, 1500), (5, 4096)])
def test_summary_of_large_outputs(shape: tuple[int, int]) -> None:
    crop = random_crop(1, *shape)
    expected = oracle.summarize(crop)
    for isa in _core.available_isas():
        result = _core.summarize(crop, *shape, "stretch", "bicubic", "bgr", isa)
        assert result[:3] == pytest.approx(
            (expected.sharpness, expected.contrast, expected.clipped), rel=1e-6
        )
        assert list(result[3]) == expected.signature


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_summary_measures_the_resized_crop_without_padding(fit: str) -> None:
    crop = random_crop(3, 50, 90)
    box = (0, 0, 32, 128) if fit == "stretch" else oracle.content_box(50, 90, 32, 128)
    levels = oracle.resize(crop, box[2], box[3], "bilinear")
    expected = oracle.summarize(np.floor(np.clip(levels, 0, 255) + 0.5).astype(np.uint8))
    sharpness, contrast, clipped, signature = summarized(crop, fit=fit, kernel="bilinear")
    # The rounding of single pixels may differ: one part in a thousand.
    assert sharpness == pytest.approx(expected.sharpness, rel=1e-3)
    assert contrast == pytest.approx(expected.contrast, rel=1e-3)
    assert clipped == pytest.approx(expected.clipped, abs=2e-3)
    assert np.abs(np.array(list(signature)) - expected.signature).max() <= 1


def test_summary_of_a_constant_picture() -> None:
    for level, clipped in ((0, 1.0), (93, 0.0), (255, 1.0)):
        expected = (0.0, 0.0, clipped, bytes([level] * 64))
        assert summarized(np.full((20, 70), level, np.uint8)) == expected


def test_blur_lowers_sharpness() -> None:
    crop = random_crop(1, 32, 128)
    blurred = prepare([crop], height=8, width=32, mean=0, scale=1)[0, 0].astype(np.uint8)
    assert summarized(blurred)[0] < summarized(crop)[0] / 10


GOOD = np.zeros((4, 4), np.uint8)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "NoneType"),
        ("crop.png", "str"),
        ([[1, 2]], "list"),
        (np.zeros((4, 4), np.float32), "float32 array of shape"),
        (np.zeros((4, 4), bool), "bool array of shape"),
        (np.zeros(4, np.uint8), "uint8 array of shape"),
        (np.zeros((4, 4, 2), np.uint8), "uint8 array of shape"),
        (np.zeros((1, 4, 4, 3), np.uint8), "uint8 array of shape"),
        (np.zeros((0, 4), np.uint8), "empty"),
        (np.zeros((4, 0, 3), np.uint8), "empty"),
        (np.broadcast_to(np.uint8(0), (4, 1 << 40)), "16384 pixels a side.*width 1099511627776"),
    ],
)
def test_a_wrong_crop_is_named(bad: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"crops\[2\]: .*{message}"):
        prepare([GOOD, GOOD, bad, GOOD])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"height": 0}, "height: expected 1 to 4096 pixels, got 0"),
        ({"width": 4097}, "width: expected 1 to 4096 pixels, got 4097"),
        ({"fit": "crop"}, "fit: expected 'stretch' or 'letterbox', got 'crop'"),
        ({"kernel": "lanczos"}, "kernel: expected 'bilinear' or 'bicubic', got 'lanczos'"),
        ({"color": "gray"}, "color: expected 'bgr' or 'rgb', got 'gray'"),
        ({"scale": 0.0}, "scale: expected a number that is not 0"),
        ({"scale": float("nan")}, "scale: .* got nan"),
        ({"scale": 1e9}, "scale: .* at most a million"),
        ({"mean": float("inf")}, "mean: .* got inf"),
        ({"isa": "sse9"}, "isa: expected one of auto, scalar.* got 'sse9'"),
    ],
)
def test_wrong_arguments_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prepare([GOOD], **options)


@pytest.mark.parametrize("shape", [(30, 100), (30, 100, 3), (30, 100, 4), (1, 2, 3, 4, 5)])
def test_one_crop_instead_of_many_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="put a single crop into a list"):
        prepare(np.zeros(shape, np.uint8))
