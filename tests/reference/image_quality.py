"""Slow SSIM, written window by window from the definition."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def ssim(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    """Of two gray pictures, 0-255: a Gaussian window of 11 x 11, sigma 1.5, wherever it lies inside."""
    weights = {
        (y, x): math.exp(-(y * y + x * x) / (2 * 1.5 * 1.5)) for y in range(-5, 6) for x in range(-5, 6)
    }
    total = sum(weights.values())
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    height, width = first.shape
    values = []
    for top in range(5, height - 5):
        for left in range(5, width - 5):
            pairs = [
                (weight / total, float(first[top + y, left + x]), float(second[top + y, left + x]))
                for (y, x), weight in weights.items()
            ]
            mean_a = math.fsum(w * a for w, a, _ in pairs)
            mean_b = math.fsum(w * b for w, _, b in pairs)
            var_a = math.fsum(w * (a - mean_a) ** 2 for w, a, _ in pairs)
            var_b = math.fsum(w * (b - mean_b) ** 2 for w, _, b in pairs)
            covariance = math.fsum(w * (a - mean_a) * (b - mean_b) for w, a, b in pairs)
            values.append(
                (2 * mean_a * mean_b + c1)
                * (2 * covariance + c2)
                / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
            )
    return math.fsum(values) / len(values)
