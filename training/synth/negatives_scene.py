"""The canvas of a crop without a plate, and what every kind draws with."""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth import surface
from training.synth.lettering import line_of_text

Gray = NDArray[np.uint8]
Box = tuple[int, int, int, int]
Point = tuple[float, float]

_BOX_WIDTH = 208
_SIDE, _ABOVE = 36, 30
# OpenCV's own faces have lower case and punctuation, which the plate fonts drawn by code lack.
_BUILT_IN = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
)


@dataclass(frozen=True)
class Scene:
    """What is drawn on: ``canvas`` uint8 [h, w], the detector's ``box`` x, y, width, height, a ``font``.

    Positions and sizes are shares of the box unless a name ends in ``px``.
    """

    canvas: Gray
    box: Box
    font: str

    def at(self, x: float, y: float) -> tuple[int, int]:
        """The px at shares ``x``, ``y`` of the box."""
        left, top, width, height = self.box
        return round(left + x * width), round(top + y * height)

    def tall(self, share: float) -> int:
        """A share of the box's height in px, at least 1."""
        return max(1, round(share * self.box[3]))

    def wide(self, share: float) -> int:
        """A share of the box's width in px, at least 1."""
        return max(1, round(share * self.box[2]))

    def rectangle(self, corner: Point, opposite: Point, tone: float, thick_px: int = -1) -> None:
        """A rectangle between two corners, filled unless ``thick_px`` is given."""
        cv2.rectangle(self.canvas, self.at(*corner), self.at(*opposite), tone, thick_px)

    def write(self, text: str, center: Point, tall: float, tone: float, wide: float = 0.92) -> None:
        """A line of text, ``tall`` high or lower: it is never wider than ``wide``."""
        height, limit = self.tall(tall), self.wide(wide)
        coverage = text_coverage(self.font, text, 24 if height <= 32 else 64)
        scale = min(height / coverage.shape[0], limit / coverage.shape[1])
        size = (max(2, round(coverage.shape[1] * scale)), max(2, round(coverage.shape[0] * scale)))
        small = np.asarray(cv2.resize(coverage, size, interpolation=cv2.INTER_AREA), np.uint8)
        blend(self.canvas, small, self.at(*center), tone)


def new_scene(rng: random.Random, font: str, level: float) -> Scene:
    """An empty scene: bodywork, wall or scenery around a box of a plate's shape."""
    height = round(_BOX_WIDTH / rng.uniform(1.5, 5))
    size = (height + 2 * _ABOVE, _BOX_WIDTH + 2 * _SIDE)
    canvas = surface.surroundings(rng, size, _ABOVE, max(level, 0.5))
    if rng.random() < 0.6:
        shade = surface.clouds(rng, size, rng.randrange(3, 12)) * np.float32(rng.uniform(5, 60))
        canvas = surface.to_bytes(canvas + shade)
    return Scene(canvas, (_SIDE, _ABOVE, _BOX_WIDTH, height), font)


def blend(canvas: Gray, coverage: NDArray[np.uint8], center_px: tuple[int, int], tone: float) -> None:
    """Paints ``tone`` through ``coverage`` around a point; what falls outside the canvas is cut off."""
    tall, wide = coverage.shape
    left, top = center_px[0] - wide // 2, center_px[1] - tall // 2
    x, y = max(0, left), max(0, top)
    target = canvas[y : max(y, top + tall), x : max(x, left + wide)]
    if target.size:
        part = coverage[y - top :, x - left :][: target.shape[0], : target.shape[1]]
        alpha = part.astype(np.float32) * (1 / 255)
        target[:] = surface.to_bytes(target + (tone - target) * alpha)


def two_tones(rng: random.Random, apart: float = 80) -> tuple[float, float]:
    """Gray of a ground and of what is drawn on it, at least ``apart`` levels from each other."""
    ground = rng.choice((rng.uniform(0, 90), rng.uniform(90, 170), rng.uniform(170, 255)))
    lighter = ground + apart <= 255 and (ground - apart < 0 or rng.random() < 0.5)
    return ground, rng.uniform(ground + apart, 255) if lighter else rng.uniform(0, max(0, ground - apart))


def panel(rng: random.Random, scene: Scene, apart: float = 80) -> tuple[float, float]:
    """A board over most of the box, mostly with a border; the grays of its ground and of its ink."""
    ground, ink = two_tones(rng, apart)
    inset = rng.uniform(-0.05, 0.06)
    scene.rectangle((inset, inset), (1 - inset, 1 - inset), ground)
    if rng.random() < 0.5:
        inner = inset + rng.uniform(0.01, 0.04)
        scene.rectangle((inner, inner * 2), (1 - inner, 1 - inner * 2), ink, rng.randrange(1, 4))
    return ground, ink


def text_coverage(font: str, text: str, pixels: int) -> Gray:
    """A line of text as coverage, uint8 [h, w], about ``pixels`` high, cut to the rows with ink."""
    if font.startswith("stroke:"):
        return _built_in_text(int(font.partition(":")[2]), text, pixels)
    return _rows_with_ink(line_of_text(font, text, pixels))


def _built_in_text(index: int, text: str, pixels: int) -> Gray:
    face, thick = _BUILT_IN[index % len(_BUILT_IN)], max(1, pixels // 12)
    plain = text.encode("ascii", "replace").decode()
    (width, height), below = cv2.getTextSize(plain, face, pixels / 26, thick)
    image = np.zeros((height + below + 2 * thick, max(1, width) + 2 * thick), np.uint8)
    cv2.putText(image, plain, (thick, height + thick), face, pixels / 26, 255, thick, cv2.LINE_AA)
    return _rows_with_ink(image)


def _rows_with_ink(image: Gray) -> Gray:
    _, y, _, tall = cv2.boundingRect(image)
    return image[y : y + tall] if tall else image
