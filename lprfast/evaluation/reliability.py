"""How far confidences are from the share of texts that are right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 15
_LEAST_PROBABILITY = 1e-6
_NORMAL_975 = 1.959963984540054  # 97.5 % point of the standard normal distribution

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Crops of like confidence.

    Attributes:
        n: crops, at least 1.
        confidence: their mean confidence, 0-1.
        accuracy: the share that is right, 0-1.
        low, high: 95 % Wilson interval of that share, as if crops were independent: crops of one vehicle are
            not, so it is too narrow where there are tracks.
    """

    n: int
    confidence: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well confidences are calibrated.

    Attributes:
        n: crops.
        ece: expected calibration error, ``sum_b n_b / n * |accuracy_b - confidence_b|`` over the bins, 0-1.
            Never 0 by chance: perfect confidences give about 0.01 at 2,000 crops.
        brier: mean of ``(confidence - right)^2``, 0-1.
        nll: mean negative natural logarithm of the probability given to what happened, confidences held
            within 1e-6 of 0 and 1.
        mean_confidence, accuracy: over all crops, 0-1.
        bins: least confident first.
    """

    n: int
    ece: float
    brier: float
    nll: float
    mean_confidence: float
    accuracy: float
    bins: tuple[ReliabilityBin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "n": self.n,
            "ece": self.ece,
            "brier": self.brier,
            "nll": self.nll,
            "mean_confidence": self.mean_confidence,
            "accuracy": self.accuracy,
            "bins": [
                {name: getattr(one, name) for name in ReliabilityBin.__dataclass_fields__}
                for one in self.bins
            ],
        }


def calibration(confidences: Sequence[float], right: Sequence[bool], *, bins: int = BINS) -> Calibration:
    """Measures confidences against what was right.

    Bins have equal mass: of n crops in order of confidence, crop i (from 0) is in bin
    ``floor(i * bins / n)``. Crops of equal confidence all go where their first one goes, so that the crops'
    order changes nothing; bins that this empties are left out.

    Args:
        confidences: one per crop, 0-1. A crop that answered no text has confidence 0.
        right: one per crop. A crop that shows a plate and answered no text is wrong.
        bins: at least 1.

    Raises:
        ValueError: no crops, lengths differ, a confidence is outside 0-1, or ``bins`` is below 1.
    """
    given, outcomes = np.asarray(confidences, np.float64), np.asarray(right, np.float64)
    if len(given) != len(outcomes) or not len(given):
        raise ValueError(
            f"confidences and right: expected one each per crop, got {len(given)} and {len(outcomes)}"
        )
    if not ((given >= 0) & (given <= 1)).all():
        raise ValueError("confidences: expected numbers from 0 to 1")
    if bins < 1:
        raise ValueError(f"bins: expected at least 1, got {bins}")
    members = _bin_of_each(given, bins)
    filled = [_reliability(given[members == b], outcomes[members == b]) for b in np.unique(members)]
    ece = sum(one.n * abs(one.accuracy - one.confidence) for one in filled) / len(given)
    return Calibration(
        n=len(given),
        ece=float(ece),
        brier=float(np.mean((given - outcomes) ** 2)),
        nll=_negative_log_likelihood(given, outcomes),
        mean_confidence=float(given.mean()),
        accuracy=float(outcomes.mean()),
        bins=tuple(filled),
    )


def wilson_interval(successes: float, n: int) -> tuple[float, float]:
    """95 % Wilson score interval of a share, ``(low, high)``; n is at least 1."""
    share, z2 = successes / n, _NORMAL_975**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _NORMAL_975 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def _bin_of_each(confidences: Array, bins: int) -> npt.NDArray[np.intp]:
    first_rank = np.searchsorted(np.sort(confidences), confidences, side="left")
    return first_rank * bins // len(confidences)


def _reliability(confidences: Array, outcomes: Array) -> ReliabilityBin:
    n = len(confidences)
    low, high = wilson_interval(float(outcomes.sum()), n)
    return ReliabilityBin(n, float(confidences.mean()), float(outcomes.mean()), low, high)


def _negative_log_likelihood(confidences: Array, outcomes: Array) -> float:
    held = np.clip(confidences, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY)
    return float(-np.mean(outcomes * np.log(held) + (1 - outcomes) * np.log1p(-held)))
