"""Pairs of a small crop and its clean large original: synthetic plates, and labelled crops made small."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.data.images import load_image
from training.ocr.labels import LabelledCrop
from training.synth.camera import Optics, draw_optics, draw_view
from training.synth.generator import FLAT, Library
from training.synth.pair import LEAST_HEIGHT, degraded, scene
from training.synth.surface import to_bytes

Image = NDArray[np.uint8]
DEGRADATIONS = ("camera", "shrink")
LEAST_WIDTH = 8  # pixels of a small crop
MAX_MARGIN = 0.12  # of a box's sides, around a plate that is cut out of a photograph
_LUMA = np.array([0.114, 0.587, 0.299])  # BT.601, blue first
_TRIES = 8


@dataclass(frozen=True)
class Pair:
    """``low`` uint8 [h, w] gray or [h, w, 3] BGR, ``high`` the same view at ``scale`` times the size, and the
    text that it shows ("" where none is known)."""

    low: Image
    high: Image
    text: str


@dataclass(frozen=True)
class PairSource:
    """Draws pairs.

    Attributes:
        scale: sides of ``high`` over those of ``low``.
        channels: 1 gray, 3 colour.
        degradation: ``camera``: blur, sampling, noise and codec at the small size; ``shrink``: the mean of
            each ``scale`` x ``scale`` pixels and no more, as in the plate paper.
        difficulty: 0 (clean) to 1, as in ``PlateGenerator``.
        library: layouts and fonts of one side of the split.
        one_line: leaves plates of two lines out, which a reader of one line does not read.
    """

    scale: int
    channels: int
    degradation: str
    library: Library
    difficulty: float = 1.0
    one_line: bool = False

    def drawn(self, rng: random.Random, width: int, least_height: int = 0, repeat: int = 1) -> list[Pair]:
        """One synthetic plate, made small ``repeat`` times; ``width`` and least height of ``low`` in px."""
        level = self.difficulty
        for _ in range(_TRIES):
            plate = self.library.plate(rng, level, self._layout(rng))
            view, optics = draw_view(rng, level, plate.layout.aspect), draw_optics(rng, level)
            seen = scene(rng, plate.canvas, plate.box, view, optics, (width, least_height), self.scale)
            if float(cv2.meanStdDev(to_bytes(seen))[1][0, 0]) >= FLAT:
                break  # else washed out by light or dark: nothing is left to draw
        image = tinted(rng, seen) if self.channels == 3 else seen
        pairs = [self._pair(rng, image, optics, "".join(plate.lines))]
        for _ in range(repeat - 1):
            pairs.append(self._pair(rng, image, draw_optics(rng, level), "".join(plate.lines)))
        return pairs

    def labelled(self, rng: random.Random, row: LabelledCrop, width: int) -> Pair:
        """A labelled crop as ``high``, made small; at most ``width`` px wide, less if the crop has fewer.

        Raises:
            ValueError: the image cannot be read or is too small.
        """
        image = cut_out(rng, load_image(row.path), row)
        if self.channels == 1 and image.ndim == 3:
            image = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
        elif self.channels == 3 and image.ndim == 2:
            image = np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)
        wide = min(width, image.shape[1] // self.scale)
        if wide < LEAST_WIDTH:
            raise ValueError(f"{row.path.name}: {image.shape[1]} px wide, too small for x{self.scale}")
        tall = max(LEAST_HEIGHT, round(wide * image.shape[0] / image.shape[1]))
        size = (wide * self.scale, tall * self.scale)
        large = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        return self._pair(rng, large, draw_optics(rng, self.difficulty), row.text)

    def _pair(self, rng: random.Random, image: NDArray[Any], optics: Optics, text: str) -> Pair:
        high = to_bytes(image)
        if self.degradation == "camera":
            return Pair(degraded(rng, image, optics, self.scale), high, text)
        size = (high.shape[1] // self.scale, high.shape[0] // self.scale)
        return Pair(np.asarray(cv2.resize(high, size, interpolation=cv2.INTER_AREA), np.uint8), high, text)

    def _layout(self, rng: random.Random) -> Any:
        if not self.one_line:
            return None
        layouts = [layout for layout in self.library.layouts if layout.rows == 1]
        return rng.choices(layouts, [layout.weight for layout in layouts])[0]


def tinted(rng: random.Random, gray: NDArray[Any]) -> NDArray[Any]:
    """A gray picture in the colours of one ink and one paper, float32 [h, w, 3] BGR of the same luma.

    The synthetic plates are gray: without it a network for colour would never see any.
    """
    ink, paper = _tint(rng), _tint(rng)
    share = np.clip(gray, 0, 255)[:, :, None] / np.float32(255)
    return np.asarray(gray[:, :, None] + ink + (paper - ink) * share, np.float32)


def _tint(rng: random.Random) -> NDArray[Any]:
    """Blue, green, red that add no luma; most plates have little of it."""
    strength = rng.choice((4.0, 12.0, 60.0))
    tint = np.array([rng.gauss(0, strength) for _ in range(3)])
    return np.asarray(np.clip(tint - tint @ _LUMA, -100, 100), np.float32)


def cut_out(rng: random.Random, image: Image, row: LabelledCrop) -> Image:
    """The plate of a row whose image is a photograph (CCPD), with margins as a detector leaves them."""
    if row.box is None:
        return image
    left, top, right, bottom = row.box
    height, width = image.shape[:2]
    if right > width or bottom > height:
        return image  # the crop itself, under the photograph's name
    x, y = ((right - left) * MAX_MARGIN, (bottom - top) * MAX_MARGIN)
    left, top = (max(0, round(edge - rng.random() * by)) for edge, by in ((left, x), (top, y)))
    right = min(width, round(right + rng.random() * x))
    bottom = min(height, round(bottom + rng.random() * y))
    return image[top:bottom, left:right]
