"""Bootstrap intervals that resample whole clusters."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval.

    Attributes:
        low, high: its ends, in the ratio's unit.
        clusters: how many were resampled.
        resamples: how many times; 0 where the interval is exact.
    """

    low: float
    high: float
    clusters: int
    resamples: int


def cluster_bootstrap(
    numerators: Sequence[float],
    denominators: Sequence[float],
    clusters: Sequence[Hashable],
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """Percentile bootstrap interval of ``sum(numerators) / sum(denominators)``.

    Crops of one vehicle resemble one another, so they are not independent: each resample draws C of the C
    clusters with replacement, each with all its crops, and computes ``sum_c m_c a_c / sum_c m_c b_c`` where
    ``m_c`` is how often cluster c was drawn and ``a_c``, ``b_c`` are its sums.

    Args:
        numerators: one per crop: 1 or 0 for exact match, the edit distance for the character error rate.
        denominators: one per crop, positive: 1, or the label's length.
        clusters: one per crop: its track, or its text where there are no tracks.
        level: share of resamples inside, 0-1 exclusive.
        resamples: at least 1.
        seed: the same seed gives the same interval.

    Returns:
        The interval, or None with fewer than two clusters: one vehicle says nothing about the spread.

    Raises:
        ValueError: lengths differ, a denominator is not positive, ``level`` or ``resamples`` is out of range.
    """
    if not len(numerators) == len(denominators) == len(clusters):
        raise ValueError(
            "numerators, denominators and clusters: expected one of each per crop, got "
            f"{len(numerators)}, {len(denominators)} and {len(clusters)}"
        )
    if not 0 < level < 1 or resamples < 1:
        raise ValueError(f"level: expected 0-1, got {level}; resamples: expected at least 1, got {resamples}")
    if any(value <= 0 for value in denominators):
        raise ValueError("denominators: expected positive numbers")
    tops, bottoms = _cluster_sums(numerators, denominators, clusters)
    if len(tops) < 2:
        return None
    ratios = _resampled_ratios(tops, bottoms, resamples, seed)
    tail = (1 - level) / 2
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return Interval(float(low), float(high), len(tops), resamples)


def exact_interval(right: int, clusters: int, *, level: float = 0.95) -> Interval:
    """Clopper-Pearson interval of a share, 0-1, of C independent clusters of which ``right`` are right.

    Where all are right or none is, every resample is the same, and a bootstrap would claim an interval of no
    width. There, with ``alpha = 1 - level``, it is ``[(alpha / 2) ** (1 / C), 1]`` or
    ``[0, 1 - (alpha / 2) ** (1 / C)]``.

    Raises:
        ValueError: ``clusters`` is below 1, ``right`` not in 0-``clusters``, or ``level`` not within 0-1.
    """
    if clusters < 1 or not 0 <= right <= clusters or not 0 < level < 1:
        raise ValueError(
            "expected clusters of at least 1, right of 0 to clusters and a level between 0 and 1, got "
            f"clusters {clusters}, right {right}, level {level}"
        )
    tail = (1 - level) / 2
    low = 0.0 if right == 0 else _share_where(right - 1, clusters, 1 - tail)
    high = 1.0 if right == clusters else _share_where(right, clusters, tail)
    return Interval(low, high, clusters, 0)


def upper_bound(hits: int, n: int, *, level: float = 0.95) -> float:
    """One-sided Clopper-Pearson upper bound of a share, 0-1, of which ``hits`` of ``n`` were seen.

    The share at which so few hits come with probability ``1 - level``: ``1 - (1 - level) ** (1 / n)`` for no
    hits, 1 for ``n``.

    Raises:
        ValueError: ``n`` is below 1, ``hits`` not in 0-``n``, or ``level`` not within 0.5-1.
    """
    # The upper end of a two-sided interval whose tails are twice as light.
    return exact_interval(hits, n, level=2 * level - 1).high


def _share_where(right: int, clusters: int, probability: float) -> float:
    """The share at which ``right`` or fewer of the clusters come with this probability, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if binomial_at_most(right, clusters, middle) > probability else (low, middle)
        )
    return (low + high) / 2


def binomial_at_most(hits: int, n: int, share: float) -> float:
    """Probability of ``hits`` or fewer in ``n`` trials that hit with ``share``, strictly between 0 and 1."""
    yes, no = math.log(share), math.log1p(-share)
    ways = math.lgamma(n + 1)
    return math.fsum(
        math.exp(ways - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * yes + (n - k) * no)
        for k in range(hits + 1)
    )


def _cluster_sums(
    numerators: Sequence[float], denominators: Sequence[float], clusters: Sequence[Hashable]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    numbers: dict[Hashable, int] = {}
    members = [numbers.setdefault(cluster, len(numbers)) for cluster in clusters]
    tops, bottoms = np.zeros(len(numbers)), np.zeros(len(numbers))
    places = np.asarray(members, dtype=np.intp)
    np.add.at(tops, places, np.asarray(numerators, dtype=np.float64))
    np.add.at(bottoms, places, np.asarray(denominators, dtype=np.float64))
    return tops, bottoms


def _resampled_ratios(
    tops: npt.NDArray[np.float64], bottoms: npt.NDArray[np.float64], resamples: int, seed: int
) -> npt.NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    count = len(tops)
    ratios = np.empty(resamples)
    # One resample at a time: a matrix of all draws would be large for 100,000 plates.
    for index in range(resamples):
        times = np.bincount(generator.integers(count, size=count), minlength=count)
        ratios[index] = (times @ tops) / (times @ bottoms)
    return ratios
