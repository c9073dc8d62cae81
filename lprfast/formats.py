"""Plate layouts as data: what is written on the plates of a country, and what else is drawn around it.

Pattern language, one character each: ``L`` a letter of the layout, ``D`` a digit, ``X`` either, ``P`` a
province character, ``S`` a Chinese suffix, ``[AB]`` one of these, ``/`` the next line. Drawn but no text:
space (a gap), ``-`` and ``.`` (a hyphen, a dot), ``*`` (a seal), ``&`` (a picture), ``!`` (small stacked
letters).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
SUFFIXES = "学警港澳挂使领应急民航"
DIGITS = "0123456789"
LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DECORATION = " -.*&!"
_CLASSES = {"D": DIGITS, "P": PROVINCES, "S": SUFFIXES}


@dataclass(frozen=True)
class PlateLayout:
    """One kind of plate.

    ``aspect`` is width by height, ``height`` the share of the plate's height that one line of characters
    takes. ``ink`` is ``dark`` (dark on light), ``light`` (light on dark) or ``panel`` (light on a dark panel
    inside a light plate). ``band`` names the bands (``left``, ``right``, ``top``), ``header`` and ``footer``
    say whether small text stands above and below. ``weight`` is how often training draws it.
    """

    name: str
    patterns: tuple[str, ...]
    letters: str = LATIN
    aspect: float = 4.6
    height: float = 0.7
    ink: str = "dark"
    band: str = ""
    header: bool = False
    footer: bool = False
    weight: float = 1.0

    @property
    def rows(self) -> int:
        """Number of full-height lines, 1 or 2."""
        return 2 if "/" in self.patterns[0] else 1

    @functools.cached_property
    def needs_chinese(self) -> bool:
        """Whether a text of this layout holds a Chinese character."""
        return any(symbol in "PS" for pattern in self.patterns for symbol in split_pattern(pattern))

    def matches(self, text: str) -> bool:
        """Whether a text follows one of the patterns (lines joined, decoration left out)."""
        return any(re.fullmatch(pattern_regex(p, self.letters), text) for p in self.patterns)


@functools.cache
def split_pattern(pattern: str) -> tuple[str, ...]:
    """A pattern as its symbols: single characters and ``[...]`` classes."""
    return tuple(re.findall(r"\[[^\]]+\]|.", pattern))


def pattern_choices(symbol: str, letters: str) -> str:
    """The characters that one symbol of a pattern may stand for; empty for decoration and line breaks."""
    if symbol.startswith("["):
        return symbol[1:-1]
    if symbol == "L":
        return letters
    return letters + DIGITS if symbol == "X" else _CLASSES.get(symbol, "")


def pattern_regex(pattern: str, letters: str) -> str:
    """A regular expression that the texts of a pattern match."""
    choices = (pattern_choices(symbol, letters) for symbol in split_pattern(pattern))
    return "".join(f"[{c}]" for c in choices if c)


def _without(removed: str) -> str:
    return "".join(c for c in LATIN if c not in removed)


_CONSONANTS = _without("AEIOUQ")
_GREEK = "ABEZHIKMNOPTYX"
_CYRILLIC = "ABEKMHOPCTYX"


def _eu(
    name: str, *patterns: str, letters: str = LATIN, weight: float = 0.6, band: str = "left"
) -> PlateLayout:
    return PlateLayout(name, patterns, letters, aspect=4.64, height=0.7, band=band, weight=weight)


def _us(
    name: str, *patterns: str, letters: str = LATIN, weight: float = 0.9, ink: str = "dark"
) -> PlateLayout:
    return PlateLayout(
        name, patterns, letters, aspect=2.0, height=0.47, ink=ink, header=True, footer=True, weight=weight
    )


def _wide(name: str, *patterns: str, letters: str = LATIN, aspect: float = 4.4, ink: str = "dark",
          weight: float = 0.4) -> PlateLayout:  # fmt: skip
    return PlateLayout(name, patterns, letters, aspect=aspect, height=0.68, ink=ink, weight=weight)


def _two(name: str, *patterns: str, letters: str = LATIN, aspect: float = 1.4, ink: str = "dark",
         weight: float = 0.6) -> PlateLayout:  # fmt: skip
    return PlateLayout(name, patterns, letters, aspect=aspect, height=0.38, ink=ink, weight=weight)


_EUROPE = (
    _eu("sk", "LL*DDDLL", "LL-DDDLL", "LL* DDDLL", letters=_without("QW"), weight=1.6),
    _eu("sk_2023", "LL DDDLL", letters=_without("QW")),
    _eu("cz", "DLD*DDDD", "DLD DDDD", "DLL*DDDD", letters=_without("GOQW"), weight=1.4),
    _eu("cz_old", "LLL*DD-DD", "LL*DD-DD", "LLL DD-DD", letters=_without("QW"), weight=0.7, band=""),
    _eu("ro", "[B] DD LLL", "[B] DDD LLL", "LL DD LLL", "[B] DDLLL", "LL DDLLL", letters=_without("Q"),
        weight=2.2),
    _eu("ro_temporary", "LL DDDDDD", "[B] DDDDDD", "LL DDDDD", letters=_without("QIO"), weight=0.5),
    _eu("de", "L*LL DDDD", "LL*LL DDD", "LLL*LL DDD", "L*L DDDD", "LL*L DDD", "LLL*L DDDD", "L*LL DD",
        "LL*LL DD", "LL*LL DDDD", "L*LL DDD", weight=2.4),
    _eu("fr", "LL-DDD-LL", letters=_without("IOU"), weight=1.2, band="left right"),
    _eu("fr_old", "DDDD LL DD", "DDD LLL DD", "DDD LL DD", letters=_without("IO"), weight=0.5, band=""),
    _eu("it", "LL DDDLL", "LLDDDLL", "LL*DDDLL", letters=_without("IOQU"), weight=1.2, band="left right"),
    _eu("es", "DDDD LLL", letters=_CONSONANTS, weight=1.0),
    _eu("es_old", "L-DDDD-LL", "LL-DDDD-LL", "LL DDDD L", weight=0.4, band=""),
    _eu("pl", "LL DDDDD", "LLL DDDD", "LLL DDLL", "LL DDDDL", "LLL LDDD", "LLL DLLD", "LLL*DDDDD", "LL*DDDLL",
        letters=_without("Q"), weight=1.4),
    _eu("hu", "LLL-DDD", "LLL*DDD", weight=0.9),
    _eu("hu_2022", "LL LL-DDD", "LL LL*DDD", weight=0.5),
    _eu("at", "L*DDDDL", "LL*DDDLL", "L*DDDDLL", "LL*DDDL", "[W]*DDDDDL", letters=_without("IOQ"),
        weight=0.9),
    _eu("nl", "DD-LL-LL", "LL-LL-DD", "DD-LLL-D", "D-LLL-DD", "L-DDD-LL", "LL-DDD-L", "LLL-DD-L",
        letters="BDFGHJKLNPRSTVXZ", weight=1.0),
    _eu("be", "[12]-LLL-DDD", "LLL-DDD", weight=0.6),
    _eu("pt", "LL-DD-DD", "DD-DD-LL", "DD-LL-DD", "LL-DD-LL", weight=0.7),
    _eu("se", "LLL DDD", "LLL DDL", letters=_without("IQVO")),
    _eu("no", "LL DDDDD", letters=_without("GIMOQ")),
    _eu("dk", "LL DD DDD", letters=_without("IO")),
    _eu("fi", "LLL-DDD", "LLL-DD"),
    _eu("ee", "DDD LLL", weight=0.3),
    _eu("lv", "LL-DDDD", "LL-DDD", weight=0.3),
    _eu("lt", "LLL DDD", "LLL*DDD", weight=0.3),
    _eu("bg", "LL DDDD LL", "L DDDD LL", letters=_CYRILLIC, weight=0.7),
    _eu("gr", "LLL-DDDD", "LLL DDDD", letters=_GREEK, weight=0.5),
    _eu("hr", "LL*DDD-LL", "LL*DDDD-LL", "LL*DDDD-L", weight=0.5),
    _eu("si", "LL*LL-DDD", "LL*DD-LLL", "LL*L D-DDD"),
    _eu("rs", "LL*DDD-LL", "LL*DDDD-LL", weight=0.5),
    _eu("md", "LLL DDD", "L LL DDD", weight=0.3),
    _eu("ua", "LL DDDD LL", letters="ABEIKMHOPCTX", weight=0.7),
    _eu("lu", "LL DDDD", "DDDDD", weight=0.3),
    _eu("ie", "DDD-L-DDDDD", "DDD-L-DDDD", "DD-L-DDDDD", weight=0.4),
    _eu("tr", "DD L DDDD", "DD LL DDD", "DD LLL DD", "DD LLL DDD", "DD LL DDDD", weight=0.9),
    _wide("ch", "LL*DDDDDD", "LL*DDDDD", "LL.DDDDDD", "LL DDD DDD", weight=0.6),
    _wide("gb", "LLDD LLL", letters=_without("IQ"), aspect=4.6, weight=2.0),
    _wide("gb_old", "LDDD LLL", "LLL DDDL", "LDD LLL", "LLL DDL", letters=_without("IQ"), aspect=4.6,
        weight=0.6),
)  # fmt: skip

_NORTH_AMERICA = (
    _us("us_letters_first", "LLL DDDD", "LLL-DDDD", "LLL DDD", "LLL-DDD", "LLL*DDD", "LLL.DDD", "LLLDDDD",
        "LLL*DDDD", "LLL&DDD", "LLL&DDDD", "LLL&DDD", weight=3.4),
    _us("us_digits_first", "DDD LLL", "DDD-LLL", "DDD*LLL", "DDD.LLL", "DDDD LL", "DDD LLLL",
        "DDD*LLLL", "DDD&LLL", "DDD&LLL", "DDDD&LL", "DDDD LLL", "DDD LL", weight=2.6),
    _us("us_split", "LLL DLD", "LDD DLL", "DLL DDD", "DLLLDDD", "LDD LLD", "DLDLDL", "LLDDDDL", "DLD DLD",
        "LLL DDL", "LLDDLLD", "LDD*DLL", "DDL*DLD", weight=1.8),
    _us("us_long", "LL DDDDD", "LL-DDDDD", "DDDDDLL", "DDD DDDD", "LDDDDDD", "LDDD DDD", "DLDDDDD", "XX-DDDD",
        "LL DDDD", "LL DDD", "DDD DDD", "LL*DDDD", "DDDDD L", weight=1.8),
    _us("us_short", "DDDD", "LL DD", "L DDDD", "DDDDD", "LLL DD", "DD LL", "XXX", "XX XX", "DDDDDD",
        weight=0.7),
    _us("us_prefix", "!DDDD", "!LLDDD", "!DDDDD", "!XXXX", "DDDD!", "LLDDD!", "!LLDD", "*XXXX", "&XXXXX",
        "&!DDDD", "&DDDL", "&LLDDD", "XXXX&", "&XXXX", "&DDDDD", "&LLL", "&DDD LL", "DDD&DDD", "LLL&DDD",
        "&!DDD",
        "&LLLLL", "&LLLLLL", "&DDDD!", "&XXXX!", "!DDD LL", "LDD&DLL", weight=3.4),
    _us("us_vanity", "LLLLLL", "LLLLLLL", "LLLLL", "LLLL", "LLLDLLL", "LLLLDD", "LLLL LL", "LL LLLL", "LLLDL",
        "LLL LLLL", "LDLLLL", "DLLLLL", "LLLDDD", "LLDLLL", "XXXXXX", "XXXXXXX", "XXXXX", weight=2.6),
    _us("us_dark", "LLL DDD", "LLL*DDD", "DDD LLL", "LLL DDDD", "LLLLLL", ink="light", weight=0.7),
    _us("ca", "LLLL DDD", "LLLL*DDD", "LLL DDDD", "LL DDD L", "LDD LLL", "DDD LLL", "LLL DDL", weight=0.8),
    _us("mx", "LLL-DD-DD", "LLL-DDD-L", "LDD-LLL", "LLL-DDDD", letters=_without("IOQ"), weight=0.5),
)  # fmt: skip

_SOUTH_AMERICA = (
    PlateLayout("br_old", ("LLL-DDDD", "LLL.DDDD", "LLL DDDD"), aspect=3.0, height=0.52, header=True,
        weight=2.0),
    PlateLayout("br_old_dark", ("LLL-DDDD", "LLL.DDDD"), aspect=3.0, height=0.52, ink="light", header=True,
        weight=2.6),
    PlateLayout("br_mercosur", ("LLLDLDD", "LLL DLDD"), aspect=3.08, height=0.56, band="top", weight=1.6),
    PlateLayout("ar_old", ("LLL DDD", "LLL*DDD", "LLL.DDD"), aspect=2.3, height=0.5, ink="panel",
        header=True,
                footer=True, weight=3.0),
    PlateLayout("ar_mercosur", ("LL DDD LL",), aspect=3.08, height=0.56, band="top", weight=1.8),
    PlateLayout("uy", ("LLL DDDD",), aspect=3.08, height=0.56, band="top", weight=0.4),
    PlateLayout("py", ("LLLL DDD",), aspect=3.08, height=0.56, band="top", weight=0.3),
    PlateLayout("cl", ("LLLL.DD", "LL.DD.DD", "LL.LL.DD"), _CONSONANTS, aspect=2.8, height=0.6, footer=True,
                weight=0.5),
    PlateLayout("co", ("LLL DDD", "LLL*DDD"), aspect=2.1, height=0.5, footer=True, weight=0.5),
    PlateLayout("pe", ("LDL-DDD", "LLL-DDD"), aspect=2.1, height=0.5, header=True, weight=0.4),
)  # fmt: skip

_ASIA = (
    PlateLayout("cn_blue", ("PL.XXXXX", "PL.DDDDD", "PL.LDDDD", "PL.DDDLD", "PL XXXXX", "PL.DDDDL"),
                _without("IO"), aspect=3.14, height=0.64, ink="light", weight=4.4),
    PlateLayout("cn_light", ("PL.XXXXX", "PL.DDDDD", "PL.LDDDD"), _without("IO"), aspect=3.14, height=0.64,
                weight=1.2),
    PlateLayout("cn_green", ("PL.[DF]XDDDD", "PL.DDDDD[DF]"), _without("IO"), aspect=3.43, height=0.64,
                weight=0.7),
    PlateLayout("cn_suffix", ("PL.DDDDS", "PL.XXXXS", "PL.XXXX[学警港澳]"), _without("IO"), aspect=3.14,
                height=0.64, weight=0.7),
    PlateLayout("cn_suffix_dark", ("PL.XXXXS",), _without("IO"), aspect=3.14, height=0.64, ink="light",
                weight=0.4),
    _wide("vn", "DDL-DDD.DD", "DDL-DDDD", "DDL-DDDDD", letters=_without("IJOQW"), aspect=4.5, weight=1.5),
    _wide("in", "LL DD LL DDDD", "LL DD L DDDD", "LLDDLLDDDD", "LL-DD-LL-DDDD", letters=_without("IO"),
        weight=1.0),
    _wide("my", "LLL DDDD", "LL DDDD", "LLL DDD", "L DDDD", "LLL DDDD L", letters=_without("IO"), ink="light",
          weight=0.5),
    _wide("sg", "[SEP]LL DDDD L", letters=_without("IO"), ink="light", weight=0.4),
    PlateLayout("id", ("L DDDD LL", "L DDDD LLL", "LL DDDD LL", "L DDDD L"), aspect=3.1, height=0.55,
        ink="light",
                footer=True, weight=0.5),
    _wide("il", "DDD-DD-DDD", "DD-DDD-DD", weight=0.4),
    _wide("tw", "LLL-DDDD", "LL-DDDD", "DDDD-LL", aspect=2.4, weight=0.4),
    _wide("hk", "LL DDDD", "LL DDD", aspect=4.4, weight=0.4),
    _wide("kz", "DDD LLL DD", "DDD LL DD", weight=0.4),
    _wide("ge", "LL-DDD-LL", weight=0.3),
    _wide("ae", "L DDDDD", "DD DDDDD", aspect=4.7, weight=0.3),
    PlateLayout("ph", ("LLL DDDD", "LLL DDD"), aspect=2.7, height=0.55, footer=True, weight=0.4),
)  # fmt: skip

_SOUTH = (
    PlateLayout("au", ("LLL DDD", "DLL DLL", "LLL DDL", "LDD DLL", "LLL.DDD", "LLL DDL", "DDD LLL",
        "[S]DDD LLL"), aspect=2.8, height=0.6, header=True, footer=True, weight=0.8),
    _wide("nz", "LLL DDD", "LLLDDD", "LLDDDD", aspect=3.0, weight=0.3),
    _wide("za", "LL DD LL LL", "LLL DDD LL", "LL DDDDD", letters=_CONSONANTS, weight=0.5),
    PlateLayout("ke", ("LLL DDDL",), aspect=4.4, height=0.6, weight=0.3),
    PlateLayout("ng", ("LLL-DDDLL", "LLL DDD LL"), aspect=2.0, height=0.42, header=True, footer=True,
        weight=0.3),
)  # fmt: skip

_TWO_LINE = (
    _two("vn_two", "DDL/DDD.DD", "DD-LD/DDD.DD", "DD-LD/DDDD", "DDL/DDDD", letters=_without("IJOQW"),
        weight=0.8),
    _two("cn_two", "PL/XXXXX", "PL/DDDDD", "PL/LDDDD", letters=_without("IO"), aspect=2.0, weight=0.7),
    _two("ar_two", "DDD/LLL", "LDD/DLLL", "LDDD/LLL", ink="panel", weight=0.5),
    _two("ar_mercosur_two", "LDD/DLLL", "LDDD/LLL", weight=0.4),
    _two("br_two", "LLL/DDDD", "LLL/DLDD", aspect=1.2, weight=0.7),
    _two("in_two", "LLDD/LLDDDD", "LL DD/LL DDDD", "LL DD L/DDDD", aspect=1.7, letters=_without("IO"),
        weight=0.6),
    _two("eu_two", "LL/DDDLL", "LLL/DDDD", "DDDD/LLL", "LL DD/LLL", "LL*LL/DDDD", "LLDD/LLL", "LL/DDDDD",
         aspect=1.45, weight=0.9),
    _two("my_two", "LLL/DDDD", "LL/DDDD", ink="light", letters=_without("IO"), weight=0.4),
    _two("us_two", "LL/DDDD", "DDD/LLL", "LLL/DDD", aspect=1.7, weight=0.3),
    _two("it_two", "LL DDD/LL", "LL/DDDDD", letters=_without("IOQU"), aspect=1.5, weight=0.3),
)  # fmt: skip

LAYOUTS: tuple[PlateLayout, ...] = _EUROPE + _NORTH_AMERICA + _SOUTH_AMERICA + _ASIA + _SOUTH + _TWO_LINE
