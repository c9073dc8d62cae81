"""Which texts are to be expected on plates, as a soft prior. docs/layouts.md has the formula and figures."""

from __future__ import annotations

import difflib
import functools
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from lprfast import _core
from lprfast._arguments import finite_number
from lprfast.formats._template import check_template, shown
from lprfast.formats.groups import country_names, group_names, layouts_named
from lprfast.formats.layout import (
    DIGITS,
    LATIN,
    PROVINCES,
    SUFFIXES,
    PlateLayout,
    pattern_choices,
    split_pattern,
)

# One plate in ten of another kind than was named: guests at a gate are fewer, on a road they are about that.
DEFAULT_ESCAPE = 0.1
# The model has learned from the same layouts, and its probabilities are too sure: half the logarithm counts.
STRENGTH = 0.5
# Of the logarithm before that. Odds of two texts move by at most exp(0.5 * (6 - log 0.1)) = 64.
CEILING = 6.0
# A plate that follows no layout: one of so many lengths, and of its symbols so many are no Latin ones.
_LENGTHS = 12
_RARE_SHARE = 0.05

_REMEMBERED = 64  # priors that are asked for again, or unpickled, are the same object: compiled once
# Of all patterns of a prior together; the world has 347 and 35 thousand. What they cost: docs/layouts.md.
_MOST_COMBINATIONS = 4096
_MOST_WORK = 1_000_000

_Elements: TypeAlias = tuple[tuple[str, ...], ...]
LayoutEntry: TypeAlias = "str | PlateLayout"
LayoutChoice: TypeAlias = "str | PlateLayout | LayoutPrior | Iterable[LayoutEntry] | Mapping[str, float]"


@dataclass(frozen=True)
class LayoutPrior:
    """A prior over the texts of plates: some layouts with their shares, and an escape for all other plates.

    Made by :func:`layout_prior`, or from patterns directly.

    Attributes:
        patterns: ``(share, elements)``; each element is one of its strings, all equally likely. The shares
            sum to 1.
        escape: share of the plates that follow none of the patterns, over 0 and under 1.
        names: what it was made from, for people.

    Raises:
        ValueError: ``escape`` is out of range, there is no pattern, or they are too many.
    """

    patterns: tuple[tuple[float, _Elements], ...]
    escape: float = DEFAULT_ESCAPE
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 < finite_number("escape", self.escape) < 1:
            raise ValueError(f"escape: expected a share over 0 and under 1, got {self.escape}")
        if not self.patterns:
            raise ValueError(f"layouts: expected at least one; {_what_there_is()}")
        _check_size([elements for _, elements in self.patterns])

    def __repr__(self) -> str:
        return f"LayoutPrior({', '.join(self.names)}; {len(self.patterns)} patterns, escape {self.escape:g})"

    def __hash__(self) -> int:
        return hash((self.names, self.escape, len(self.patterns)))  # of all their strings it takes long

    def __reduce__(self) -> tuple[Callable[..., LayoutPrior], tuple[object, ...]]:
        # Equal ones become one object, which is compiled once: each of many reads brings its own.
        if self.by_name:
            return layout_prior, (self.names, self.escape)
        patterns = tuple((share, tuple(map(tuple, elements))) for share, elements in self.patterns)
        return _same, (patterns, self.escape, tuple(self.names))

    @functools.cached_property
    def by_name(self) -> bool:
        """Whether ``layout_prior(names, escape)`` makes it again."""
        try:
            return layout_prior(self.names, self.escape) == self
        except (TypeError, ValueError):
            return False

    def log_weight(self, text: str) -> float:
        """What the prior adds to the log-likelihood of a text, natural logarithm; never NaN or infinite."""
        symbols = tuple(dict.fromkeys(text))
        return self.through(symbols).log_weights([[symbols.index(symbol) for symbol in text]])[0]

    def through(self, symbols: Sequence[str]) -> _core.TextPrior:
        """The prior on texts of these classes; their symbols, "" for the blank."""
        return _core.TextPrior(self._compiled, list(symbols))

    @functools.cached_property
    def _compiled(self) -> _core.Layouts:
        latin = math.log((1 - _RARE_SHARE) / len(DIGITS + LATIN))
        return _core.Layouts(
            list(self.patterns),
            free_logs=dict.fromkeys(DIGITS + LATIN, latin),
            rare_log=math.log(_RARE_SHARE / len(PROVINCES + SUFFIXES)),
            length_log=-math.log(_LENGTHS),
            escape=self.escape,
            strength=STRENGTH,
            ceiling=CEILING,
        )


def layout_prior(layouts: LayoutChoice, escape: float = DEFAULT_ESCAPE) -> LayoutPrior:
    """The prior that a choice of layouts means.

    Args:
        layouts: one entry, several in a sequence (of equal shares) or in one string with commas between, or a
            mapping from entries to their shares. An entry is a :class:`PlateLayout`, a name or a template:

            * ``"world"``: all layouts; ``"europe"``, ``"eu"`` and so on (``group_names()``): a group;
            * ``"ro"``, ``"us"``, ``"us_ca"``, ``"ro_two"``: a country, a state, one layout with those whose
              names go on after it. Within a name, layouts count by their ``weight``;
            * ``"LLLDDDD"``: a template. ``L`` a letter, ``D`` a digit, ``X`` either, ``P`` a Chinese
              province, ``S`` a Chinese suffix, ``[AB]`` one of these characters, ``{AB|C}`` one of these
              strings.
        escape: share of the plates that follow none of them, over 0 and under 1. A
            :class:`LayoutPrior` given as ``layouts`` keeps its own.

    Raises:
        TypeError: an entry is of another type.
        ValueError: no entry, an unknown name (the message lists what there is), a template that cannot be
            read (it says where), a share or an escape out of range.
    """
    if isinstance(layouts, LayoutPrior):
        return layouts
    return _made(tuple(_shares(layouts).items()), finite_number("escape", escape))


