"""The endless source of labelled synthetic crops."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.formats import PlateLayout
from training.synth import glyphs, negatives, split
from training.synth.camera import corners_in_crop, draw_optics, draw_view, photograph
from training.synth.plate import Fonts, Plate, draw_plate, draw_symbols

NEGATIVE_SHARE = 0.08
TWO_LINES = 1.7  # weight of layouts with two lines: a crop shows one of them, and both rows have to be right
MAX_WIDTH = 1024  # pixels; plates are drawn narrower than this
FLAT = 2.0  # gray levels; a crop of less contrast shows nothing
Width = tuple[int, int, float]


@dataclass(frozen=True)
class Sample:
    """A crop uint8 [h, w] at the camera's size, its target ("" if nothing is to be read), its layout.

    ``corners`` float32 [4, 2]: of the line of text that is read, or of both lines where two are seen and none
    is read; from the top left clockwise, as shares of the crop's width and height; None without a plate.
    ``whole``: the text of all lines that the crop shows, for readers that read two lines; "" where a line is
    missing or nothing is legible.
    """

    crop: NDArray[np.uint8]
    text: str
    layout: str
    corners: NDArray[np.float32] | None = None
    whole: str = ""

    def target(self, lines: int) -> str:
        """What a read of so many lines (``PlateRead.lines``) has to say to be right."""
        return self.whole if lines == 2 else self.text


class PlateGenerator:
    """Draws plates.

    Args:
        seed: same seed and settings, same samples.
        multi_scale: (LOW, HIGH), 0 < LOW <= HIGH <= 1. The full width of a crop is drawn in 100-200 px, the
            sampled width is that times U(LOW, HIGH); (1, 1) draws no small plate. Nothing else depends on it
            but which part of a two-line plate is shown.
        widths: (low, high, weight) in px, 1 to 1024, both ends included: a histogram to draw the full width
            from.
        difficulty: 0 (clean, frontal, large) to 1 (everything); may be set at any time.
        held_out: draw only what training never draws (see ``split``).
        system_fonts: False keeps to the fonts drawn by code, and leaves Chinese plates out.

    Raises:
        ValueError: an argument is out of range.
    """

    def __init__(
        self,
        seed: int,
        *,
        multi_scale: tuple[float, float] = (0.4, 1.0),
        widths: Sequence[Width] | None = None,
        difficulty: float = 1.0,
        held_out: bool = False,
        system_fonts: bool = True,
    ) -> None:
        low, high = multi_scale
        if not 0 < low <= high <= 1:
            raise ValueError(f"multi_scale: expected 0 < LOW <= HIGH <= 1, got {multi_scale}")
        if widths is not None:
            _check_widths(widths)
        cv2.setNumThreads(0)
        self._rng = random.Random(seed)
        self._sample_rng = random.Random()
        self.multi_scale = multi_scale
        self.widths = widths
        self.difficulty = difficulty
        self.library = Library(held_out, system_fonts)

    def reseed(self, seed: int) -> None:
        """Starts the stream of ``seed``; cheap, fonts and layouts stay loaded."""
        self._rng = random.Random(seed)

    @property
    def difficulty(self) -> float:
        """0 (clean, frontal, large) to 1 (everything)."""
        return self._difficulty

    @difficulty.setter
    def difficulty(self, value: float) -> None:
        if not 0 <= value <= 1:
            raise ValueError(f"difficulty: expected 0 to 1, got {value}")
        self._difficulty = value

    def sample(self) -> Sample:
        """The next sample."""
        rng = self._fresh_stream()
        level = self._difficulty
        width = self._draw_width(rng, level)
        if rng.random() < NEGATIVE_SHARE:
            return Sample(negatives.draw_crop(rng, self.library, level, width)[0], "", "negative")
        plate = self.library.plate(rng, level)
        return part_of(rng, plate, *self._photographed(rng, plate, width))

    def two_line_sample(self) -> Sample:
        """A whole plate of two lines, ``text`` empty as for ``sample``, both lines in ``whole``.

        Of any layout with two lines, held out or not: few are; only the fonts keep to their side.
        """
        rng = self._fresh_stream()
        width = self._draw_width(rng, self._difficulty)
        layouts = split.two_line_layouts(self.library.has_chinese)
        layout = rng.choices(layouts, [entry.weight for entry in layouts])[0]
        plate = self.library.plate(rng, self._difficulty, layout)
        crop, corners = self._photographed(rng, plate, width)
        return Sample(crop, "", layout.name, _around(corners), "".join(plate.lines))

    def _fresh_stream(self) -> random.Random:
        """A stream of its own for each sample: what one draws never shifts the next."""
        # Not made anew: that would seed twice.
        self._sample_rng.seed(self._rng.getrandbits(64))
        return self._sample_rng

    def _photographed(
        self, rng: random.Random, plate: Plate, width: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        view = draw_view(rng, self._difficulty, plate.layout.aspect)
        crop = photograph(rng, plate.canvas, plate.box, view, draw_optics(rng, self._difficulty), width)
        return crop, corners_in_crop(plate.box, view, plate.line_boxes)

    def _draw_width(self, rng: random.Random, level: float) -> int:
        low, high = self.multi_scale
        first, second = rng.random(), rng.random()
        if self.widths is None:
            full = 100 + 100 * (1 - level * (1 - first))
        else:
            bin_low, bin_high, _ = rng.choices(self.widths, [w for _, _, w in self.widths])[0]
            full = bin_low + (bin_high - bin_low) * first
        return max(8, round(full * (high - (high - low) * second * level)))


def _check_widths(widths: Sequence[Width]) -> None:
    sane = all(1 <= low <= high <= MAX_WIDTH and weight >= 0 for low, high, weight in widths)
    if not (sane and 0 < sum(weight for *_, weight in widths) < math.inf):
        raise ValueError(
            f"widths: expected at least one (low, high, weight) with 1 <= low <= high <= {MAX_WIDTH}, "
            f"weight >= 0, and a weight above 0, got {str(list(widths))[:120]}"
        )


def part_of(
    rng: random.Random, plate: Plate, crop: NDArray[np.uint8], corners: NDArray[np.float32]
) -> Sample:
    """A one-line plate as it is; of a two-line one the top (40 %), the bottom (40 %) or, unread, all.

    ``corners`` float32 [lines, 4, 2] as in ``Sample``.
    """
    name = plate.layout.name
    if float(cv2.meanStdDev(crop)[1][0, 0]) < FLAT:
        # Washed out by light or dark: nothing is left to read, and a target would teach guessing.
        return Sample(crop, "", name)
    if len(plate.lines) == 1:
        return Sample(crop, plate.lines[0], name, corners[0], plate.lines[0])
    rows = max(4, round(crop.shape[0] * rng.uniform(0.5, 0.58)))
    share, kind = rows / crop.shape[0], rng.random()
    scale = np.array([1, 1 / share], np.float32)
    if kind < 0.4:
        return Sample(crop[:rows], plate.lines[0], name, corners[0] * scale)
    if kind < 0.8:
        lower = corners[1] - np.array([0, 1 - share], np.float32)
        return Sample(crop[crop.shape[0] - rows :], plate.lines[1], name, lower * scale)
    return Sample(crop, "", name, _around(corners), "".join(plate.lines))


def _around(corners: NDArray[np.float32]) -> NDArray[np.float32]:
    """The corners of both lines of a plate together: top, bottom and the wider line's width."""
    both = np.concatenate([corners[0, :2], corners[1, 2:]])
    both[[0, 3], 0] += corners[:, [0, 3], 0].mean(axis=1).min() - both[[0, 3], 0].mean()
    both[[1, 2], 0] += corners[:, [1, 2], 0].mean(axis=1).max() - both[[1, 2], 0].mean()
    return both


