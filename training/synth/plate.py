"""Draws one plate, with what surrounds it, on a gray canvas."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.formats import PROVINCES, SUFFIXES, PlateLayout, pattern_choices, split_pattern
from training.synth import marks, surface, words
from training.synth.chinese import ChineseLook, chinese_look, pressed
from training.synth.glyphs import Font

Image = NDArray[np.float32]
Box = tuple[float, float, float, float]
CANVAS_WIDTH = 208
TWINS_SHARE = 0.6  # of the plates whose country draws two characters alike
PITCH_SHARE = 0.75  # of the lines whose country has a pitch of its own
_CHINESE = frozenset(PROVINCES + SUFFIXES)
# Widths of what is drawn but not read, in character heights.
_GAPS = {
    " ": (0.2, 0.5),
    "-": (0.25, 0.4),
    ".": (0.2, 0.35),
    "*": (0.45, 0.65),
    "&": (0.6, 1.5),
    "!": (0.35, 0.55),
}


@dataclass(frozen=True)
class Fonts:
    """The faces of one plate; ``chinese`` is None where no Chinese character is drawn."""

    main: Font
    chinese: Font | None
    small: str


@dataclass(frozen=True)
class Plate:
    """A plate on its canvas: ``canvas`` uint8 [h, w], ``box`` x, y, width, height of the plate there.

    ``line_boxes``: the same of each line's text, from its first to its last character that is read.
    """

    canvas: NDArray[np.uint8]
    box: tuple[int, int, int, int]
    lines: tuple[str, ...]
    layout: PlateLayout
    line_boxes: tuple[Box, ...]


@dataclass(frozen=True)
class _Area:
    """Where one line of characters goes, px on the canvas; ``wide`` widens its characters."""

    left: float
    right: float
    top: float
    height: float
    wide: float = 1.0


def draw_symbols(rng: random.Random, layout: PlateLayout, free_share: float | None = None) -> list[list[str]]:
    """The symbols of a plate per line, decoration included; a share of them follows no pattern."""
    if free_share is None:
        # Chosen numbers belong to plates with a header and a slogan; elsewhere they blur what a pattern says
        # of 0 and O or of 1 and I.
        free_share = 0.25 if layout.header and layout.footer else 0.07
    if layout.rows == 1 and not layout.needs_chinese and rng.random() < free_share:
        return [words.free_symbols(rng)]
    lines: list[list[str]] = [[]]
    for symbol in split_pattern(rng.choice(layout.patterns)):
        choices = pattern_choices(symbol, layout.letters)
        if symbol == "/":
            lines.append([])
        else:
            lines[-1].extend(rng.choice(choices) if choices else symbol)
    return lines


def draw_plate(
    rng: random.Random, layout: PlateLayout, lines: list[list[str]], fonts: Fonts, level: float
) -> Plate:
    """Composes a plate; ``level`` in 0-1 is how much wear and clutter it gets."""
    width = CANVAS_WIDTH
    height = round(width / (layout.aspect * rng.uniform(0.94, 1.06)))
    pad_x, pad_y = round(width * 0.14), round(max(height * 0.3, width * 0.16))
    box = (pad_x, pad_y, width, height)
    canvas = surface.surroundings(rng, (height + 2 * pad_y, width + 2 * pad_x), pad_y, level)
    paper, ink = _tones(rng, layout, level)
    face = surface.plate_face(rng, layout, (height, width), paper, ink)
    texts = tuple("".join(s for s in line if s not in _GAPS) for line in lines)
    if layout.twins and rng.random() < TWINS_SHARE and _told_apart(layout, "".join(texts)):
        # Only where the pattern tells the twins apart: elsewhere the target would teach guessing.
        fonts = replace(fonts, main=_twin_glyphs(fonts.main, layout.twins))
    coverage, boxes = _coverage(rng, layout, lines, fonts, (height, width))
    surface.chip_paint(rng, coverage, level)
    surface.fade(rng, coverage, level)
    marks.small_prints(rng, layout, face, fonts.small, paper, ink, level)
    ink = paper + (ink - paper) * _strength(rng, layout, level)
    surface.ink_onto(face, coverage, ink, relief=rng.uniform(0, 28) if rng.random() < 0.6 else 0.0)
    surface.wear(rng, face, level)
    surface.place(rng, canvas, face, box, level)
    if rng.random() < 0.12 * level:
        marks.holder_text(rng, canvas, box, fonts.small)
    surface.cover(rng, canvas, box, level)
    return Plate(canvas, box, texts, layout, tuple((x + pad_x, y + pad_y, w, h) for x, y, w, h in boxes))


def _told_apart(layout: PlateLayout, text: str) -> bool:
    """Whether the layout's patterns say of every twin in a text which of the two it is."""
    other = {pair[k]: pair[1 - k] for pair in layout.twins for k in (0, 1)}
    swapped = (text[:i] + other[c] + text[i + 1 :] for i, c in enumerate(text) if c in other)
    return layout.matches(text) and not any(layout.matches(t) for t in swapped)


