"""What stands in a plate's bands: arms, stars, flags, codes of countries and regions."""

from __future__ import annotations

import functools
import math
import random

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.formats import DIGITS, LATIN, PlateLayout
from training.synth import words
from training.synth.glyphs import small_text

Image = NDArray[np.float32]
CRESTS = 96  # different ones
_OUTLINES = (
    ((4, 3), (36, 3), (36, 26), (20, 46), (4, 26)),
    ((3, 3), (37, 3), (35, 34), (28, 43), (20, 46), (12, 43), (5, 34)),
    ((8, 2), (32, 2), (38, 16), (36, 34), (20, 46), (4, 34), (2, 16)),
    ((4, 10), (10, 2), (15, 10), (20, 1), (25, 10), (30, 2), (36, 10), (34, 36), (20, 46), (6, 36)),
)


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


@functools.cache
def crest(number: int) -> NDArray[np.uint8]:
    """Coat of arms ``number`` of ``CRESTS`` as coverage, uint8 [48, 40]: a shield, charges of other tones."""
    rng = random.Random(number)
    shield = np.zeros((48, 40), np.uint8)
    outline = [np.array(rng.choice(_OUTLINES), np.int32)]
    cv2.fillPoly(shield, outline, 255, cv2.LINE_AA)
    inside = np.full((48, 40), rng.randrange(40, 256), np.uint8)
    kind = rng.randrange(4)
    if kind == 0:
        inside[:, 20:] = rng.randrange(256)
        inside[24:] = 255 - inside[24:]
    elif kind == 1:
        # A cross with one bar or two.
        tone = 255 - int(inside[0, 0])
        cv2.line(inside, (20, 6), (20, 38), tone, rng.randrange(3, 6))
        for y in (14, 23)[: rng.randrange(1, 3)]:
            cv2.line(inside, (11, y), (29, y), tone, rng.randrange(3, 6))
    elif kind == 2:
        for y in range(4, 48, rng.randrange(7, 12)):
            cv2.line(inside, (0, y), (40, y + rng.randrange(-6, 7)), rng.randrange(256), rng.randrange(2, 5))
    for _ in range(rng.randrange(1, 4)):
        spot, size = (rng.randrange(10, 30), rng.randrange(8, 36)), (rng.randrange(2, 9), rng.randrange(2, 9))
        cv2.ellipse(inside, spot, size, rng.randrange(180), 0, 360, rng.randrange(256), -1, cv2.LINE_AA)
    cv2.polylines(inside, outline, True, rng.choice((255, 255, 90)), rng.randrange(1, 5))
    return np.minimum(shield, inside)


def bands(rng: random.Random, layout: PlateLayout, face: Image, font: str) -> None:
    """Fills the bands of a plate float32 [h, w] that has them already."""
    if "left" in layout.band and rng.random() < 0.85:
        _country(rng, face, font, layout.code or rng.choice(words.COUNTRY_CODES), "arms" in layout.band)
    if "right" in layout.band and rng.random() < 0.7:
        _region(rng, face, font)
    if "top" in layout.band:
        _flags(rng, face)
    if "side" in layout.band and rng.random() < 0.8:
        _side_codes(rng, face, font)


def _country(rng: random.Random, face: Image, font: str, code: str, arms: bool) -> None:
    """What a band holds: a ring of stars, arms or nothing over the letters of the country."""
    height, width = face.shape
    band = float(face[height // 2, round(width * 0.02)])
    if band > 140:
        # Of a band as bright as the paper the print is dark.
        tone = rng.uniform(0.0, 0.6 * band)
    else:
        tone = rng.uniform(max(band, 120.0), 255.0) if rng.random() < 0.9 else rng.uniform(0, band)
    kind = "arms" if arms else rng.choice(("stars", "stars", "stars", "stars", "ring", "arms", "arms", ""))
    place = (width * rng.uniform(0.04, 0.055), height * 0.5)
    size = (width * rng.uniform(0.055, 0.085), height * rng.uniform(0.72, 0.9))
    stamp(face, _band_print(font, code, kind, rng.randrange(CRESTS)), place, size, tone)


@functools.lru_cache(maxsize=4096)
def _band_print(font: str, code: str, kind: str, number: int) -> NDArray[np.uint8]:
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
        out[6:54, 1:31] = cv2.resize(crest(number), (30, 48), interpolation=cv2.INTER_AREA)
    return out


def _region(rng: random.Random, face: Image, font: str) -> None:
    """The right band: arms or a disc over a number or letters, as of France and Italy."""
    height, width = face.shape
    band = float(face[height // 2, width - 1 - round(width * 0.02)])
    tone = rng.uniform(170, 255) if band < 140 else rng.uniform(0, 0.5 * band)
    text = "".join(rng.choice(DIGITS if rng.random() < 0.6 else LATIN) for _ in range(2))
    x = width * rng.uniform(0.95, 0.965)
    stamp(face, small_text(font, text), (x, height * 0.76), (width * 0.055, height * 0.2), tone)
    if rng.random() < 0.7:
        stamp(face, crest(rng.randrange(CRESTS)), (x, height * 0.3), (width * 0.055, height * 0.36), tone)


def _flags(rng: random.Random, face: Image) -> None:
    """The emblem at the left end of a top band and the flag at its right end."""
    height, width = face.shape
    if rng.random() < 0.8:
        size = (width * rng.uniform(0.06, 0.09), height * rng.uniform(0.12, 0.17))
        flag = np.full((9, 12), 255, np.uint8)
        flag[rng.randrange(2, 5) : 6] = rng.randrange(200)
        stamp(face, flag, (width * rng.uniform(0.91, 0.94), height * 0.11), size, rng.uniform(0, 255))
    if rng.random() < 0.7:
        size = (width * 0.06, height * 0.14)
        stamp(face, crest(rng.randrange(CRESTS)), (width * 0.07, height * 0.11), size, rng.uniform(100, 255))


def _side_codes(rng: random.Random, face: Image, font: str) -> None:
    """A matrix code over the country's letters, before the first character."""
    height, width = face.shape
    x, tone = width * rng.uniform(0.045, 0.06), rng.uniform(0, 110)
    if rng.random() < 0.7:
        code = np.frombuffer(rng.randbytes(100), np.uint8).reshape(10, 10)
        code = np.where(code > 120, 255, 0).astype(np.uint8)
        stamp(face, code, (x, height * rng.uniform(0.36, 0.46)), (width * 0.05, height * 0.17), tone)
    text = small_text(font, rng.choice(("BR", "BR", "RA", "UY", "PY")))
    stamp(face, text, (x, height * rng.uniform(0.8, 0.88)), (width * 0.05, height * 0.12), tone)
