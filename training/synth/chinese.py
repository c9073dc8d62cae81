"""How a press, and a camera that is too far away, change Chinese characters."""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]


@dataclass(frozen=True)
class ChineseLook:
    """Of one plate: ``width`` and ``height`` as shares of the usual, ``level`` of the spare height above.

    ``rows``: detail that the press leaves, px over the height of a character (0: all). ``weight``: by
    how many gray levels strokes are bolder (or finer, below 0); ``tone`` 0-1: how strongly they are inked.
    """

    width: float
    height: float
    level: float
    rows: int
    weight: int
    tone: float


def chinese_look(rng: random.Random) -> ChineseLook:
    """A random look."""
    rows = rng.choice((0, 0, 0, 40, 32, 26, 22))
    return ChineseLook(
        width=rng.uniform(0.85, 1.15),
        height=rng.uniform(0.95, 1.0) if rng.random() < 0.6 else rng.uniform(0.84, 1.0),
        level=rng.uniform(0.3, 0.8),
        rows=rows,
        # Coarse strokes that were made bolder would fill the character.
        weight=rng.randrange(-25, 5) if 0 < rows < 32 else rng.randrange(-15, 30),
        tone=rng.choice((1.0, 1.0, rng.uniform(0.7, 1.0))),
    )


def pressed(glyph: Gray, look: ChineseLook) -> Gray:
    """A glyph uint8 [h, w] in that look, uint8 of another size: near strokes run into one another."""
    if look.rows:
        size = (max(4, round(look.rows * glyph.shape[1] / glyph.shape[0])), look.rows)
        small = cv2.resize(glyph, size, interpolation=cv2.INTER_AREA)
        glyph = np.asarray(cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.uint8)
    else:
        glyph = np.asarray(cv2.blur(glyph, (5, 5)), np.uint8)
    # Steeper around the gray that divides ink from paper, which ``weight`` moves.
    curve = np.clip((np.arange(256) - 128.0 + look.weight) * 1.6 + 128, 0, 255) * look.tone
    curve[0] = 0
    return np.asarray(cv2.LUT(glyph, curve.astype(np.uint8)), np.uint8)
