"""The plate's surface and what surrounds it: paper, bands, scenery, characters, dirt, bumper."""

from __future__ import annotations

import functools
import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.formats import PlateLayout
from training.synth.pictures import draw_blot

Image = NDArray[np.float32]
Gray = NDArray[np.uint8]
Box = tuple[int, int, int, int]
_FIELD = 48


def to_bytes(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Rounded and cut to 0-255, uint8 of the same shape."""
    return np.asarray(cv2.convertScaleAbs(cv2.threshold(image, 0, 0, cv2.THRESH_TOZERO)[1]), np.uint8)


def clouds(rng: random.Random, size: tuple[int, int], cells: int = 4) -> Image:
    """Smooth random field in about -1..1, float32 [h, w], with ``cells`` lumps a side or fewer."""
    fields = _fields(cells)
    part = rng.randrange(_FIELD // 2, _FIELD + 1)
    x, y = rng.randrange(_FIELD - part + 1), rng.randrange(_FIELD - part + 1)
    piece = fields[rng.randrange(len(fields))][y : y + part, x : x + part]
    return np.asarray(cv2.resize(piece, size[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


@functools.cache
def _fields(cells: int) -> Image:
    """A stock of such fields, float32 [256, _FIELD, _FIELD]: drawing one anew is several times slower."""
    small = np.random.default_rng(cells).uniform(-1, 1, (256, cells, cells)).astype(np.float32)
    return np.stack([cv2.resize(s, (_FIELD, _FIELD), interpolation=cv2.INTER_CUBIC) for s in small])


def surroundings(rng: random.Random, size: tuple[int, int], edge: int, level: float) -> Gray:
    """Bumper, grille or body around a plate that starts ``edge`` px from the top, uint8 [h, w]."""
    # Drawn at half size: nothing of it has to be sharp.
    height, width = size[0] // 2, size[1] // 2
    base = rng.choice((rng.uniform(5, 60), rng.uniform(60, 150), rng.uniform(150, 240)))
    half = np.full((height, width), base, np.uint8)
    if level > 0.05:
        if rng.random() < 0.5:
            shade = clouds(rng, (height, width), 3) * (rng.uniform(0, 50) * level)
            half = to_bytes(shade + np.float32(base))
        for _ in range(rng.randrange(5)):
            _clutter(rng, half, edge // 2)
    return np.asarray(cv2.resize(half, size[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def _clutter(rng: random.Random, half: Gray, edge: int) -> None:
    height, width = half.shape
    y, tone, kind = rng.randrange(height), rng.uniform(0, 255), rng.random()
    if kind < 0.45:
        slope = rng.uniform(-0.15, 0.15) * width
        cv2.line(half, (0, y), (width, round(y + slope)), tone, rng.randrange(1, 6))
    elif kind < 0.6:
        cv2.rectangle(half, (0, y), (width, height if y > height / 2 else 0), tone, -1)
    elif kind < 0.75:
        for k in range(0, width, rng.randrange(3, 12)):
            cv2.line(half, (k, 0), (k, edge // 2), tone, 1)
    else:
        cv2.circle(half, (rng.randrange(width), y), rng.randrange(2, 9), tone, rng.choice((-1, 1, 2)))


def plate_face(
    rng: random.Random, layout: PlateLayout, size: tuple[int, int], paper: float, ink: float
) -> Image:
    """The empty plate: paper, bands, panel and border line, float32 [h, w]."""
    height, width = size
    face = np.full(size, paper, np.float32)
    if layout.ink == "panel":
        face[:] = ink
        share = 0.03 if layout.rows == 2 else 0.18
        top, bottom = (round(height * (share + rng.uniform(0, 0.05))) for _ in range(2))
        side = round(width * rng.uniform(0.04, 0.08))
        face[top : height - bottom, side : width - side] = paper
    if layout.header and layout.footer and layout.ink != "panel" and rng.random() < 0.5:
        _picture(rng, face, paper, ink)
    if rng.random() < 0.5:
        inset = rng.randrange(1, 5)
        tone = ink * 0.8 + paper * 0.2
        cv2.rectangle(
            face, (inset, inset), (width - 1 - inset, height - 1 - inset), tone, rng.randrange(1, 4)
        )
    blue = rng.uniform(20, 150) if paper > ink else rng.uniform(60, 160)
    if layout.band and rng.random() < (0.9 if "arms" in layout.band else 0.3):
        # In infrared, and on plates with arms instead of stars, the band is nearly as bright as the paper.
        blue = paper + (ink - paper) * rng.uniform(0.05, 0.35)
    if "left" in layout.band and rng.random() < 0.93:
        face[:, : round(width * rng.uniform(0.075, 0.1))] = blue
    if "right" in layout.band and rng.random() < 0.9:
        face[:, width - round(width * rng.uniform(0.07, 0.09)) :] = blue
    if "strip" in layout.band and rng.random() < 0.7:
        face[: round(height * rng.uniform(0.17, 0.21))] = ink * 0.85 + paper * 0.15
        if rng.random() < 0.5:
            face[height - round(height * rng.uniform(0.14, 0.19)) :] = ink * 0.85 + paper * 0.15
    if "top" in layout.band:
        face[: round(height * rng.uniform(0.2, 0.25))] = blue
    return face


def _picture(rng: random.Random, face: Image, paper: float, ink: float) -> None:
    """Faint scenery behind the number: a sky that fades, a ridge of hills, a blot in the middle."""
    height, width = face.shape
    faint = (ink - paper) * rng.uniform(0.08, 0.4)
    kind = rng.random()
    if kind < 0.35:
        face += np.linspace(faint, 0, height, dtype=np.float32)[:: rng.choice((-1, 1)), None]
    elif kind < 0.75:
        peaks = rng.randrange(3, 9)
        ridge = [(width * k / peaks, height * rng.uniform(0.2, 0.75)) for k in range(peaks + 1)]
        cv2.fillPoly(
            face, [np.array([*ridge, (width, height), (0, height)], np.int32)], paper + faint, cv2.LINE_AA
        )
    else:
        draw_blot(rng, face, (width * rng.uniform(0.2, 0.8), height * 0.5), height * 0.4, paper + faint)


def ink_onto(face: Image, coverage: NDArray[np.uint8], ink: float, relief: float) -> None:
    """Paints the characters; ``relief`` (gray levels) lights upper edges and darkens lower ones."""
    height, width = coverage.shape
    x, y, wide, tall = cv2.boundingRect(coverage)
    # Only where something is painted, and as far around it as the relief looks.
    part = np.s_[max(0, y - 2) : min(height, y + tall + 2), max(0, x - 2) : min(width, x + wide + 2)]
    alpha, under = np.multiply(coverage[part], np.float32(1 / 255), dtype=np.float32), face[part]
    change = ink - under
    change *= alpha
    under += change
    if relief:
        edge = alpha[2:, 2:] - alpha[:-2, :-2]
        edge *= np.float32(relief)
        under[1:-1, 1:-1] += edge


def wear(rng: random.Random, face: Image, level: float) -> None:
    """Dirt, fading and spots."""
    if rng.random() < 0.5 * level:
        face += clouds(rng, face.shape, 5) * rng.uniform(5, 35) * level
    if rng.random() < 0.25 * level:
        height, width = face.shape
        for _ in range(rng.randrange(1, 8)):
            center = (rng.randrange(width), rng.randrange(height))
            cv2.circle(face, center, rng.randrange(1, 4), rng.uniform(20, 230), -1, cv2.LINE_AA)


def chip_paint(rng: random.Random, coverage: NDArray[np.uint8], level: float) -> None:
    """Takes flakes of paint off the characters, uint8 [h, w]: the paper shows."""
    if rng.random() > 0.08 * level:
        return
    height, width = coverage.shape
    left = np.full((height, width), 255, np.uint8)
    for _ in range(rng.randrange(4, 30)):
        center = (rng.randrange(width), rng.randrange(height))
        axes = (rng.randrange(1, 5), rng.randrange(1, 4))
        cv2.ellipse(left, center, axes, rng.randrange(180), 0, 360, rng.uniform(0, 120), -1)
    np.minimum(coverage, left, out=coverage)


def fade(rng: random.Random, coverage: NDArray[np.uint8], level: float) -> None:
    """Now and then bleaches some neighbouring characters, uint8 [h, w]: by a lamp, the sun or infrared."""
    if rng.random() > 0.12 * level:
        return
    width = coverage.shape[1]
    away = (np.arange(width, dtype=np.float32) - width * rng.random()) / (width * rng.uniform(0.08, 0.35))
    left = 1 - rng.uniform(0.25, 0.68) * np.exp(-away * away)
    coverage[:] = coverage * left


def cover(rng: random.Random, canvas: Gray, box: Box, level: float) -> None:
    """Now and then puts something in front of the plate."""
    if rng.random() <= 0.06 * level:
        stand_in_front(rng, canvas, box)


def stand_in_front(rng: random.Random, canvas: Gray, box: Box) -> None:
    """Something in front of the plate that leaves its characters legible: a cable, a tow ball, a leaf."""
    x, y, width, height = box
    tone = rng.choice((rng.uniform(0, 60), rng.uniform(60, 255)))
    kind = rng.random()
    if kind < 0.4:
        start, end = (x + rng.randrange(width), y - 8), (x + rng.randrange(width), y + height + 8)
        cv2.line(canvas, start, end, tone, rng.randrange(1, 5), cv2.LINE_AA)
    elif kind < 0.8:
        # From below or from above, over no more than a third of a character's height.
        reach = height * rng.uniform(0.05, 0.38)
        radius = height * rng.uniform(0.15, 0.5)
        middle = y + height - reach + radius if rng.random() < 0.7 else y + reach - radius
        center = (x + rng.randrange(width), round(middle))
        cv2.circle(canvas, center, round(radius), tone, -1, cv2.LINE_AA)
    else:
        center = (x + rng.randrange(width), y + rng.randrange(height))
        axes = (
            max(2, round(height * rng.uniform(0.08, 0.2))),
            max(1, round(height * rng.uniform(0.02, 0.08))),
        )
        cv2.ellipse(canvas, center, axes, rng.randrange(180), 0, 360, tone, -1, cv2.LINE_AA)


def place(rng: random.Random, canvas: Gray, face: Image, box: Box, level: float) -> None:
    """Puts the plate on the canvas, sometimes framed, with a shadow under its edge or lamps above."""
    x, y, width, height = box
    if rng.random() < 0.45:
        tone, thick = rng.choice((rng.uniform(0, 60), rng.uniform(0, 255))), rng.randrange(2, 12)
        cv2.rectangle(canvas, (x - thick, y - thick), (x + width + thick, y + height + thick), tone, -1)
    canvas[y : y + height, x : x + width] = to_bytes(face)
    if rng.random() < 0.4:
        rows = rng.randrange(1, max(2, height // 8))
        strip = canvas[y : y + rows, x : x + width]
        strip[:] = strip * rng.uniform(0.4, 0.9)
    if rng.random() < 0.12 * level:
        _lamps(rng, canvas, box)


@functools.cache
def _glare(core: float) -> Gray:
    """A round blob of light, uint8 [32, 32]: white inside ``core`` (0-1 of the radius), fading outside."""
    y, x = np.mgrid[-1:1:32j, -1:1:32j]
    return to_bytes(255 * np.clip((1 - np.hypot(x, y)) / (1 - core), 0, 1) ** 1.5)


def _lamps(rng: random.Random, canvas: Gray, box: Box) -> None:
    """The reflections of the plate lamps on the upper edge: blurred, and over characters now and then."""
    x, y, width, height = box
    glare = _glare(rng.choice((0.0, 0.3, 0.5, 0.7)))
    reach = height * rng.uniform(0.12, 0.38)
    level = y + height * rng.uniform(-0.12, 0.25)
    for share in rng.choice(((0.25, 0.75), (0.3, 0.7), (0.2, 0.6), (0.35, 0.65), (0.5,), (0.3,))):
        half_wide = max(3, round(reach * rng.uniform(0.9, 1.6)))
        half_tall = max(3, round(reach * rng.uniform(0.8, 1.2)))
        center = x + (share + rng.uniform(-0.05, 0.05)) * width
        left, top = max(0, round(center) - half_wide), max(0, round(level) - half_tall)
        target = canvas[top : top + 2 * half_tall, left : left + 2 * half_wide]
        blob = cv2.resize(glare, target.shape[::-1], interpolation=cv2.INTER_LINEAR)
        cv2.addWeighted(target, 1.0, blob, rng.uniform(0.5, 1.0), 0.0, dst=target)
