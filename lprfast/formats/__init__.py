"""Plate layouts of the world as data: what is written on a plate, and what else is drawn around it.

One module per part of the world; the pattern language is described in ``layout.py``.
"""

from __future__ import annotations

from lprfast.formats.groups import LAYOUTS, country_names, group_names, layouts_named
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
from lprfast.formats.prior import LayoutChoice, LayoutPrior, layout_prior

__all__ = [
    "DECORATION",
    "DIGITS",
    "LATIN",
    "LAYOUTS",
    "PROVINCES",
    "SUFFIXES",
    "LayoutChoice",
    "LayoutPrior",
    "PlateLayout",
    "country_names",
    "group_names",
    "layout_prior",
    "layouts_named",
    "pattern_choices",
    "pattern_regex",
    "split_pattern",
]
