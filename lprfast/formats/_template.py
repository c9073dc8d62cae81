"""What is wrong with a template such as ``LLLDDDD``, said to the one who wrote it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lprfast.formats.layout import DECORATION, LATIN, pattern_choices, split_pattern

_LONGEST = 32  # characters in a template
_MOST_STRINGS = 10_000  # in one of its lists


def check_template(template: str) -> None:
    """ValueError that says what is wrong, where, and what to write."""
    symbols = split_pattern(template)
    _check_length(template, len(symbols))  # before a message is made for each of them
    place = length = 0
    for symbol in symbols:
        choices = pattern_choices(symbol, LATIN)
        where = f"layouts: template {shown(template)}, character {place + 1}: "
        if symbol in DECORATION + "/":
            raise ValueError(
                f"{where}{symbol!r} is no text; write only what is read, the lines of a plate joined"
            )
        if symbol in "[]{}|":
            raise ValueError(f"{where}{symbol!r} without its other half: [AB] is one of these characters, "
                             "{AB|C} one of these strings")  # fmt: skip
        if not choices:
            hint = f"; for this very character write [{symbol}]" if symbol.isalnum() else ""
            raise ValueError(
                f"{where}{symbol!r} means nothing here; expected L, D, X, P, S, [..] or {{..|..}}{hint}"
            )
        _check_choices(choices, where)
        length += max(map(len, choices))
        place += len(symbol)
    _check_length(template, length)


def _check_length(template: str, length: int) -> None:
    if length > _LONGEST:
        raise ValueError(
            f"layouts: template {shown(template)}: {length} characters, more than the {_LONGEST} that can be"
        )


def shown(text: str) -> str:
    """For a message, which a long text would bury."""
    return repr(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}...")


def _check_choices(choices: Sequence[str], where: str) -> None:
    if len(choices) > _MOST_STRINGS:
        raise ValueError(f"{where}{len(choices)} strings, more than {_MOST_STRINGS}")
    if not all(choices):
        raise ValueError(f"{where}an empty string; write two templates, one without this part")
    twice = next((one for one, number in Counter(choices).items() if number > 1), None)
    if twice is not None:
        raise ValueError(f"{where}{shown(twice)} stands twice")
    odd = next((one for one in "".join(choices) if not one.isalnum() or one != one.upper()), None)
    if odd is not None:
        raise ValueError(f"{where}{odd!r}: expected digits, upper case letters or Chinese characters")
