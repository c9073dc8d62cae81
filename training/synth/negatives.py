"""Crops with nothing to read: what a detector falsely cuts out, and plates that nobody can read."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth import negatives_held_out as patterns
from training.synth import negatives_held_out_text as symbols
from training.synth import negatives_numbers as numbers
from training.synth import negatives_odd as odd
from training.synth import negatives_text as text
from training.synth import negatives_vehicle as vehicle
from training.synth import split, surface
from training.synth.camera import draw_optics, draw_view, photograph
from training.synth.negatives_scene import Box, Scene, new_scene

if TYPE_CHECKING:
    from training.synth.generator import Library

Gray = NDArray[np.uint8]
Draw = Callable[[random.Random, Scene], None]

_SCENES: dict[str, Draw] = {
    "bodywork": vehicle.bodywork,
    "grille": vehicle.grille,
    "bumper": vehicle.bumper,
    "headlight": vehicle.headlight,
    "emblem": vehicle.emblem,
    "badge": text.badge,
    "road_sign": text.road_sign,
    "shop_sign": text.shop_sign,
    "contact": text.contact,
    "clock": text.clock,
    "taxi": text.taxi,
    "sticker": text.sticker,
    "date_stamp": text.stamp,
    "sentences": text.sentences,
    "huge_symbol": text.huge_symbol,
    "prices": text.prices,
    "pictograms": odd.pictograms,
    "strokes": odd.strokes,
    "hazard": odd.hazard,
    "dots": odd.dots,
    "cut_text": odd.cut_text,
    "serial": odd.serial,
    "lamps": numbers.lamps,
    "counter": numbers.counter,
    "flaps": numbers.flaps,
    "bar_code": patterns.bar_code,
    "matrix_code": patterns.matrix_code,
    "bricks": patterns.bricks,
    "fence": patterns.fence,
    "foliage": patterns.foliage,
    "music": patterns.music,
    "street_map": patterns.street_map,
    "tread": patterns.tread,
    "zebra": patterns.zebra,
    "chequers": patterns.chequers,
    "zipper": patterns.zipper,
    "piano": patterns.piano,
    "ruler": patterns.ruler,
    "keyboard": symbols.keyboard,
    "keypad": symbols.keypad,
    "table": symbols.table,
    "display": symbols.display,
    "other_script": symbols.other_script,
    "handwriting": symbols.handwriting,
}
# Drawn by the normal path of a plate, then robbed of what could be read. Mirrored and upside-down plates are
# no kind: most of their characters are right each by itself, and teaching them away costs real reads.
_PLATES = ("blank_plate", "tiny_plate", "blurred_plate")
_TINY = (8, 20)  # px of the whole crop: under 3 px a character
_BLUR = (0.5, 1.3)  # sigma in widths of a character; past 0.35 no stroke is left


def kinds(held_out: bool) -> tuple[str, ...]:
    """The kinds of one side of the split, each drawn as often as the others; plates are in training only."""
    scenes = tuple(kind for kind in _SCENES if (kind in split.HELD_OUT_NEGATIVES) == held_out)
    return scenes if held_out else scenes + 2 * _PLATES


def draw_crop(
    rng: random.Random, library: Library, level: float, width: int, kind: str | None = None
) -> tuple[Gray, str]:
    """A crop uint8 [h, ``width``] as the camera sees it, and its kind: the given one or any.

    Without ``kind`` it is one of the library's side of the split.

    Raises:
        KeyError: there is no such kind.
    """
    kind = kind or rng.choice(kinds(library.held_out))
    if kind in _PLATES:
        return _draw_plate(rng, library, level, width, kind), kind
    canvas, box = draw_negative(rng, library.negative_font(rng), level, kind)
    return photograph(rng, canvas, box, draw_view(rng, level, 3.0), draw_optics(rng, level), width), kind


def draw_negative(rng: random.Random, font: str, level: float, kind: str) -> tuple[Gray, Box]:
    """A canvas uint8 [h, w] without a plate, and the box that a detector took for one.

    Raises:
        KeyError: ``kind`` is none of the kinds that are no plates.
    """
    scene = new_scene(rng, font, level)
    _SCENES[kind](rng, scene)
    if rng.random() < 0.3 * level:
        shade = surface.clouds(rng, (scene.canvas.shape[0], scene.canvas.shape[1]), 4)
        return surface.to_bytes(scene.canvas + shade * np.float32(rng.uniform(5, 30))), scene.box
    return scene.canvas, scene.box


def _draw_plate(rng: random.Random, library: Library, level: float, width: int, kind: str) -> Gray:
    plate = library.plate(rng, level, blank=kind == "blank_plate")
    view, optics, canvas = draw_view(rng, level, plate.layout.aspect), draw_optics(rng, level), plate.canvas
    if kind == "blurred_plate":
        canvas = _smear(rng, canvas, plate.box[2] * 0.85 / max(map(len, plate.lines)))
    if kind != "tiny_plate":
        return photograph(rng, canvas, plate.box, view, optics, width)
    crop = photograph(rng, canvas, plate.box, view, optics, min(width, rng.randint(*_TINY)))
    # Back to the size asked for, as a digital zoom does it: the widths of samples stay as they were set.
    size = (width, max(4, min(2 * width, round(crop.shape[0] * width / crop.shape[1]))))
    kernel = rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST))
    return np.asarray(cv2.resize(crop, size, interpolation=kernel), np.uint8)


def _smear(rng: random.Random, canvas: Gray, character_px: float) -> Gray:
    """Out of focus, or moved along the line, by more than a stroke survives."""
    across = rng.uniform(*_BLUR) * character_px / 4
    # At a quarter of the size: nothing fine is left anyway.
    quarter = (max(8, canvas.shape[1] // 4), max(8, canvas.shape[0] // 4))
    small = cv2.resize(canvas, quarter, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), across, sigmaY=across * rng.uniform(0.2, 1.0))
    return np.asarray(cv2.resize(small, canvas.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