def _twin_glyphs(font: Font, twins: tuple[str, ...]) -> Font:
    glyphs = dict(font.glyphs)
    for pair in twins:
        drawn, like = pair[0], pair[1]
        if like == "I":
            # A bar as thick as the stem: the I of some faces has serifs, the twin of 1 never.
            stem = max(4, int((glyphs["I"][28:36] > 128).sum(axis=1).min()))
            glyphs["I"] = np.full((glyphs["I"].shape[0], stem), 255, np.uint8)
        glyphs[drawn] = glyphs[like]
    return replace(font, glyphs=glyphs)


def _tones(rng: random.Random, layout: PlateLayout, level: float) -> tuple[float, float]:
    """Gray of the paper and of the ink."""
    bright, dark = rng.uniform(235 - 95 * level, 250), rng.uniform(5, 20 + 80 * level)
    inverted = layout.ink != "dark" or rng.random() < 0.04 * level
    return (dark, bright) if inverted else (bright, dark)


def _strength(rng: random.Random, layout: PlateLayout, level: float) -> float:
    """Contrast of the number as a share of that of the small prints: yellow on turquoise has little."""
    pale = 0.1 if layout.header and layout.footer else 0.06
    return rng.uniform(0.25, 0.6) if rng.random() < pale * level else 1.0


def _coverage(
    rng: random.Random, layout: PlateLayout, lines: list[list[str]], fonts: Fonts, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], list[Box]]:
    coverage = np.zeros(size, np.uint8)
    areas = zip(_areas(rng, layout, size), lines, strict=True)
    boxes = [_draw_line(rng, coverage, symbols, fonts, area, layout.pitch) for area, symbols in areas]
    return coverage, boxes


def _areas(rng: random.Random, layout: PlateLayout, size: tuple[int, int]) -> list[_Area]:
    height, width = size
    banded = "left" in layout.band or "side" in layout.band
    left = width * (0.1 if banded else 0.025) + rng.uniform(0, 0.03) * width
    right = width * (0.91 if "right" in layout.band else 0.975) - rng.uniform(0, 0.03) * width
    if layout.ink == "panel":
        # The first and last character may touch the light frame.
        inset = rng.uniform(0.03, 0.06) * width
        left, right = left + inset, right - inset
    tall = min(layout.height * rng.uniform(0.92, 1.1), 0.86) * height
    if layout.rows == 2:
        first = tall * (rng.choice((1.0, 1.0, 0.75)) if layout.upper == 1 else layout.upper)
        top = max(0.04 * height, (height * rng.uniform(0.92, 1.0) - first - tall) / 2 - 0.02 * height)
        second = min(top + first + rng.uniform(0.05, 0.1) * height, height * 0.97 - tall)
        # A low upper row has characters as wide as those below.
        return [_Area(left, right, top, first, 1 / layout.upper), _Area(left, right, second, tall)]
    middle = 0.5 + (0.11 if "top" in layout.band else 0.0) + rng.gauss(0, 0.012)
    middle += (
        0.07 if layout.header and not layout.footer else -0.04 if layout.footer and not layout.header else 0.0
    )
    return [_Area(left, right, min(max(0.02, middle - tall / height / 2) * height, height - tall - 1), tall)]


