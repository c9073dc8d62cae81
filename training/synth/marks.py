"""What is drawn on a plate and not read: headers, stickers, bolts, frames, seals, pictures, small letters."""

from __future__ import annotations

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.formats import DIGITS, LATIN, PlateLayout
from training.synth import words
from training.synth.bands import bands, stamp
from training.synth.glyphs import Font, small_text
from training.synth.pictures import draw_blot, draw_emblem, draw_seal

Image = NDArray[np.float32]


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
    bands(rng, layout, face, font)
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


def holder_text(
    rng: random.Random, canvas: NDArray[np.uint8], box: tuple[int, int, int, int], font: str
) -> None:
    """The bar of a plate holder under (or over) the plate, with the name of a dealer on it."""
    x, y, width, height = box
    bar = round(max(8.0, height * rng.uniform(0.12, 0.25)))
    top = y + height + rng.randrange(3) if rng.random() < 0.8 else y - bar
    strip = canvas[max(0, top) : top + bar, x : x + width]
    if strip.shape[0] < 6:
        return
    dark = rng.random() < 0.7
    face = np.full(strip.shape, rng.uniform(5, 60) if dark else rng.uniform(150, 250), np.float32)
    name = small_text(font, rng.choice((words.brand(rng), words.web_address(rng), rng.choice(words.SLOGANS))))
    size = (min(width * 0.8, name.shape[1] * bar / 28), strip.shape[0] * rng.uniform(0.6, 0.85))
    stamp(face, name, (width * rng.uniform(0.35, 0.65), strip.shape[0] / 2), size, 235.0 if dark else 20.0)
    strip[:] = face.astype(np.uint8)


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
        draw_seal(rng, coverage, cx, y, wide, tall)
    elif mark == "&":
        draw_emblem(rng, coverage, font, cell)
    elif mark == "!":
        letters = [rng.choice(LATIN) for _ in range(rng.choice((2, 2, 3)))]
        small, fill = tall / len(letters), rng.uniform(0.78, 0.95)
        for k, letter in enumerate(letters):
            target = coverage[
                round(y + k * small) : round(y + (k + fill) * small), max(0, round(x)) : round(x + wide * 0.9)
            ]
            if target.size:
                target[:] = cv2.resize(font.glyphs[letter], target.shape[::-1], interpolation=cv2.INTER_AREA)
