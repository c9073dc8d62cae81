"""The prior over texts in plain Python: docs/layouts.md, one text and one string at a time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

Elements = Sequence[Sequence[str]]

LATIN = 36  # digits and letters
OTHERS = 42  # Chinese characters on plates
LENGTHS = 12


def follows(elements: Elements, text: str) -> float:
    """P(text | pattern): one string of each element after another, all of an element equally likely."""
    if not elements:
        return 1.0 if not text else 0.0
    first, *rest = elements
    ways = (follows(rest, text[len(string) :]) for string in first if text.startswith(string))
    return sum(ways) / len(first)


def free(text: str) -> float:
    """P(text) on a plate that follows nothing."""
    each = [0.95 / LATIN if "0" <= c <= "9" or "A" <= c <= "Z" else 0.05 / OTHERS for c in text]
    return math.prod(each) / LENGTHS


def log_weight(
    patterns: Iterable[tuple[float, Elements]],
    text: str,
    escape: float = 0.1,
    strength: float = 0.5,
    ceiling: float = 6.0,
) -> float:
    """What the prior adds to the log-likelihood of a text."""
    expected = (1 - escape) * sum(share * follows(elements, text) for share, elements in patterns)
    return strength * min(math.log(expected / free(text) + escape), ceiling)
