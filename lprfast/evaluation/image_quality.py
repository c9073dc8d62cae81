"""How near an enlarged picture is to the true one: PSNR, SSIM, and the contrast of two training curves.

None of them says whether a plate can be read; ``lprfast compare-sr`` does.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

SSIM_SIDE = 11
SSIM_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03
_PEAK = 255.0

# BT.601, full range, as the reader's gray (docs/numerics.md), here without rounding.
_RED, _GREEN, _BLUE = 4899 / 16384, 9617 / 16384, 1868 / 16384


def luma(image: Image) -> Floats:
    """BT.601 luma, 0-255, not rounded, of uint8 ``[H, W]`` (itself) or ``[H, W, 3]`` in the order BGR."""
    values = image.astype(np.float64)
    if values.ndim == 2:
        return values
    answer: Floats = values @ np.array([_BLUE, _GREEN, _RED])
    return answer


def psnr(first: Image, second: Image, *, luma_only: bool = False) -> float:
    """Peak signal-to-noise ratio in dB: ``10 log10(255^2 / MSE)``; infinite for equal pictures.

    Args:
        first, second: uint8 of one shape, ``[H, W]`` or ``[H, W, 3]`` (BGR).
        luma_only: the mean square error of the luma alone (Y-PSNR), else over all channels.

    Raises:
        ValueError: they cannot be compared.
    """
    _check(first, second)
    a, b = (luma(first), luma(second)) if luma_only else (first.astype(np.float64), second)
    error = float(np.mean((a - b) ** 2))
    return math.inf if error == 0 else 10 * math.log10(_PEAK**2 / error)


def ssim(first: Image, second: Image) -> float:
    """Structural similarity of the luma, -1 to 1 (Wang, Bovik, Sheikh and Simoncelli, 2004).

    ``(2 m_a m_b + C1)(2 s_ab + C2) / ((m_a^2 + m_b^2 + C1)(s_a^2 + s_b^2 + C2))``, its mean over every place
    where a Gaussian window of 11 x 11, sigma 1.5, lies inside; ``C1 = (0.01 * 255)^2``,
    ``C2 = (0.03 * 255)^2``.

    Args:
        first, second: as for :func:`psnr`, at least 11 pixels a side.

    Raises:
        ValueError: they cannot be compared, or are smaller than the window.
    """
    _check(first, second)
    if min(first.shape[:2]) < SSIM_SIDE:
        raise ValueError(f"expected at least {SSIM_SIDE} pixels a side, got shape {first.shape}")
    a, b = luma(first), luma(second)
    mean_a, mean_b = _blur(a), _blur(b)
    var_a = _blur(a * a) - mean_a**2
    var_b = _blur(b * b) - mean_b**2
    covariance = _blur(a * b) - mean_a * mean_b
    c1, c2 = (_K1 * _PEAK) ** 2, (_K2 * _PEAK) ** 2
    above = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    below = (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return float(np.mean(above / below))


def contrast(values: Any, baseline: Any) -> Floats:
    """``(values - baseline) / baseline``, place by place: eq. 20 of arXiv 2501.01483 for two curves of PSNR.

    A ratio, though the paper's figure is labelled dB: 0.1 means a PSNR 10 % higher.

    Raises:
        ValueError: the curves differ in length, or the baseline holds a 0.
    """
    a, b = np.asarray(values, np.float64), np.asarray(baseline, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"expected curves of one length, got shapes {a.shape} and {b.shape}")
    if (b == 0).any():
        raise ValueError("baseline: expected no value of 0")
    return (a - b) / b


def _check(first: Image, second: Image) -> None:
    usable = first.shape == second.shape and first.dtype == second.dtype == np.uint8 and first.size
    if not usable or not (first.ndim == 2 or (first.ndim == 3 and first.shape[2] == 3)):
        raise ValueError(
            "expected two uint8 pictures of one shape, [H, W] or [H, W, 3], got "
            f"{first.dtype} {first.shape} and {second.dtype} {second.shape}"
        )


def _blur(values: Floats) -> Floats:
    """The Gaussian window's mean at every place where it lies inside."""
    offsets = np.arange(SSIM_SIDE) - SSIM_SIDE // 2
    taps = np.exp(-(offsets**2) / (2 * SSIM_SIGMA**2))
    taps /= taps.sum()
    windows = np.lib.stride_tricks.sliding_window_view
    rows: Floats = windows(values, SSIM_SIDE, axis=0) @ taps
    answer: Floats = windows(rows, SSIM_SIDE, axis=1) @ taps
    return answer
