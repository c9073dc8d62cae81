"""Structural similarity (Wang et al., 2004) of images in 0-1."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from training.sr.losses.terms import mean_inside

WINDOW = 5
C1, C2 = 0.01**2, 0.03**2


def ssim(a: Tensor, b: Tensor, sizes: Tensor) -> Tensor:
    """Mean SSIM of ``[N, C, h, w]`` over windows of 5 x 5 of equal weights that lie inside the upper left
    ``sizes[n]`` (height, width) pixels, a scalar."""

    def mean(x: Tensor) -> Tensor:
        return functional.avg_pool2d(x, WINDOW, 1)

    mean_a, mean_b = mean(a), mean(b)
    variance_a, variance_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    covariance = mean(a * b) - mean_a * mean_b
    above = (2 * mean_a * mean_b + C1) * (2 * covariance + C2)
    values = above / ((mean_a**2 + mean_b**2 + C1) * (variance_a + variance_b + C2))
    return mean_inside(values, sizes - (WINDOW - 1))
