"""Maps of how noisy, blurred and blocky a picture looks at each of its pixels, whatever it should be.

Simple stand-ins for the distortion maps of arXiv 2501.01483, whose estimators it does not give. The edges of
characters enter all of them: they are to be compared between pictures of one plate, and measure nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.evaluation.image_quality import luma
from training.sr.drawing import Panel
from training.sr.pairs import Image

Floats = NDArray[np.float64]

INTENSITIES = ("noise", "blur", "compression")
WINDOW = 7  # pixels a side over which energies are averaged
BLOCK = 8  # of JPEG


def intensity(image: Image, kind: str) -> Floats:
    """``[H, W]``, 0 and more, of a uint8 picture, gray or BGR.

    * ``noise``: standard deviation, in gray levels, of what a median of 3 x 3 takes away;
    * ``blur``: ``1 / (1 + root mean square of the Laplacian)``, 1 where nothing changes;
    * ``compression``: by how many gray levels neighbours across the edges of 8 x 8 blocks differ more than
      those beside the edges do, averaged over as large a square.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in INTENSITIES:
        raise ValueError(f"kind: expected one of {', '.join(INTENSITIES)}, got {kind!r}")
    values = luma(image)
    if kind == "noise":
        rest = values - cv2.medianBlur(values.astype(np.float32), 3)
        return np.sqrt(np.maximum(_mean(rest**2, WINDOW) - _mean(rest, WINDOW) ** 2, 0))
    if kind == "blur":
        return 1 / (1 + np.sqrt(_mean(cv2.Laplacian(values, cv2.CV_64F) ** 2, WINDOW)))
    return _mean(_steps(values) + _steps(values.T).T, BLOCK)


def intensity_rows(images: Sequence[Image]) -> list[list[Panel]]:
    """The pictures of one plate and below them their maps, white being the most of any of them; the mean of
    each stands below it."""
    rows = [[Panel(image, "") for image in images]]
    for kind in INTENSITIES:
        maps = [intensity(image, kind) for image in images]
        most = max(float(each.max()) for each in maps) or 1.0
        rows.append(
            [Panel((255 * each / most).astype(np.uint8), f"{kind} {each.mean():.2f}") for each in maps]
        )
    return rows


def _mean(values: NDArray[Any], side: int) -> Floats:
    return np.asarray(cv2.blur(values.astype(np.float64), (side, side)))


def _steps(values: Floats) -> Floats:
    """At each block's first column: the step from the column before it, less the mean of the steps beside."""
    steps = np.abs(np.diff(values, axis=1))
    found = np.zeros_like(values)
    for edge in range(BLOCK, values.shape[1] - 1, BLOCK):
        beside = (steps[:, edge - 2] + steps[:, edge]) / 2
        found[:, edge] = np.maximum(steps[:, edge - 1] - beside, 0)
    return found
