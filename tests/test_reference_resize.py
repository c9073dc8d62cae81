"""The resize oracle against cases worked out by hand and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reference import resize as oracle


def test_doubling_two_pixels_bilinear() -> None:
    # Output centres at 0.25, 0.75, 1.25, 1.75; pixel centres at 0.5 and 1.5; outside there is nothing.
    gray = np.array([[0, 100]], np.uint8)
    assert oracle.resize(gray, 1, 4, "bilinear")[0] == pytest.approx([0, 25, 75, 100])


def test_halving_four_pixels_bilinear_is_a_tent_of_two_pixels() -> None:
    # Centre 1, stretch 2: distances 0.25, 0.25, 0.75 (and 1.25) give 3/4, 3/4, 1/4, that is 3/7, 3/7, 1/7.
    gray = np.array([[0, 70, 140, 210]], np.uint8)
    assert oracle.resize(gray, 1, 2, "bilinear")[0] == pytest.approx(
        [(3 * 70 + 140) / 7, (70 + 3 * 140 + 3 * 210) / 7]
    )


def test_bicubic_between_two_pixels() -> None:
    # Half way: -1/16, 9/16, 9/16, -1/16.
    assert [oracle.bicubic(x) for x in (-1.5, -0.5, 0.5, 1.5)] == [-0.0625, 0.5625, 0.5625, -0.0625]
    gray = np.array([[16, 32, 64, 160]], np.uint8)
    middle = oracle.weights(3, 4, 7, "bicubic")  # 7 outputs: the fourth has its centre at 2, half way
    assert np.dot(middle, gray[0]) == pytest.approx(43)


def test_bicubic_at_the_edge_scales_what_is_left() -> None:
    # Centre 0.25 of 2 pixels: distances 0.25 and 1.25.
    near, far = 1.5 / 64 - 2.5 / 16 + 1, -0.5 * 1.25**3 + 2.5 * 1.25**2 - 5 + 2
    assert oracle.weights(0, 2, 4, "bicubic") == pytest.approx([near / (near + far), far / (near + far)])


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_same_size_is_the_same_picture(kernel: str) -> None:
    gray = np.arange(15, dtype=np.uint8).reshape(3, 5)
    assert (oracle.resize(gray, 3, 5, kernel) == gray).all()


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize(
    ("shape", "out"),
    [((7, 9), (16, 31)), ((40, 50), (9, 16)), ((40, 5), (9, 16)), ((5, 40), (9, 16)), ((1, 1), (3, 4)),
     ((1, 9), (4, 4)), ((9, 1), (4, 4)), ((16, 33), (16, 32)), ((3, 200), (4, 7))],
)  # fmt: skip
def test_equals_torch(kernel: str, shape: tuple[int, int], out: tuple[int, int]) -> None:
    gray = np.random.default_rng(3).integers(0, 256, shape, dtype=np.uint8)
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(gray).double()[None, None], out, mode=kernel, antialias=True, align_corners=False
    )[0, 0].numpy()
    np.testing.assert_allclose(oracle.resize(gray, *out, kernel), expected, atol=1e-9)


def test_gray_weights_the_channels() -> None:
    crop = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255], [10, 20, 30]]], np.uint8)
    # 0.114, 0.587 and 0.299 of 255; then 0.114 * 10 + 0.587 * 20 + 0.299 * 30 = 21.85.
    assert oracle.to_gray(crop, "bgr")[0].tolist() == [29, 150, 76, 255, 22]
    assert oracle.to_gray(crop[..., ::-1], "rgb")[0].tolist() == [29, 150, 76, 255, 22]


def test_content_box() -> None:
    assert oracle.content_box(20, 40, 32, 128) == (0, 32, 32, 64)
    assert oracle.content_box(10, 80, 32, 128) == (8, 0, 16, 128)
    assert oracle.content_box(1, 1000, 32, 128) == (15, 0, 1, 128)
    assert oracle.content_box(3, 8, 5, 8) == (1, 0, 3, 8)


def test_summary_of_one_bright_pixel() -> None:
    gray = np.full((5, 5), 1, np.uint8)
    gray[2, 2] = 255
    summary = oracle.summarize(gray)
    # Nine inner pixels: 4 * 254 once, -254 four times, 0 four times; mean 0.
    assert summary.sharpness == pytest.approx((16 + 4) * 254**2 / 9)
    assert summary.contrast == pytest.approx(254 * (24 / 625) ** 0.5)
    assert summary.clipped == pytest.approx(1 / 25)


def test_signature_is_row_by_row() -> None:
    gray = np.repeat(np.repeat(np.arange(64, dtype=np.uint8).reshape(4, 16), 2, axis=0), 3, axis=1)
    assert oracle.summarize(gray).signature == list(range(64))
