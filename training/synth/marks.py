"""What is drawn on a plate and not read: headers, stickers, bolts, frames, seals, pictures, small letters."""

from __future__ import annotations

import functools
import math
import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.formats import DIGITS, LATIN, PlateLayout
from training.synth import words
from training.synth.glyphs import Font, small_text

Image = NDArray[np.float32]


def stamp(
    face: Image,
    coverage: NDArray[np.uint8],
    center: tuple[float, float],
    size: tuple[float, float],
    tone: float,
) -> None:
    """Draws a small coverage image, scaled to ``size`` (w, h), around ``center`` (x, y)."""
    wide, tall = max(2, min(round(size[0]), face.shape[1])), max(2, min(round(size[1]), face.shape[0]))
    x = min(max(0, round(center[0] - wide / 2)), face.shape[1] - wide)
    y = min(max(0, round(center[1] - tall / 2)), face.shape[0] - tall)
    alpha = cv2.resize(coverage, (wide, tall), interpolation=cv2.INTER_AREA).astype(np.float32) * (1 / 255)
    target = face[y : y + tall, x : x + wide]
    target += (tone - target) * alpha


def small_prints(
    rng: random.Random, layout: PlateLayout, face: Image, font: str, paper: float, ink: float, level: float
) -> None:
    """Headers, slogans, country codes, stickers and bolts."""
    height, width = face.shape
    edge = paper if layout.ink != "panel" else ink
    other = ink if layout.ink != "panel" else paper
    faint = edge + (other - edge) * rng.uniform(0.4, 1.0)
    if layout.header and rng.random() < 0.92:
        text, at = _any_of(rng, layout.above, words.HEADERS), rng.uniform(0.09, 0.14)
        _print_line(rng, face, font, text, at, _readable(face, at, faint, edge))
    if layout.footer and rng.random() < 0.8:
        text, at = _any_of(rng, layout.below, words.FOOTERS), rng.uniform(0.87, 0.92)
        _print_line(rng, face, font, text, at, _readable(face, at, faint, edge))
    if "top" in layout.band:
        _print_line(rng, face, font, _any_of(rng, layout.above, words.HEADERS), 0.11, 235.0)
    if "left" in layout.band and rng.random() < 0.85:
        _country(rng, face, font, layout.code or rng.choice(words.COUNTRY_CODES))
    if layout.header and layout.footer and rng.random() < 0.6 * level:
        for x in rng.sample((0.1, 0.9), rng.randrange(1, 3)):
            _sticker(rng, face, font, (x * width, rng.choice((0.12, 0.12, 0.88)) * height))
    if layout.header and not layout.footer and rng.random() < 0.4 * level:
        # The seal of old Brazilian plates, beside the name of the city.
        draw_blot(rng, face, (width * 0.12, height * 0.14), height * 0.08, rng.choice((40.0, 240.0)))
    _bolts(rng, face, level)
    if layout.header and layout.footer and rng.random() < 0.2 * level:
        _dealer_frame(rng, face, font)


def _any_of(rng: random.Random, own: tuple[str, ...], generic: tuple[str, ...]) -> str:
    """One of a layout's own texts as it is written, or a generic one in either case."""
    if own:
        return rng.choice(own)
    text = rng.choice(generic)
    return text if rng.random() < 0.5 else text.upper()


def _readable(face: Image, y: float, tone: float, edge: float) -> float:
    """The tone of a text at height ``y``: on a dark strip across the plate it is the plate's own."""
    return edge if abs(float(face[round(y * face.shape[0]), 8]) - edge) > 60 else tone


