"""The check of a logistic calibration in a model file: of reads and of votes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from lprfast._core import ModelError
from lprfast._metadata import require


def is_finite(value: Any) -> bool:
    """Whether it is a number within 1e6 of 0; no weight of use is near that, and every sum stays finite."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and bool(abs(value) <= 1e6)  # False for NaN


def check_logistic(
    key: str, calibration: Mapping[str, Any], known: Collection[str], never_negative: Collection[str]
) -> None:
    """Checks ``method``, ``features``, ``weights`` and ``bias``.

    Args:
        key: what error messages call the object.
        calibration: as parsed from JSON; not empty.
        known: the features that there are.
        never_negative: those whose weight is 0 or more: surer must not count as less likely.

    Raises:
        ModelError: something is missing or contradictory.
    """

    def check(condition: bool, expected: str, name: str) -> None:
        require(condition, key, f"{name}: {expected}", calibration.get(name))

    check(calibration.get("method") == "logistic", "'logistic'", "method")
    features, weights = calibration.get("features"), calibration.get("weights")
    if not isinstance(features, list | tuple) or not isinstance(weights, list | tuple):
        raise ModelError(f"metadata key '{key}': expected the lists features and weights")
    all_known = all(name in known for name in features)
    check(all_known and len(features) > 0, f"names out of {', '.join(known)}", "features")
    check(len(set(features)) == len(features), "no name twice", "features")
    fits = len(weights) == len(features) and all(map(is_finite, weights))
    check(fits, f"{len(features)} finite numbers, one per feature", "weights")
    for name, weight in zip(features, weights, strict=True):
        check(weight >= 0 or name not in never_negative, f"0 or more for {name}", "weights")
    check(is_finite(calibration.get("bias")), "a finite number", "bias")