def _cell_widths(
    rng: random.Random, symbols: list[str], font: Font, height: float, pitch: float, same_cell: bool
) -> tuple[list[float], float]:
    """Widths of the cells in px before fitting, and the px that a px of a glyph takes."""
    gap = rng.uniform(0.1, 0.26) * height
    stretch = rng.uniform(0.85, 1.1) * height / 64
    if pitch:
        stretch = max(0.3 * height, pitch * height * rng.uniform(0.94, 1.06) - gap) / font.cell
    cell = font.cell * stretch
    scale = {mark: rng.uniform(*bounds) * height for mark, bounds in _GAPS.items()}
    out = []
    for symbol in symbols:
        if symbol in scale:
            out.append(scale[symbol])
        elif symbol in _CHINESE:
            out.append((cell if pitch else 0.55 * height) + gap)
        else:
            out.append((cell if same_cell else font.glyphs[symbol].shape[1] * stretch) + gap)
    return out, stretch


def _draw_line(
    rng: random.Random,
    coverage: NDArray[np.uint8],
    symbols: list[str],
    fonts: Fonts,
    area: _Area,
    pitch: float,
) -> Box:
    """Draws a line's symbols; the box around those that are read."""
    pitch = pitch if rng.random() < PITCH_SHARE else 0.0
    same_cell = rng.random() < 0.6
    cells, stretch = _cell_widths(rng, symbols, fonts.main, area.height * area.wide, pitch, same_cell)
    room = area.right - area.left
    widest = rng.uniform(0.95, 1.12) if pitch else rng.uniform(1.0, 1.35)
    fit = min(room * rng.uniform(0.8, 1.0) / sum(cells), widest)
    # Mostly about the middle; at either end it touches a band or the edge.
    side = rng.uniform(0.2, 0.8) if rng.random() < 0.8 else rng.choice((0.0, 0.0, 0.03, 1.0))
    x = area.left + (room - sum(cells) * fit) * side
    ink_share, look = rng.uniform(0.8, 0.9), chinese_look(rng) if fonts.chinese else None
    first, last = area.right, area.left
    for symbol, cell in zip(symbols, (cell * fit for cell in cells), strict=True):
        if symbol in _GAPS:
            marks.draw_mark(rng, coverage, symbol, fonts.main, (x, area.top, cell, area.height))
        else:
            if symbol in _CHINESE and fonts.chinese and look:
                ink = min(cell, cell * ink_share * look.width)
                _paste_chinese(coverage, fonts.chinese.glyphs[symbol], look, x + (cell - ink) / 2, ink, area)
            else:
                glyph = fonts.main.glyphs[symbol]
                own = glyph.shape[1] * stretch * fit
                # A narrow I or 1 stays narrow.
                ink = min(cell * 0.95, own) if same_cell else min(cell * ink_share, own * 1.25)
                _paste(coverage, glyph, x + (cell - ink) / 2, area.top, ink, area.height)
            first, last = min(first, x + (cell - ink) / 2), max(last, x + (cell + ink) / 2)
        x += cell
    return first, area.top, last - first, area.height


def _paste_chinese(
    coverage: NDArray[np.uint8],
    glyph: NDArray[np.uint8],
    look: ChineseLook,
    x: float,
    width: float,
    area: _Area,
) -> None:
    tall = area.height * look.height
    _paste(coverage, pressed(glyph, look), x, area.top + (area.height - tall) * look.level, width, tall)


def _paste(
    coverage: NDArray[np.uint8], glyph: NDArray[np.uint8], x: float, y: float, width: float, height: float
) -> None:
    left, top, wide, tall = round(x), round(y), max(2, round(width)), max(4, round(height))
    left, top = min(max(0, left), coverage.shape[1] - wide), min(max(0, top), coverage.shape[0] - tall)
    target = coverage[top : top + tall, left : left + wide]
    # Written over what is there: characters never overlap.
    cv2.resize(glyph, (wide, tall), dst=target, interpolation=cv2.INTER_LINEAR)
