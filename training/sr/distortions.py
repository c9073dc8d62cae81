"""How enlarging stands one fault of a camera at a time: noise, blur or compression, by strength.

The small crop is the mean of the large one's pixels, spoilt in one way only, so that a figure is of that way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from lprfast.evaluation import Settings
from training.sr.measures import Contender, Measured, TextReader, measure
from training.sr.pairs import Image, Pair

# Strengths of each kind, growing; the first is the crop untouched.
STRENGTHS: dict[str, tuple[float, ...]] = {
    # Standard deviation in gray levels of 255, each pixel and channel for itself.
    "noise": (0, 5, 10, 20, 40),
    "blur": (0, 0.5, 0.8, 1.2, 1.8),  # sigma of a Gaussian, in pixels of the small crop
    "compression": (100, 60, 40, 20, 10),  # quality of JPEG; 100: none
}


@dataclass(frozen=True)
class MapCell:
    """The figures of one contender at one strength of one kind."""

    kind: str
    strength: float
    measured: Measured


def distorted(image: Image, kind: str, strength: float, seed: int) -> Image:
    """The picture, gray or BGR, spoilt; the same for a seed.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in STRENGTHS:
        raise ValueError(f"kind: expected one of {', '.join(STRENGTHS)}, got {kind!r}")
    if strength == STRENGTHS[kind][0]:
        return image
    if kind == "blur":
        return np.asarray(cv2.GaussianBlur(image, (0, 0), strength), np.uint8)
    if kind == "noise":
        noise = np.random.default_rng(seed).normal(0, strength, image.shape)
        return np.asarray(np.clip(np.rint(image + noise), 0, 255), np.uint8)
    _, code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(strength)])
    flag = cv2.IMREAD_GRAYSCALE if image.ndim == 2 else cv2.IMREAD_COLOR
    return np.asarray(cv2.imdecode(code, flag), np.uint8)


def distorted_pairs(pairs: Sequence[Pair], kind: str, strength: float, seed: int = 0) -> list[Pair]:
    """The pairs with small crops made anew from the large ones, and spoilt."""
    answer = []
    for number, pair in enumerate(pairs):
        size = (pair.low.shape[1], pair.low.shape[0])
        small = np.asarray(cv2.resize(pair.high, size, interpolation=cv2.INTER_AREA), np.uint8)
        answer.append(Pair(distorted(small, kind, strength, seed + number), pair.high, pair.text))
    return answer


def distortion_map(
    contenders: Sequence[Contender],
    pairs: Sequence[Pair],
    readers: Sequence[TextReader],
    settings: Settings,
    seed: int = 0,
) -> list[MapCell]:
    """Every contender at every strength of every kind, on the same plates and the same noise."""
    cells = []
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            spoilt = distorted_pairs(pairs, kind, strength, seed)
            cells += [
                MapCell(kind, strength, measure(each, "distorted", spoilt, readers, settings))
                for each in contenders
            ]
    return cells


def map_values(cells: Sequence[MapCell], name: str, what: str) -> dict[str, list[tuple[str, float | None]]]:
    """Of the contender ``name``: per kind, (strength as text, value), in the order of the strengths.

    ``what``: ``psnr_y``, the mean in dB, or ``exact``, the exact match (0-1) of the first reader.
    """

    def value(measured: Measured) -> float | None:
        if what == "exact":
            return measured.readings[0].exact_match if measured.readings else None
        found: Any = getattr(measured, what)
        return found.mean if found else None

    rows: dict[str, list[tuple[str, float | None]]] = {}
    for cell in cells:
        if cell.measured.contender.name == name:
            rows.setdefault(cell.kind, []).append((f"{cell.strength:g}", value(cell.measured)))
    return rows
