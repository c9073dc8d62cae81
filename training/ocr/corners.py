"""Where the text of a training crop is: through augmentation, and moved about for robustness."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float32]
UNKNOWN: Corners = np.full((4, 2), np.nan, np.float32)

# A reader that was only shown exact corners would be lost when the locator errs: shares of the line's sides,
# standard deviations of one corner alone and of all together.
_ALONE = (0.015, 0.06)
_TOGETHER = (0.02, 0.07)
HINT_SHARE = 0.5


def hint(corners: Corners | None, rng: np.random.Generator) -> Corners:
    """Corners float32 [4, 2] to read at: the true ones, moved, for half of the crops; else NaN."""
    given = rng.random() < HINT_SHARE
    noise = rng.standard_normal((5, 2))
    if corners is None or not given:
        return UNKNOWN
    sides = np.array([np.ptp(corners[:, 0]), np.abs(corners[3, 1] - corners[0, 1])])
    moved = corners + sides * (noise[:4] * _ALONE + noise[4] * _TOGETHER)
    return np.asarray(moved, np.float32)


def moved_by(corners: Corners, matrix: NDArray[np.float64], size: tuple[int, int]) -> Corners:
    """Corners, shares of a crop of ``size`` (height, width), after a 3x3 perspective of its pixels."""
    scale = np.array([size[1], size[0]], np.float64)
    points = np.concatenate([corners * scale, np.ones((4, 1))], axis=1) @ matrix.T
    return np.asarray(points[:, :2] / points[:, 2:] / scale, np.float32)
