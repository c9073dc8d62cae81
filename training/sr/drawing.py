"""Charts as RGB pictures, drawn with Pillow: lines, heat maps, rows of crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.sr.pairs import Image as Pixels

_COLOURS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#7f7f7f", "#bcbd22")
_SIZE, _LEFT, _TOP, _BELOW, _NAMES = (640, 360), 64, 24, 40, 150
_CELL, _KIND, _BESIDE = (72, 30), 110, 3  # of a heat map: pixels, and panels beside each other
_LOW, _HIGH = (247, 251, 255), (8, 69, 148)
_RIGHT, _WRONG, _PLAIN = "#1a7f37", "#b42318", "#222222"
_TEXT = 18

Lines = Mapping[str, Sequence[tuple[float, float]]]
Heat = Mapping[str, Sequence[tuple[str, float | None]]]


def _font(size: int = 12) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)  # Latin only


def save(path: Path, picture: Image.Image) -> None:
    """As PNG.

    Raises:
        ValueError: it cannot be written.
    """
    try:
        picture.save(path, format="PNG")
    except OSError as error:
        raise ValueError(f"{path}: cannot be written: {error.strerror or error}") from None


def line_chart(lines: Lines, x_name: str, y_name: str) -> Image.Image:
    """Lines of (x, y) by name, with a gray line at y = 0 and the names at the right.

    Raises:
        ValueError: there is no point.
    """
    points = [point for line in lines.values() for point in line]
    if not points:
        raise ValueError("expected at least one point to draw")
    picture = Image.new("RGB", _SIZE, "white")
    pen = ImageDraw.Draw(picture)
    frame = _Frame.around(points)
    for share in range(5):
        x, y = frame.at(share / 4)
        pen.text((frame.pixel(x, 0)[0], _SIZE[1] - _BELOW + 4), f"{x:.4g}", "black", _font(), anchor="ma")
        pen.text((_LEFT - 6, frame.pixel(0, y)[1]), f"{y:.3g}", "black", _font(), anchor="rm")
    pen.line([frame.pixel(frame.x[0], 0), frame.pixel(frame.x[1], 0)], "#999999")
    pen.text((_SIZE[0] // 2, _SIZE[1] - 16), x_name, "black", _font(), anchor="ma")
    pen.text((_LEFT, 6), y_name, "black", _font())
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        places = [frame.pixel(*point) for point in line]
        pen.line(places, colour, 2)
        for x, y in places:
            pen.ellipse((x - 3, y - 3, x + 3, y + 3), colour)
        pen.text((_SIZE[0] - _NAMES + 14, _TOP + 16 * number), name, colour, _font(), anchor="la")
    return picture


@dataclass(frozen=True)
class _Frame:
    x: tuple[float, float]
    y: tuple[float, float]

    @classmethod
    def around(cls, points: Sequence[tuple[float, float]]) -> _Frame:
        x, y = [point[0] for point in points], [0.0, *(point[1] for point in points)]
        return cls((min(x), max(x)), (min(y), max(y)))

    def at(self, share: float) -> tuple[float, float]:
        (left, right), (low, high) = self.x, self.y
        return left + share * (right - left), low + share * (high - low)

    def pixel(self, x: float, y: float) -> tuple[float, float]:
        (left, right), (low, high) = self.x, self.y
        wide, tall = _SIZE[0] - _LEFT - _NAMES, _SIZE[1] - _TOP - _BELOW
        return (
            _LEFT + wide * (x - left) / ((right - left) or 1),
            _TOP + tall * (1 - (y - low) / ((high - low) or 1)),
        )


def heat_map(panels: Mapping[str, Heat], title: str, form: str) -> Image.Image:
    """Panels, three beside each other, of one colour scale: a row of cells for each kind, labels above them.

    Args:
        panels: name -> kind -> (label, value) from left to right; None is left white.
        title: stands above.
        form: a format of values, such as ``.0%``.

    Raises:
        ValueError: there is no value.
    """
    values = [v for heat in panels.values() for row in heat.values() for _, v in row if v is not None]
    if not values:
        raise ValueError("expected at least one value to draw")
    columns = max(len(row) for heat in panels.values() for row in heat.values())
    rows = max(len(heat) for heat in panels.values())
    wide, tall = _KIND + columns * _CELL[0] + 16, 24 + rows * (_CELL[1] + _TEXT)
    beside = min(len(panels), _BESIDE)
    picture = Image.new("RGB", (wide * beside, 24 + tall * -(-len(panels) // beside)), "white")
    pen = ImageDraw.Draw(picture)
    pen.text((8, 4), title, "black", _font(13))
    for number, (name, heat) in enumerate(panels.items()):
        place = (number % beside * wide + 8, 24 + number // beside * tall)
        _panel(pen, place, name, heat, (min(values), max(values)), form)
    return picture


def _panel(
    pen: ImageDraw.ImageDraw,
    place: tuple[int, int],
    name: str,
    heat: Heat,
    scale: tuple[float, float],
    form: str,
) -> None:
    left, top = place
    pen.text((left, top), name, "black", _font(13))
    for index, (kind, row) in enumerate(heat.items()):
        y = top + 20 + index * (_CELL[1] + _TEXT)
        pen.text((left, y + _TEXT + 8), kind, "black", _font())
        for column, (label, value) in enumerate(row):
            _cell(pen, (left + _KIND + column * _CELL[0], y), label, value, scale, form)


def _cell(
    pen: ImageDraw.ImageDraw,
    place: tuple[int, int],
    label: str,
    value: float | None,
    scale: tuple[float, float],
    form: str,
) -> None:
    x, y = place
    pen.text((x + _CELL[0] // 2, y + 3), label, "#555555", _font(11), anchor="ma")
    if value is None:
        return
    share = (value - scale[0]) / ((scale[1] - scale[0]) or 1)
    fill = tuple(round(a + share * (b - a)) for a, b in zip(_LOW, _HIGH, strict=True))
    pen.rectangle((x, y + _TEXT, x + _CELL[0] - 2, y + _TEXT + _CELL[1] - 2), fill)
    middle = (x + _CELL[0] // 2, y + _TEXT + _CELL[1] // 2)
    pen.text(middle, format(value, form), "white" if share > 0.5 else "black", _font(), anchor="mm")


@dataclass(frozen=True)
class Panel:
    """One picture of a grid, gray or BGR uint8, the text under it, and whether that is right."""

    image: Pixels
    text: str
    right: bool | None = None


def crop_grid(headers: Sequence[str], rows: Sequence[Sequence[Panel]], width: int = 200) -> Image.Image:
    """Rows of panels under their headers, each enlarged or made small to ``width`` px by repeating pixels.

    Raises:
        ValueError: there is no row, or one has not as many panels as there are headers.
    """
    if not rows or any(len(row) != len(headers) for row in rows):
        raise ValueError("expected at least one row, and in each as many panels as headers")
    heights = [max(_height(panel.image, width) for panel in row) for row in rows]
    size = ((width + 8) * len(headers), 24 + sum(height + _TEXT + 8 for height in heights))
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    for column, header in enumerate(headers):
        pen.text((column * (width + 8) + 4, 4), header, "black", _font())
    top = 24
    for row, height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            left = column * (width + 8) + 4
            picture.paste(_pasted(panel.image, width), (left, top))
            colour = {True: _RIGHT, False: _WRONG, None: _PLAIN}[panel.right]
            pen.text((left, top + height + 2), panel.text or "-", colour, _font(13))
        top += height + _TEXT + 8
    return picture


def _height(image: Pixels, width: int) -> int:
    height, own = image.shape[:2]
    return max(1, int(width * height / own + 0.5))


def _pasted(image: Pixels, width: int) -> Image.Image:
    rgb = image if image.ndim == 2 else np.ascontiguousarray(image[:, :, ::-1])
    given = Image.fromarray(rgb).convert("RGB")
    return given.resize((width, _height(image, width)), Image.Resampling.NEAREST)
