"""Plate layouts of the world as data: what is written on a plate, and what else is drawn around it.

One module per part of the world; the pattern language is described in ``layout.py``.
"""

from __future__ import annotations

from lprfast.formats import africa_oceania, asia, europe, north_america, south_america
from lprfast.formats.layout import (
    DECORATION,
    DIGITS,
    LATIN,
    PROVINCES,
    SUFFIXES,
    PlateLayout,
    pattern_choices,
    pattern_regex,
    split_pattern,
)

LAYOUTS: tuple[PlateLayout, ...] = (
    europe.LAYOUTS
    + north_america.LAYOUTS
    + south_america.LAYOUTS
    + asia.LAYOUTS
    + africa_oceania.LAYOUTS
)  # fmt: skip

__all__ = [
    "DECORATION",
    "DIGITS",
    "LATIN",
    "LAYOUTS",
    "PROVINCES",
    "SUFFIXES",
    "PlateLayout",
    "pattern_choices",
    "pattern_regex",
    "split_pattern",
]
