"""Plate fonts drawn by code: strokes on a grid, of random weight, rounding, proportions and form."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth.stroke_shapes import SHAPES, WIDTHS

GLYPH_HEIGHT = 64
_OVERSAMPLE = 4
_CONFUSABLE = ("68", "98", "B8", "D0", "DO", "C0", "CO", "G6", "S8", "38", "Q0", "QO", "HM", "NH", "UV")
_TOLD_APART = frozenset("".join(_CONFUSABLE))
_ATTEMPTS = 12

Point = tuple[float, float]


@dataclass(frozen=True)
class StrokeStyle:
    """The traits of one stroke font; lengths are shares of the character height."""

    aspect: float
    thickness: float
    radius: float
    arc_points: int
    round_ends: bool
    waist: float
    slant: float
    proportional: bool
    forms: dict[str, int]


def draw_font(name: str, symbols: str) -> dict[str, NDArray[np.uint8]]:
    """The glyphs of the font of that name: the first of its random styles that keeps its characters apart."""
    for attempt in range(_ATTEMPTS):
        style = draw_style(random.Random(f"stroke font {name}, attempt {attempt}"))
        glyphs = {symbol: draw_glyph(symbol, style) for symbol in _TOLD_APART}
        if likeness(glyphs) < 0.91:
            break
    return {symbol: glyphs[symbol] if symbol in glyphs else draw_glyph(symbol, style) for symbol in symbols}


def likeness(glyphs: dict[str, NDArray[np.uint8]]) -> float:
    """How alike the most alike pair of characters is: the share of their ink that they have in common."""
    same = {symbol: cv2.resize(glyphs[symbol], (24, 40)) for symbol in _TOLD_APART}
    pairs = ((same[pair[0]], same[pair[1]]) for pair in _CONFUSABLE)
    return max(float(np.minimum(a, b).sum()) / float(np.maximum(a, b).sum()) for a, b in pairs)


def draw_style(rng: random.Random) -> StrokeStyle:
    """A random style; most look like a plate of some country, some like none."""
    narrow = rng.random() < 0.7
    aspect = rng.uniform(0.4, 0.56) if narrow else rng.uniform(0.56, 0.75)
    chamfer = rng.random() < 0.15
    return StrokeStyle(
        aspect=aspect,
        # Thicker strokes would close the gap of a 6 and make it an 8.
        thickness=min(0.155, aspect * rng.uniform(0.17, 0.34)),
        radius=aspect * (rng.uniform(0.15, 0.3) if chamfer else rng.triangular(0.08, 0.6, 0.4)),
        arc_points=1 if chamfer else 7,
        round_ends=rng.random() < 0.45,
        waist=rng.uniform(0.43, 0.55),
        slant=rng.gauss(0, 0.03) if rng.random() < 0.2 else 0.0,
        proportional=rng.random() < 0.5,
        forms={symbol: rng.randrange(len(forms)) for symbol, forms in SHAPES.items()},
    )


def draw_glyph(symbol: str, style: StrokeStyle) -> NDArray[np.uint8]:
    """One character as coverage, uint8 [64, w], cut to its ink."""
    height = GLYPH_HEIGHT * _OVERSAMPLE
    width = height * style.aspect * (WIDTHS.get(symbol, 1.0) if style.proportional else 1.0)
    stroke = max(2.0, style.thickness * height)
    margin = int(stroke) + 4
    image: NDArray[Any] = np.zeros((height, int(width) + 2 * margin), np.uint8)
    for path in SHAPES[symbol][style.forms[symbol]]:
        _draw_path(image, path, style, (margin, width, height, stroke))
    if style.slant:
        matrix = np.array([[1, -style.slant, style.slant * height / 2], [0, 1, 0]], np.float32)
        image = cv2.warpAffine(image, matrix, (image.shape[1], height))
    columns = np.flatnonzero(image.any(axis=0))
    image = image[:, columns[0] : columns[-1] + 1]
    out_width = max(4, round(image.shape[1] / _OVERSAMPLE))
    return np.asarray(cv2.resize(image, (out_width, GLYPH_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _draw_path(
    image: NDArray[np.uint8], path: str, style: StrokeStyle, box: tuple[int, float, int, float]
) -> None:
    margin, width, height, stroke = box
    closed = path.endswith("z")
    points: list[Point] = []
    rounded: list[float] = []
    for word in path.removesuffix("z").split():
        x, y = (float(v) for v in word.rstrip("rR").split(","))
        level = y / 4 * style.waist if y <= 4 else style.waist + (y - 4) / 4 * (1 - style.waist)
        points.append(
            (margin + stroke / 2 + x / 4 * (width - stroke), stroke / 2 + level * (height - stroke))
        )
        rounded.append(style.radius * height * {"r": 1, "R": 2}.get(word[-1], 0))
    line = np.array(_round_corners(points, rounded, closed, style.arc_points))
    # An arc that takes a whole side ends on the next point: a side of no length has no direction.
    line = line[np.append(True, np.abs(np.diff(line, axis=0)).max(axis=1) > 0.01)]
    if style.round_ends or closed:
        _polyline(image, line, closed, stroke)
    else:
        _flat_line(image, line, stroke)


def _round_corners(points: list[Point], radii: list[float], closed: bool, steps: int) -> list[Point]:
    """Replaces every corner with a radius by a quadratic arc that starts at most that far before it."""
    out: list[Point] = []
    count = len(points)
    for i, (x, y) in enumerate(points):
        if not radii[i] or (not closed and i in (0, count - 1)):
            out.append((x, y))
            continue
        ends = []
        for j in ((i - 1) % count, (i + 1) % count):
            dx, dy = points[j][0] - x, points[j][1] - y
            length = max(1e-6, (dx * dx + dy * dy) ** 0.5)
            reach = min(radii[i], length * (0.5 if radii[j] else 1.0)) / length
            ends.append((x + dx * reach, y + dy * reach))
        (ax, ay), (bx, by) = ends
        for k in range(steps + 1):
            t = k / steps
            bulge = 0.0 if steps == 1 else 1.15 * 2 * t * (1 - t)
            rest = 1 - bulge
            out.append(
                (rest * (ax * (1 - t) + bx * t) + bulge * x, rest * (ay * (1 - t) + by * t) + bulge * y)
            )
    return out


def _polyline(image: NDArray[np.uint8], line: NDArray[Any], closed: bool, stroke: float) -> None:
    fixed = np.round(line * 16).astype(np.int32).reshape(-1, 1, 2)
    cv2.polylines(image, [fixed], closed, 255, max(1, round(stroke)), cv2.LINE_8, 4)


def _flat_line(image: NDArray[np.uint8], line: NDArray[Any], stroke: float) -> None:
    """A line with flat ends, a little longer at both: polylines would round them."""
    half = stroke / 2
    first, last = line[0] - line[1], line[-1] - line[-2]
    ends = [line[0] + first / np.hypot(*first) * half, line[-1] + last / np.hypot(*last) * half]
    if len(line) > 2:
        if len(line) > 3:
            _polyline(image, line[1:-1], False, stroke)
        for corner in (line[1], line[-2]):
            cv2.circle(image, (round(corner[0]), round(corner[1])), round(half), 255, -1)
    segments = [(ends[0], line[1]), (line[-2], ends[1])] if len(line) > 2 else [(ends[0], ends[1])]
    for a, b in segments:
        direction = (b - a) / max(1e-6, float(np.hypot(*(b - a))))
        normal = np.array([-direction[1], direction[0]]) * half
        quad = np.array([a + normal, b + normal, b - normal, a - normal])
        cv2.fillConvexPoly(image, np.round(quad * 16).astype(np.int32), 255, cv2.LINE_8, 4)
