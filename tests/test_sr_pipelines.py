"""Bicubic enlarging against a slow version written from the kernel's definition."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from lprfast.evaluation.sr_pipelines import open_pipeline


def cubic(x: float) -> float:
    """Keys' kernel with a = -0.5."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0.0


def enlarged_rows(rows: np.ndarray, scale: int) -> np.ndarray:
    """[N, W] to [N, W * scale]: pixel centres, weights beyond the edges dropped and the rest brought to 1,
    rounded to 0-255."""
    width = rows.shape[1]
    columns = []
    for target in range(width * scale):
        centre = (target + 0.5) / scale
        weights = [cubic(source + 0.5 - centre) for source in range(width)]
        total = math.fsum(weights)
        values = [math.fsum(w * int(v) for w, v in zip(weights, row, strict=True)) / total for row in rows]
        columns.append([min(255, max(0, math.floor(value + 0.5))) for value in values])
    return np.array(columns, np.uint8).T


def enlarged(gray: np.ndarray, scale: int) -> np.ndarray:
    """[H, W] to [H * scale, W * scale]: along the rows, then along the columns."""
    return enlarged_rows(enlarged_rows(gray, scale).T, scale).T


def bicubic(crop: np.ndarray, scale: int) -> np.ndarray:
    pipeline = open_pipeline(f"bicubic{scale}")
    assert pipeline.enlarge is not None
    (answer,) = pipeline.enlarge([crop])
    assert answer.image is not None
    return answer.image


def test_the_kernel_by_hand() -> None:
    assert [cubic(x) for x in (0, 0.5, 1, 1.5, 2, -0.5, 3)] == [1, 0.5625, 0, -0.0625, 0, 0.5625, 0]


@pytest.mark.parametrize("enlarge", [bicubic, enlarged])
def test_two_pixels_by_hand(enlarge: Callable[[np.ndarray, int], np.ndarray]) -> None:
    """Weights of the near and the far pixel: cubic(0.25), cubic(1.25) = 0.8672, -0.0703 at the edge and
    cubic(0.25), cubic(0.75) = 0.8672, 0.2266 next to it; brought to 1, the far one has -0.0882 and 0.2071."""
    crop = np.array([[100, 200]], np.uint8)
    np.testing.assert_array_equal(enlarge(crop, 2), [[91, 121, 179, 209]] * 2)


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_bicubic_is_what_the_kernel_says(scale: int) -> None:
    crop = np.random.default_rng(0).choice([5, 90, 160, 250], (5, 7)).astype(np.uint8)
    expected = enlarged(crop, scale)
    assert {0, 255} < set(expected.ravel().tolist())  # some of it overshoots and is cut off
    found = bicubic(crop, scale)
    assert found.shape == (5 * scale, 7 * scale)
    # Pillow's weights are fixed point numbers: a value at a half may be rounded the other way.
    np.testing.assert_allclose(found.astype(int), expected.astype(int), atol=1)


def test_colours_are_enlarged_each_by_itself() -> None:
    crop = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    found = bicubic(crop, 2)
    assert found.shape == (8, 12, 3)
    for channel in range(3):
        np.testing.assert_array_equal(found[..., channel], bicubic(crop[..., channel], 2))
