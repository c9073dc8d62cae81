"""The characters that the synthetic plates are written with."""

from __future__ import annotations

from lprfast.formats import DIGITS, LATIN, PROVINCES, SUFFIXES

CHARSET: tuple[str, ...] = tuple(DIGITS + LATIN + PROVINCES + SUFFIXES)
