"""The vote's formulas in plain Python, one number at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence

Row = Sequence[float]


def text_probability(posteriors: Sequence[Row], blank: int, labels: Sequence[int]) -> float:
    """P(labels): the sum over every way to place them on the steps, by recursion over what is left to do.

    ``posteriors`` are plain probabilities [T][K].
    """

    def rest(step: int, placed: int, previous: int) -> float:
        # `placed` labels are out; `previous` is the class of the step before.
        if step == len(posteriors):
            return 1.0 if placed == len(labels) else 0.0
        row = posteriors[step]
        total = row[blank] * rest(step + 1, placed, blank)
        if previous != blank:
            total += row[previous] * rest(step + 1, placed, previous)
        if placed < len(labels) and labels[placed] != previous:
            total += row[labels[placed]] * rest(step + 1, placed + 1, labels[placed])
        return total

    return rest(0, 0, blank)


def log_likelihood(posteriors: Sequence[Row], blank: int, labels: Sequence[int], floor: float) -> float:
    """max(log P(labels), floor)."""
    probability = text_probability(posteriors, blank, labels)
    return max(math.log(probability), floor) if probability > 0 else floor


def certainty(posteriors: Sequence[Row], blank: int) -> float:
    """Product over the characters of the greedy text of their highest posterior; 0 without characters."""
    if all(max(range(len(row)), key=row.__getitem__) == blank for row in posteriors):
        return 0.0
    product, previous, peak = 1.0, blank, 1.0
    for row in posteriors:
        best = max(range(len(row)), key=row.__getitem__)
        if best != previous:
            product *= peak
            peak = row[best] if best != blank else 1.0
        elif best != blank:
            peak = max(peak, row[best])
        previous = best
    return product * peak


def quality_weight(width: int, certainty: float, floor: float) -> float:
    """What a crop's width and the certainty of its read make it weigh, before copies share."""
    return min(max(width, 16), 128) / 128 * max(certainty, math.exp(floor)) ** 0.25


def similarity(left: Sequence[int], right: Sequence[int]) -> float:
    """1 for signatures within one gray level (root mean square), 0 from three on, linear between."""
    distance = math.sqrt(sum((a - b) ** 2 for a, b in zip(left, right, strict=True)) / len(left))
    return min(1.0, max(0.0, (3 - distance) / 2))


def shares(qualities: Sequence[float], signatures: Sequence[Sequence[int]]) -> list[float]:
    """Each read's share of the vote; copies of one picture share one vote."""
    raw = [
        quality / sum(similarity(own, other) for other in signatures)
        for quality, own in zip(qualities, signatures, strict=True)
    ]
    return [value / sum(raw) for value in raw]


def effective_reads(
    weights: Sequence[float], signatures: Sequence[Sequence[int]], correlation: float
) -> float:
    """1 / variance of the weighted mean of reads that are correlated by ``correlation`` or by likeness."""
    variance = 0.0
    for i, own in enumerate(signatures):
        for j, other in enumerate(signatures):
            alike = 1.0 if i == j else similarity(own, other)
            variance += weights[i] * weights[j] * (correlation + (1 - correlation) * alike)
    return 1 / variance


def score(log_likelihoods: Sequence[float], weights: Sequence[float]) -> float:
    """The weighted mean of what the crops say of one text."""
    return sum(w * value for w, value in zip(weights, log_likelihoods, strict=True))
