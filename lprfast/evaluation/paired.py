"""Whether one rule beats another on the same vehicles."""

from __future__ import annotations

import math
from collections.abc import Sequence


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> float:
    """Exact two-sided p-value that two rules are equally often right (McNemar, 1947).

    Only the items that one of them has right and the other wrong say anything; if the rules are equal, each
    of those falls to either side like a fair coin.

    Args:
        first, second: one per item, in the same order: whether it is right.

    Raises:
        ValueError: their lengths differ.
    """
    if len(first) != len(second):
        raise ValueError(f"expected one of each per item, got {len(first)} and {len(second)}")
    gained = sum(b and not a for a, b in zip(first, second, strict=True))
    lost = sum(a and not b for a, b in zip(first, second, strict=True))
    n, fewer = gained + lost, min(gained, lost)
    tail = sum(math.exp(_log_choose(n, k) - n * math.log(2)) for k in range(fewer + 1))
    return min(1.0, 2 * tail)


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for having been tested together (Holm, 1979), in the order given.

    The k-th smallest of n (from 0) is multiplied by ``n - k``; none falls below a smaller one's.

    Raises:
        ValueError: a value is outside 0-1.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"p_values: expected numbers from 0 to 1, got {list(p_values)}")
    corrected, least = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        least = max(least, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = least
    return corrected


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
