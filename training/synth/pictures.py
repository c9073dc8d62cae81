"""Pictures between and beside the characters: seals, arms, suns, trees, small words."""

from __future__ import annotations

import math
import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.formats import LATIN
from training.synth.bands import CRESTS, crest
from training.synth.glyphs import Font


def draw_seal(
    rng: random.Random, coverage: NDArray[np.uint8], cx: int, y: float, wide: float, tall: float
) -> None:
    """Arms, one or two round seals, or a blot."""
    # Small and mostly faint: two dark discs would be an 8.
    tone = rng.choice((rng.randrange(60, 170), rng.randrange(60, 256)))
    radius = max(2, round(min(wide * 0.42, tall * rng.uniform(0.1, 0.17))))
    if rng.random() < 0.3:
        _arms_in_gap(rng, coverage, cx, (y, wide, tall), tone)
    elif rng.random() < 0.75:
        for share in (0.25, 0.75) if rng.random() < 0.7 else (0.5,):
            center = (cx, round(y + tall * share))
            cv2.circle(coverage, center, radius, tone, rng.choice((-1, 1, 1)), cv2.LINE_AA)
            cv2.circle(coverage, center, max(1, radius // 2), rng.randrange(180), -1, cv2.LINE_AA)
    else:
        draw_blot(rng, coverage, (cx, y + tall * rng.uniform(0.3, 0.6)), min(wide * 0.45, tall * 0.3), tone)


def _arms_in_gap(
    rng: random.Random, coverage: NDArray[np.uint8], cx: int, cell: tuple[float, float, float], tone: int
) -> None:
    """Arms in the upper part of a gap, mostly over a hyphen."""
    y, wide, tall = cell
    reach, top = max(4, round(min(wide * 1.1, tall * 0.42))), round(y + tall * rng.uniform(0.02, 0.2))
    _put(coverage, crest(rng.randrange(CRESTS)), (cx - reach // 2, top, reach, round(reach * 1.15)), tone)
    if rng.random() < 0.6:
        level, half = round(y + tall * rng.uniform(0.5, 0.68)), max(2, round(wide * 0.3))
        cv2.rectangle(coverage, (cx - half, level), (cx + half, level + rng.randrange(2, 5)), 255, -1)


def _put(
    coverage: NDArray[np.uint8], picture: NDArray[np.uint8], box: tuple[int, int, int, int], tone: int
) -> None:
    """Scales a picture into the box x, y, width, height of the coverage, as dark as ``tone`` of 255."""
    x, y, wide, tall = max(0, box[0]), max(0, box[1]), box[2], box[3]
    target = coverage[y : y + tall, x : x + wide]
    if target.size:
        small = cv2.resize(picture, target.shape[::-1], interpolation=cv2.INTER_AREA)
        target[:] = cv2.convertScaleAbs(small, alpha=tone / 255)


def draw_emblem(
    rng: random.Random, coverage: NDArray[np.uint8], font: Font, cell: tuple[float, float, float, float]
) -> None:
    """A picture as tall as the characters: a badge, arms, a sun, small words, a tree, a scribble, shapes."""
    x, y, wide, tall = cell
    center, reach = (x + wide / 2, y + tall / 2), min(wide * rng.uniform(0.4, 0.55), tall * 0.6)
    kind = rng.random()
    if kind < 0.2:
        _badge(rng, coverage, center, reach)
    elif kind < 0.34:
        box = (round(center[0] - reach), round(center[1] - reach), round(2 * reach), round(2 * reach))
        _put(coverage, crest(rng.randrange(CRESTS)), box, rng.randrange(90, 256))
    elif kind < 0.44:
        _sun(rng, coverage, center, reach)
    elif kind < 0.56:
        _small_words(rng, coverage, font, cell)
    elif kind < 0.76:
        _strokes(rng, coverage, center, (reach, tall * rng.uniform(0.4, 0.6)), tree=kind < 0.66)
    else:
        for _ in range(rng.randrange(2, 6)):
            spot = (center[0] + reach * rng.uniform(-0.4, 0.4), center[1] + tall * rng.uniform(-0.25, 0.25))
            draw_blot(rng, coverage, spot, reach * rng.uniform(0.3, 1), rng.randrange(256))


def _sun(rng: random.Random, coverage: NDArray[np.uint8], center: tuple[float, float], reach: float) -> None:
    """A disc with rays, or a fruit or flower."""
    (cx, cy), tone = center, rng.randrange(90, 256)
    rays, turn = rng.choice((0, 4, 8, 12)), rng.uniform(0, 0.8)
    for k in range(rays):
        angle = turn + 2 * math.pi * k / rays
        tip = (round(cx + reach * math.cos(angle)), round(cy + reach * math.sin(angle)))
        cv2.line(coverage, (round(cx), round(cy)), tip, tone, rng.randrange(1, 4), cv2.LINE_AA)
    radius = max(3, round(reach * (rng.uniform(0.3, 0.6) if rays else rng.uniform(0.6, 0.95))))
    cv2.circle(coverage, (round(cx), round(cy)), radius, rng.randrange(60, 256), -1, cv2.LINE_AA)
    # Never an empty disc: that would be an O.
    for _ in range(2):
        spot = (cx + radius * rng.uniform(-0.4, 0.4), cy - radius * rng.uniform(0.2, 1.1))
        draw_blot(rng, coverage, spot, radius * 0.6, rng.randrange(256))


def _small_words(
    rng: random.Random, coverage: NDArray[np.uint8], font: Font, cell: tuple[float, float, float, float]
) -> None:
    """Two to four rows of letters far smaller than the number's, as of a university or a trade."""
    x, y, wide, tall = cell
    rows = rng.randrange(2, 5)
    size = tall * rng.uniform(0.13, 0.6 / rows)
    top = y + tall * rng.uniform(0, 1) * max(0.0, 1 - rows * size * 1.35 / tall)
    for row in range(rows):
        word = np.hstack([font.glyphs[rng.choice(LATIN)] for _ in range(rng.randrange(3, 9))])
        across = round(min(wide * 0.95, word.shape[1] * size / 64 * 1.2))
        left = round(x + (wide - across) / 2)
        _put(coverage, word, (left, round(top + row * size * 1.35), across, max(3, round(size))), 255)


def _badge(
    rng: random.Random, coverage: NDArray[np.uint8], center: tuple[float, float], reach: float
) -> None:
    """A round seal: rings, and something small inside."""
    middle, tone = (round(center[0]), round(center[1])), rng.randrange(90, 256)
    cv2.circle(coverage, middle, max(3, round(reach)), tone, rng.choice((-1, 1, 2, 3)), cv2.LINE_AA)
    cv2.circle(
        coverage, middle, max(2, round(reach * 0.72)), rng.randrange(256), rng.choice((-1, 1, 2)), cv2.LINE_AA
    )
    # Never an empty ring: that would be an O.
    for size in (0.6, 0.35):
        draw_blot(rng, coverage, center, reach * size, rng.randrange(256))


def _strokes(
    rng: random.Random,
    coverage: NDArray[np.uint8],
    center: tuple[float, float],
    reach: tuple[float, float],
    tree: bool,
) -> None:
    """A trunk with branches, or a scribble of short lines."""
    (cx, cy), (rx, ry), tone = center, reach, rng.randrange(90, 256)
    if tree:
        cv2.line(
            coverage, (round(cx), round(cy - ry)), (round(cx), round(cy + ry)), tone, rng.randrange(1, 4)
        )
    count = rng.randrange(6, 16)
    for k in range(count):
        share = k / count
        if tree:
            tip, level = rx * rng.uniform(0.3, 1) * (0.3 + 0.7 * share), cy - ry + 2 * ry * share
            ends = [(cx - tip, level + tip * 0.4), (cx, level), (cx + tip, level + tip * 0.4)]
        else:
            ends = [(cx + rng.uniform(-rx, rx), cy + rng.uniform(-ry, ry)) for _ in range(3)]
        points = np.round(ends).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(coverage, [points], False, tone, rng.randrange(1, 4), cv2.LINE_AA)


def draw_blot(
    rng: random.Random, image: NDArray[Any], center: tuple[float, float], reach: float, tone: float
) -> None:
    """A ragged filled shape, like a tree, an animal or the outline of a state."""
    angles = sorted(rng.uniform(0, 6.283) for _ in range(rng.randrange(4, 12)))
    points = [
        (
            center[0] + math.cos(a) * reach * rng.uniform(0.3, 1),
            center[1] + math.sin(a) * reach * rng.uniform(0.4, 1.2),
        )
        for a in angles
    ]
    cv2.fillPoly(image, [np.round(points).astype(np.int32)], tone, cv2.LINE_AA)
