"""What a plate layout is, and the small language that its texts are written in.

Pattern language: ``L`` a letter of the layout, ``D`` a digit, ``X`` either, ``P`` a Chinese province
character, ``S`` a Chinese suffix, ``[AB]`` one of these characters, ``{AB|IF|B}`` one of these strings,
``/`` the next line. Drawn but no text: space (a gap), ``-`` and ``.`` (a hyphen, a dot), ``*`` (a seal),
``&`` (a picture), ``!`` (small stacked letters).
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
_SYMBOL = re.compile(r"\{[^{}]+\}|\[[^\[\]]+\]|.")


@dataclass(frozen=True)
class PlateLayout:
    """One kind of plate: which texts it may hold, and how it looks.

    Texts:
        patterns: in the language above; all with the same number of lines. Each entry is drawn
            equally often: a pattern that stands twice counts twice.
        letters: what ``L`` (and, with the digits, ``X``) stands for.

    Look:
        aspect: width by height.
        height: share of the plate's height that a line (of two: the lower one) takes.
        upper: height of the upper line relative to the lower one, in two-line layouts.
        pitch: from one character to the next, relative to the height of a line; 0 leaves it to the font.
        ink: ``dark`` (dark on light), ``light`` (light on dark) or ``panel`` (light on a dark panel inside
            a light plate).
        band: any of ``left``, ``right``, ``top`` (bands beside or above the text), ``arms`` (the left one is
            as bright as the paper and holds a coat of arms), ``side`` (small codes before the text) and
            ``strip`` (the texts above and below stand on dark strips).
        code: the country's letters in the band; empty: any country's.
        header, footer: whether small text stands above, below.
        above, below: what stands there, one of these; empty: anything.
        twins: pairs of characters that this country's dies draw alike: ``1I`` says that 1 looks like I.

    ``weight`` is how often training draws the layout.
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
    above: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()
    upper: float = 1.0
    pitch: float = 0.0
    code: str = ""

    @property
    def rows(self) -> int:
        """Number of lines, 1 or 2."""
        return 2 if "/" in self.patterns[0] else 1

    @functools.cached_property
    def needs_chinese(self) -> bool:
        """Whether a text of this layout may hold a Chinese character."""
        symbols = (symbol for pattern in self.patterns for symbol in split_pattern(pattern))
        return any(not c.isascii() for s in symbols for c in pattern_choices(s, self.letters))

    @functools.cached_property
    def _expression(self) -> re.Pattern[str]:
        return re.compile("|".join(pattern_regex(pattern, self.letters) for pattern in self.patterns))

    def matches(self, text: str) -> bool:
        """Whether a text follows one of the patterns (lines joined, decoration left out)."""
        return self._expression.fullmatch(text) is not None


@functools.cache
def split_pattern(pattern: str) -> tuple[str, ...]:
    """A pattern as its symbols: single characters, ``[...]`` classes and ``{...|...}`` lists.

    ``split_pattern("{AB|B}-D[XY]")`` is ``("{AB|B}", "-", "D", "[XY]")``.
    """
    return tuple(_SYMBOL.findall(pattern))


@functools.cache
def pattern_choices(symbol: str, letters: str) -> tuple[str, ...]:
    """The strings that one symbol of a pattern may stand for; empty for decoration and line breaks.

    Args:
        symbol: one of those that ``split_pattern`` gives.
        letters: the letters of the layout.

    Returns:
        Strings of one character, of one or more for a ``{...|...}`` list.
    """
    if symbol.startswith("{"):
        return tuple(symbol[1:-1].split("|"))
    if symbol.startswith("["):
        return tuple(symbol[1:-1])
    if symbol in "LX":
        return tuple(letters + DIGITS if symbol == "X" else letters)
    return tuple(_CLASSES.get(symbol, ""))


def pattern_regex(pattern: str, letters: str) -> str:
    """A regular expression that the texts of a pattern match: lines joined, without decoration."""
    choices = (pattern_choices(symbol, letters) for symbol in split_pattern(pattern))
    return "".join(_one_of(strings) for strings in choices if strings)


def _one_of(strings: tuple[str, ...]) -> str:
    if all(len(s) == 1 for s in strings):
        return f"[{''.join(strings)}]"
    return f"(?:{'|'.join(strings)})"


def without(removed: str) -> str:
    """The Latin letters except these."""
    return "".join(c for c in LATIN if c not in removed)


def codes(text: str) -> str:
    """A ``{...|...}`` list of the words of a text."""
    return "{" + "|".join(text.split()) + "}"


def numbers(*ranges: range) -> str:
    """A ``{...|...}`` list of two-digit numbers."""
    return "{" + "|".join(f"{n:02d}" for r in ranges for n in r) + "}"