def _country(rng: random.Random, face: Image, font: str, code: str) -> None:
    """What a band holds: a ring of stars, arms or nothing over the letters of the country."""
    height, width = face.shape
    band = float(face[height // 2, round(width * 0.02)])
    tone = rng.uniform(max(band, 120.0), 255.0) if rng.random() < 0.85 else rng.uniform(0, band)
    kind = rng.choice(("stars", "stars", "stars", "ring", "arms", ""))
    place = (width * rng.uniform(0.04, 0.05), height * 0.5)
    size = (width * rng.uniform(0.055, 0.075), height * rng.uniform(0.72, 0.86))
    stamp(face, _band_print(font, code, kind), place, size, tone)


@functools.cache
def _band_print(font: str, code: str, kind: str) -> NDArray[np.uint8]:
    """The inside of a band as coverage, uint8 [96, 32]."""
    out = np.zeros((96, 32), np.uint8)
    letters = small_text(font, code)
    wide = min(28, max(10, letters.shape[1]))
    left = (32 - wide) // 2
    out[70:92, left : left + wide] = cv2.resize(letters, (wide, 22), interpolation=cv2.INTER_AREA)
    if kind == "stars":
        for k in range(12):
            angle = k * math.pi / 6
            center = (round(16 + 13 * math.cos(angle)), round(26 + 17 * math.sin(angle)))
            cv2.circle(out, center, 2, 255, -1, cv2.LINE_AA)
    elif kind == "ring":
        cv2.ellipse(out, (16, 26), (12, 15), 0, 0, 360, 200, 3, cv2.LINE_AA)
    elif kind == "arms":
        shield = np.array([(4, 8), (28, 8), (27, 32), (16, 46), (5, 32)], np.int32)
        cv2.fillPoly(out, [shield], 160, cv2.LINE_AA)
        cv2.line(out, (16, 14), (16, 38), 255, 3)
        cv2.line(out, (9, 22), (23, 22), 255, 3)
    return out


def _print_line(rng: random.Random, face: Image, font: str, text: str, y: float, tone: float) -> None:
    height, width = face.shape
    coverage = small_text(font, text)
    tall = height * rng.uniform(0.1, 0.19)
    wide = min(width * 0.8, coverage.shape[1] * tall / 28 * rng.uniform(0.9, 1.5))
    stamp(face, coverage, (width * 0.5, height * y), (wide, tall), tone)


def _sticker(rng: random.Random, face: Image, font: str, center: tuple[float, float]) -> None:
    wide, tall = rng.uniform(0.1, 0.17) * face.shape[1], rng.uniform(0.12, 0.17) * face.shape[0]
    tone = rng.uniform(40, 250)
    stamp(face, np.full((4, 4), 255, np.uint8), center, (wide, tall), tone)
    text = small_text(font, "".join(rng.choice(DIGITS) for _ in range(2)))
    stamp(face, text, center, (wide * 0.7, tall * 0.7), 0.0 if tone > 120 else 240.0)


def _bolts(rng: random.Random, face: Image, level: float) -> None:
    height, width = face.shape
    if rng.random() < 0.25 + 0.5 * (1 - level) or level <= 0.05:
        return
    tone, radius = rng.choice((rng.uniform(0, 90), rng.uniform(150, 255))), rng.randrange(2, 5)
    y = rng.choice((0.08, 0.1, 0.5, 0.92))
    inset = rng.uniform(0.02, 0.04) if y == 0.5 else rng.uniform(0.15, 0.3)
    for x in (inset, 1 - inset):
        cv2.circle(face, (round(x * width), round(y * height)), radius, tone, -1)
        if y != 0.5 and rng.random() < 0.4:
            cv2.circle(face, (round(x * width), round((1 - y) * height)), radius, tone, -1)


def _dealer_frame(rng: random.Random, face: Image, font: str) -> None:
    """A frame that covers the plate's edges, with a dealer's name on its lower or upper bar."""
    height, width = face.shape
    tone = rng.choice((rng.uniform(0, 60), rng.uniform(120, 255)))
    side, bars = (
        max(1, round(width * rng.uniform(0.01, 0.03))),
        [round(height * rng.uniform(0.03, 0.14)) for _ in range(2)],
    )
    face[: bars[0]] = face[height - bars[1] :] = tone
    face[:, :side] = face[:, width - side :] = tone
    edge, bar = rng.choice(((bars[0] / 2, bars[0]), (height - bars[1] / 2, bars[1])))
    if bar >= 6:
        name = small_text(font, rng.choice(words.SLOGANS).upper())
        size = (min(width * 0.7, name.shape[1] * bar / 28), bar * 0.7)
        stamp(face, name, (width / 2, edge), size, 230.0 if tone < 110 else 20.0)


def draw_mark(
    rng: random.Random,
    coverage: NDArray[np.uint8],
    mark: str,
    font: Font,
    cell: tuple[float, float, float, float],
) -> None:
    """Draws what stands between characters and is no text, into the cell x, y, width, height."""
    x, y, wide, tall = cell
    cx, cy = round(x + wide / 2), round(y + tall * rng.uniform(0.46, 0.56))
    if mark == "-":
        half = max(2, round(wide * 0.34))
        cv2.rectangle(coverage, (cx - half, cy - 2), (cx + half, cy + rng.randrange(1, 4)), 255, -1)
    elif mark == ".":
        cv2.circle(coverage, (cx, cy), max(2, round(tall * rng.uniform(0.05, 0.08))), 255, -1, cv2.LINE_AA)
    elif mark == "*":
        _seal(rng, coverage, cx, y, wide, tall)
    elif mark == "&":
        _emblem(rng, coverage, cell)
    elif mark == "!":
        letters = [rng.choice(LATIN) for _ in range(rng.choice((2, 2, 3)))]
        small, fill = tall / len(letters), rng.uniform(0.78, 0.95)
        for k, letter in enumerate(letters):
            target = coverage[
                round(y + k * small) : round(y + (k + fill) * small), max(0, round(x)) : round(x + wide * 0.9)
            ]
            if target.size:
                target[:] = cv2.resize(font.glyphs[letter], target.shape[::-1], interpolation=cv2.INTER_AREA)


def _seal(
    rng: random.Random, coverage: NDArray[np.uint8], cx: int, y: float, wide: float, tall: float
) -> None:
    """One or two round seals, or a shield."""
    # Small and mostly faint: two dark discs would be an 8.
    tone = rng.choice((rng.randrange(60, 170), rng.randrange(60, 256)))
    radius = max(2, round(min(wide * 0.42, tall * rng.uniform(0.1, 0.17))))
    if rng.random() < 0.65:
        for share in (0.25, 0.75) if rng.random() < 0.7 else (0.5,):
            center = (cx, round(y + tall * share))
            cv2.circle(coverage, center, radius, tone, rng.choice((-1, 1, 1)), cv2.LINE_AA)
            cv2.circle(coverage, center, max(1, radius // 2), rng.randrange(180), -1, cv2.LINE_AA)
    else:
        draw_blot(rng, coverage, (cx, y + tall * rng.uniform(0.3, 0.6)), min(wide * 0.45, tall * 0.3), tone)


def _emblem(rng: random.Random, coverage: NDArray[np.uint8], cell: tuple[float, float, float, float]) -> None:
    """A picture as tall as the characters: a badge, a tree, a scribble or shapes one over the other."""
    x, y, wide, tall = cell
    center, reach = (x + wide / 2, y + tall / 2), min(wide * rng.uniform(0.4, 0.55), tall * 0.6)
    kind = rng.random()
    if kind < 0.3:
        _badge(rng, coverage, center, reach)
    elif kind < 0.65:
        _strokes(rng, coverage, center, (reach, tall * rng.uniform(0.4, 0.6)), tree=kind < 0.5)
    else:
        for _ in range(rng.randrange(2, 5)):
            spot = (center[0] + reach * rng.uniform(-0.4, 0.4), center[1] + tall * rng.uniform(-0.25, 0.25))
            draw_blot(rng, coverage, spot, reach * rng.uniform(0.4, 1), rng.randrange(40, 256))


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
