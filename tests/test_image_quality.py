"""PSNR, SSIM and contrast: by hand, and against a slow oracle."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reference import image_quality as reference

from lprfast.evaluation.image_quality import contrast, luma, psnr, ssim


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def test_psnr_by_hand() -> None:
    first = np.zeros((2, 2), np.uint8)
    second = np.array([[0, 0], [0, 10]], np.uint8)
    assert psnr(first, second) == pytest.approx(10 * math.log10(255**2 / 25))
    assert psnr(first, first) == math.inf
    assert psnr(first, np.full((2, 2), 255, np.uint8)) == pytest.approx(0)


def test_psnr_of_colours_and_of_their_luma() -> None:
    first = np.zeros((4, 4, 3), np.uint8)
    second = first.copy()
    second[..., 0] = 100  # blue
    assert psnr(first, second) == pytest.approx(10 * math.log10(255**2 / (100**2 / 3)))
    assert psnr(first, second, luma_only=True) == pytest.approx(
        20 * math.log10(255 / (100 * 0.114)), abs=0.01
    )
    gray = noise(4, 4)
    assert psnr(gray, noise(4, 4, seed=1)) == psnr(gray, noise(4, 4, seed=1), luma_only=True)


def test_luma_of_white_red_and_gray() -> None:
    assert luma(np.full((1, 1, 3), 255, np.uint8))[0, 0] == pytest.approx(255)
    assert luma(np.array([[[0, 0, 255]]], np.uint8))[0, 0] == pytest.approx(0.299 * 255, abs=0.01)
    assert luma(np.array([[7]], np.uint8)).tolist() == [[7.0]]


def test_the_oracle_by_hand() -> None:
    black, white = np.zeros((11, 11)), np.full((11, 11), 255.0)
    # No variance: only the means speak, C1 / (255^2 + C1).
    assert reference.ssim(black, white) == pytest.approx(0.01**2 / (1 + 0.01**2))
    assert reference.ssim(white, white) == pytest.approx(1)


@pytest.mark.parametrize("size", [(11, 11), (12, 30), (24, 17)])
def test_ssim_against_the_oracle(size: tuple[int, int]) -> None:
    first = noise(*size)
    smooth = (first // 2 + noise(*size, seed=5) // 4).astype(np.uint8)
    found = ssim(first, smooth)
    assert found == pytest.approx(reference.ssim(luma(first), luma(smooth)), abs=1e-9)
    assert 0.1 < found < 0.95
    assert ssim(smooth, first) == pytest.approx(found)


def test_ssim_of_equals_and_opposites() -> None:
    image = noise(20, 20, 3)
    assert ssim(image, image) == pytest.approx(1)
    assert ssim(noise(20, 20), 255 - noise(20, 20)) < -0.8


def test_contrast_by_hand() -> None:
    np.testing.assert_allclose(contrast([22, 18], [20, 20]), [0.1, -0.1])
    with pytest.raises(ValueError, match="one length"):
        contrast([1, 2], [1])
    with pytest.raises(ValueError, match="baseline"):
        contrast([1], [0])


@pytest.mark.parametrize(
    "pair",
    [
        (noise(4, 4), noise(4, 5)),
        (noise(4, 4), noise(4, 4).astype(np.float32)),
        (noise(4, 4, 4), noise(4, 4, 4)),
        (noise(0, 4), noise(0, 4)),
    ],
)
def test_pictures_that_cannot_be_compared(pair: tuple[np.ndarray, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="expected two uint8 pictures of one shape"):
        psnr(*pair)
    with pytest.raises(ValueError, match="expected two uint8 pictures of one shape"):
        ssim(*pair)


def test_ssim_needs_its_window() -> None:
    with pytest.raises(ValueError, match="at least 11 pixels a side"):
        ssim(noise(10, 40), noise(10, 40))