@functools.lru_cache(_REMEMBERED)
def _same(
    patterns: tuple[tuple[float, _Elements], ...], escape: float, names: tuple[str, ...]
) -> LayoutPrior:
    return LayoutPrior(patterns, escape, names)


def _shares(layouts: object) -> dict[LayoutEntry, float]:
    """Each entry with its share, summing to 1."""
    if isinstance(layouts, Mapping):
        shares: defaultdict[LayoutEntry, float] = defaultdict(float)
        for entry, value in layouts.items():
            shares[_entry(entry)] += _share(entry, value)
    else:
        listed: Iterable[object]
        if isinstance(layouts, str):
            listed = [part for part in layouts.split(",") if part.strip()]
        elif isinstance(layouts, PlateLayout):
            listed = [layouts]
        elif isinstance(layouts, Iterable):
            listed = layouts
        else:
            raise TypeError(
                f"layouts: expected names, templates or layouts, got {type(layouts).__name__}; "
                f"{_what_there_is()}"
            )
        shares = defaultdict(float, {_entry(entry): 1.0 for entry in listed})
    if not shares:
        raise ValueError(f"layouts: expected at least one; {_what_there_is()}")
    total = math.fsum(shares.values())
    return {entry: share / total for entry, share in shares.items()}


def _entry(entry: object) -> LayoutEntry:
    if isinstance(entry, PlateLayout):
        return entry
    if not isinstance(entry, str):
        raise TypeError(
            f"layouts: expected names, templates or layouts, got {type(entry).__name__} among them"
        )
    if "," in entry:
        raise ValueError(
            f"layouts: {shown(entry)}: commas stand between entries only where all are in one string; "
            "here give each entry by itself"
        )
    return entry.strip()


def _share(entry: object, value: float) -> float:
    share = finite_number(f"layouts[{entry!r}]", value)
    if not 0 < share <= 1e6:
        raise ValueError(f"layouts[{entry!r}]: expected a share over 0, got {value}")
    return share


@functools.lru_cache(_REMEMBERED)
def _made(shares: tuple[tuple[LayoutEntry, float], ...], escape: float) -> LayoutPrior:
    patterns: defaultdict[_Elements, float] = defaultdict(float)
    for entry, share in shares:
        found = _layouts(entry)
        total = math.fsum(layout.weight for layout in found)
        for layout in found:
            for pattern in layout.patterns:
                elements = _elements(pattern, layout.letters)
                patterns[elements] += share * layout.weight / total / len(layout.patterns)
    names = tuple(entry if isinstance(entry, str) else entry.name for entry, _ in shares)
    return LayoutPrior(tuple((share, elements) for elements, share in patterns.items()), escape, names)


def _layouts(entry: LayoutEntry) -> tuple[PlateLayout, ...]:
    if isinstance(entry, PlateLayout):
        if not any(_elements(pattern, entry.letters) for pattern in entry.patterns):
            raise ValueError(f"layouts: {entry.name!r} has no pattern that holds a text")
        return (entry,)
    found = layouts_named(entry)
    if found:
        return found
    if re.fullmatch("[a-z_]*", entry) or layouts_named(entry.lower()):
        raise ValueError(f"layouts: there is no {shown(entry)}{_close_to(entry)}; {_what_there_is()}")
    check_template(entry)
    return (PlateLayout(entry, (entry,)),)


def _elements(pattern: str, letters: str) -> _Elements:
    """What is written; of a pattern's symbols those that are only drawn are left out."""
    choices = (pattern_choices(symbol, letters) for symbol in split_pattern(pattern))
    return tuple(strings for strings in choices if strings)


def _check_size(patterns: Sequence[_Elements]) -> None:
    """ValueError where it takes long to build: from each combination of the lengths of elements' strings."""
    combinations = work = 0
    for elements in patterns:
        lengths = [len(set(map(len, strings))) for strings in elements]
        ways = math.prod(lengths)
        combinations += ways
        work += sum(len(e) * ways // max(count, 1) for e, count in zip(elements, lengths, strict=True))
    for what, found, most in (
        ("combinations of strings of different lengths", combinations, _MOST_COMBINATIONS),
        ("strings in all combinations of lengths", work, _MOST_WORK),
    ):
        if found > most:
            raise ValueError(
                f"layouts: {found} {what}, more than the {most} that all patterns together can have; "
                "write fewer patterns, or fewer lists {..|..} whose strings differ in length"
            )


def _close_to(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), (*group_names(), *country_names()), n=1)
    return f" (is {close[0]!r} meant?)" if close else ""


def _what_there_is() -> str:
    return (
        f"there are the groups {', '.join(group_names())}, the countries {', '.join(country_names())}, and "
        "templates such as LLLDDDD"
    )