class Library:
    """The layouts and fonts of one side of the split."""

    def __init__(self, held_out: bool, system_fonts: bool) -> None:
        self.held_out = held_out
        self._stroke = glyphs.stroke_fonts(held_out)
        self._system = glyphs.system_fonts(held_out) if system_fonts else ()
        # Chinese faces are few: without a held-out one, both sides share them.
        faces = glyphs.chinese_fonts(held_out) or glyphs.chinese_fonts(not held_out)
        self._chinese = faces if system_fonts else ()
        self._headers = glyphs.header_fonts(held_out) if system_fonts else ()
        self.has_chinese = bool(self._chinese)
        self.layouts = split.layouts(held_out, self.has_chinese)
        weights = (layout.weight * (TWO_LINES if layout.rows == 2 else 1) for layout in self.layouts)
        self._weights = list(itertools.accumulate(weights))

    def plate(
        self, rng: random.Random, level: float, layout: PlateLayout | None = None, *, blank: bool = False
    ) -> Plate:
        """A random plate, of the given layout or of any; ``blank``: with all but its number."""
        layout = layout or rng.choices(self.layouts, cum_weights=self._weights)[0]
        symbols = [[" "]] * layout.rows if blank else draw_symbols(rng, layout)
        return draw_plate(rng, layout, symbols, self._fonts(rng, layout), level)

    def small_font(self, rng: random.Random) -> str:
        """The name of a font for small text."""
        return rng.choice(self._headers or self._stroke)

    def negative_font(self, rng: random.Random) -> str:
        """A font for text that is no plate: one for small text, or a plate's own, so that none tells."""
        if self._system and rng.random() < 0.4:
            return rng.choice(self._system).split(":", 2)[2]
        return self.small_font(rng)

    def _fonts(self, rng: random.Random, layout: PlateLayout) -> Fonts:
        use_system = bool(self._system) and rng.random() < 0.5
        main = glyphs.load_font(rng.choice(self._system if use_system else self._stroke))
        chinese = glyphs.load_font(rng.choice(self._chinese)) if layout.needs_chinese else None
        return Fonts(main, chinese, self.small_font(rng))
