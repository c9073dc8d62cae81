"""What refusing the least confident answers would buy: risk over coverage."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lprfast.evaluation.bootstrap import binomial_at_most, upper_bound

TARGETS = (0.01, 0.005)
LEVEL = 0.95

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many can be answered at an error of at most ``target``.

    The threshold is chosen on the very answers that it is judged by, so both coverages flatter a little:
    choose a threshold on some crops and measure it on others.

    Attributes:
        target: greatest share of wrong answers, 0-1.
        answered: the most that a threshold on the confidence answers while at most ``target`` of them are
            wrong. Answers of confidence 0 are never among them.
        wrong: how many of these are.
        coverage: ``answered`` as a share of all, 0-1.
        threshold: the lowest confidence among them; None where none is answered.
        error_bound: 95 % upper bound (one-sided Clopper-Pearson) of their share of wrong ones, as if answers
            were independent; None where none is answered.
        sure_coverage: the same share with that bound, not the share of wrong ones, at most ``target``. At 1 %
            that takes 299 right answers at least.
        sure_threshold: its threshold, or None.
    """

    target: float
    answered: int
    wrong: int
    coverage: float
    threshold: float | None
    error_bound: float | None
    sure_coverage: float
    sure_threshold: float | None


@dataclass(frozen=True, slots=True)
class Selective:
    """How well confidences tell right answers from wrong ones.

    Attributes:
        n: answers.
        aurc: area under the risk-coverage curve, the mean over k of the share of wrong ones among the k most
            confident, 0-1. Of equal confidences each counts as much wrong as they are together.
        e_aurc: ``aurc`` less what a perfect order would leave, ``r + (1 - r) ln(1 - r)`` at the error rate r;
            at least 0.
        coverages: one per target of ``TARGETS``.
    """

    n: int
    aurc: float
    e_aurc: float
    coverages: tuple[Coverage, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "n": self.n,
            "aurc": self.aurc,
            "e_aurc": self.e_aurc,
            "coverages": [
                {name: getattr(one, name) for name in Coverage.__dataclass_fields__} for one in self.coverages
            ],
        }


def selective(confidences: Sequence[float], right: Sequence[bool]) -> Selective:
    """Measures an order by confidence.

    Args:
        confidences: one per answer, 0-1; 0 where no text was answered.
        right: one per answer.

    Raises:
        ValueError: no answers, lengths differ, or a confidence is outside 0-1.
    """
    given, wrong = np.asarray(confidences, np.float64), 1.0 - np.asarray(right, np.float64)
    if len(given) != len(wrong) or not len(given):
        raise ValueError(
            f"confidences and right: expected one each per answer, got {len(given)} and {len(wrong)}"
        )
    if not ((given >= 0) & (given <= 1)).all():
        raise ValueError("confidences: expected numbers from 0 to 1")
    order = np.argsort(-given, kind="stable")
    given, errors = given[order], np.cumsum(wrong[order])
    # A threshold takes all answers of equal confidence or none: only where these end can it lie.
    ends = np.flatnonzero(np.append(given[1:] < given[:-1], True)) + 1
    k = np.arange(1, len(given) + 1)
    risks = np.interp(k, np.append(0, ends), np.append(0, errors[ends - 1])) / k
    aurc, rate = float(risks.mean()), float(errors[-1]) / len(given)
    least = rate + (1 - rate) * math.log1p(-rate) if rate < 1 else 1.0
    coverages = tuple(_coverage(target, given, errors, ends) for target in TARGETS)
    # Rounding alone can bring it below 0.
    return Selective(len(given), aurc, max(0.0, aurc - least), coverages)


def _coverage(target: float, given: Array, errors: Array, ends: npt.NDArray[np.intp]) -> Coverage:
    usable = [
        (int(end), int(errors[end - 1]))
        for end in ends[::-1]
        if given[end - 1] > 0 and errors[end - 1] <= target * end
    ]
    answered, wrong = usable[0] if usable else (0, 0)
    sure = next((n for n, e in usable if binomial_at_most(e, n, target) <= 1 - LEVEL), 0)
    return Coverage(
        target=target,
        answered=answered,
        wrong=wrong,
        coverage=answered / len(given),
        threshold=float(given[answered - 1]) if answered else None,
        error_bound=upper_bound(wrong, answered, level=LEVEL) if answered else None,
        sure_coverage=sure / len(given),
        sure_threshold=float(given[sure - 1]) if sure else None,
    )
