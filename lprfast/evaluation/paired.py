"""Whether one rule beats another on the same vehicles."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

from lprfast.evaluation.bootstrap import Interval, cluster_bootstrap, exact_interval


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


def difference_interval(
    changes: Sequence[int], clusters: Sequence[Hashable], *, resamples: int = 2000, seed: int = 0
) -> Interval | None:
    """95 % interval of the mean change: ``cluster_bootstrap``'s, but exact where every change is the same.

    There each resample is the same, and a bootstrap would claim an interval of no width. Of C clusters that
    all changed alike, another one changes otherwise with a probability of at most ``q``, 1 - 0.025^(1/C)
    (Clopper and Pearson); that is ``[-q, q]`` about 0, and ``[1 - 2 q, 1]`` or ``[-1, 2 q - 1]`` at the ends,
    where the worst change is one of 2.

    Args:
        changes: one per item: 1 gained, -1 lost, 0 as before.
        clusters: one per item; items of one cluster are resampled together.
        resamples, seed: of the bootstrap.

    Returns:
        The interval, -1 to 1, or None with fewer than two clusters.
    """
    found = cluster_bootstrap(changes, [1] * len(changes), clusters, resamples=resamples, seed=seed)
    if found is None or len(set(changes)) > 1:
        return found
    other = exact_interval(0, found.clusters).high
    low, high = {0: (-other, other), 1: (1 - 2 * other, 1.0), -1: (-1.0, 2 * other - 1)}[changes[0]]
    return Interval(low, high, found.clusters, 0)


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
