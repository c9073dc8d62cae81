"""Glyph atlases: each font's characters as coverage images 64 px tall, drawn once and kept."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lprfast.formats import DIGITS, LATIN, PROVINCES, SUFFIXES
from training.synth import split
from training.synth.lettering import line_of_text
from training.synth.stroke_font import GLYPH_HEIGHT, draw_font

Gray = NDArray[np.uint8]

_FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
# Sans, condensed, DIN and road faces; a plate is never set in a decorative face.
_PLATE_FACES = re.compile(
    r"^(osp-din|din|rg2014|roadgeek|liberationsans|dejavusans|freesans|arial|helvetica|nimbussans|roboto|"
    r"overpass|barlow|oswald|archivonarrow|opensans|notosans-|ubuntu|bahnschrift|interstate|highway|"
    r"routed-gothic|osifont|dosis|cabin|lato)",
    re.I,
)
_UNFIT = re.compile(r"italic|oblique|light|thin|hairline|math|serif|symbol|emoji|awesome|black|display", re.I)
_HEADER_FACES = re.compile(r"^(liberation(sans|serif)|dejavu(sans|serif)|free(sans|serif))", re.I)
_CHINESE_FACES = re.compile(r"cjk|wqy|simhei|droidsansfallback|sourcehan", re.I)
_CHINESE_UNFIT = re.compile(r"thin|light|mono", re.I)
_WEIGHTS = (-1, 0, 1)


@dataclass(frozen=True)
class Font:
    """An atlas: coverage, uint8 [64, w] per character, cut to the ink; ``cell`` is a usual w."""

    name: str
    glyphs: dict[str, Gray]
    cell: float = 0.0


@functools.lru_cache(maxsize=1)
def _font_files() -> tuple[Path, ...]:
    found = (p for folder in _FONT_FOLDERS for p in Path(folder).expanduser().glob("**/*") if p.is_file())
    return tuple(sorted(p for p in found if p.suffix.lower() in {".ttf", ".otf", ".ttc"}))


def system_fonts(held_out: bool) -> tuple[str, ...]:
    """Names of the system's plate-like fonts on one side of the split, one per weight; may be empty."""
    files = [
        p
        for p in _font_files()
        if _PLATE_FACES.match(p.name)
        and not _UNFIT.search(p.name)
        and split.is_held_out_family(p.name) == held_out
    ]
    return tuple(f"system:{weight}:{p}" for p in files for weight in _WEIGHTS)


def stroke_fonts(held_out: bool) -> tuple[str, ...]:
    """Names of the fonts drawn by code on one side of the split."""
    indices = split.HELD_OUT_STROKE_FONTS if held_out else split.TRAINING_STROKE_FONTS
    return tuple(f"stroke:{index}" for index in indices)


def chinese_fonts(held_out: bool) -> tuple[str, ...]:
    """Names of fonts with Chinese characters; the held-out families only where there are any."""
    files = [p for p in _font_files() if _CHINESE_FACES.search(p.name) and not _CHINESE_UNFIT.search(p.name)]
    side = [p for p in files if split.is_held_out_family(p.name) == held_out]
    return tuple(f"chinese:{weight}:{p}" for p in side for weight in _WEIGHTS)


def header_fonts(held_out: bool) -> tuple[str, ...]:
    """Files for small texts that are not read: serif and slanted faces too, of one side of the split."""
    files = [str(p) for p in _font_files() if _HEADER_FACES.match(p.name) and "Mono" not in p.name]
    files = [file for file in files if split.is_held_out_family(Path(file).name) == held_out] or files
    return tuple(files[:: max(1, len(files) // 10)])


@functools.cache
def load_font(name: str) -> Font:
    """The atlas of a font named by one of the functions above."""
    kind, _, rest = name.partition(":")
    if kind == "stroke":
        return _font(name, draw_font(rest, DIGITS + LATIN))
    weight, _, path = rest.partition(":")
    characters = PROVINCES + SUFFIXES if kind == "chinese" else DIGITS + LATIN
    face = ImageFont.truetype(path, 128)
    return _font(name, {c: _system_glyph(face, c, int(weight)) for c in characters})


def _font(name: str, glyphs: dict[str, Gray]) -> Font:
    return Font(name, glyphs, float(np.median([glyph.shape[1] for glyph in glyphs.values()])))


def _system_glyph(face: ImageFont.FreeTypeFont, character: str, weight: int) -> Gray:
    image = _text_image(face, character)
    if weight:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5) if weight > 0 else (4, 4))
        padded = cv2.copyMakeBorder(image, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=0)
        image = _cut_to_ink(np.asarray((cv2.dilate if weight > 0 else cv2.erode)(padded, kernel), np.uint8))
    width = max(3, round(image.shape[1] * GLYPH_HEIGHT / image.shape[0]))
    return np.asarray(cv2.resize(image, (width, GLYPH_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


def _text_image(face: ImageFont.FreeTypeFont, text: str) -> Gray:
    left, top, right, bottom = (int(v) for v in face.getbbox(text))
    image = Image.new("L", (right - left + 4, bottom - top + 4))
    ImageDraw.Draw(image).text((2 - left, 2 - top), text, font=face, fill=255)
    return _cut_to_ink(np.array(image))


def _cut_to_ink(image: Gray) -> Gray:
    x, y, wide, tall = cv2.boundingRect((image > 40).view(np.uint8))
    return image[y : y + tall, x : x + wide] if wide else np.zeros((8, 8), np.uint8)


@functools.lru_cache(maxsize=1 << 14)  # names of dealers are invented: they would be kept for ever
def small_text(font: str, text: str) -> Gray:
    """A line of small text as coverage, uint8 [h, w] with h about 28: headers, slogans, dealer names."""
    if font.startswith("stroke:"):
        glyphs = load_font(font).glyphs
        gap = np.zeros((GLYPH_HEIGHT, 10), np.uint8)
        pieces = [part for c in text.upper() for part in (glyphs.get(c, np.repeat(gap, 2, 1)), gap)]
        image = np.hstack(pieces)
    else:
        image = _cut_to_ink(line_of_text(font, text, 32))
    width = max(4, round(image.shape[1] * 28 / image.shape[0]))
    return np.asarray(cv2.resize(image, (width, 28), interpolation=cv2.INTER_AREA), np.uint8)
