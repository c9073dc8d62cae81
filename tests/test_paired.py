"""Paired comparisons, by hand."""

from __future__ import annotations

import pytest

from lprfast.evaluation.bootstrap import Interval, cluster_bootstrap
from lprfast.evaluation.paired import difference_interval, holm, mcnemar


def test_mcnemar_by_hand() -> None:
    # One lost, five gained: 2 * (1 + 6) / 64.
    first = [True] + [False] * 5 + [True] * 10
    second = [False] + [True] * 5 + [True] * 10
    assert mcnemar(first, second) == pytest.approx(14 / 64)
    assert mcnemar(second, first) == pytest.approx(14 / 64)
    assert mcnemar([False] * 5, [True] * 5) == pytest.approx(2 / 32)


def test_mcnemar_of_equals_is_one() -> None:
    assert mcnemar([True, False], [True, False]) == 1.0
    assert mcnemar([True, False], [False, True]) == 1.0
    assert mcnemar([], []) == 1.0


def test_mcnemar_of_many() -> None:
    # 0 of 3000: 2 * 2^-3000 is no double; it must not fail.
    assert mcnemar([False] * 3000, [True] * 3000) == 0.0
    # 1000 against 1100: by the normal approximation with continuity, z = 99 / sqrt(2100) = 2.160.
    first = [True] * 1000 + [False] * 1100
    assert mcnemar(first, [not right for right in first]) == pytest.approx(0.0307, abs=5e-4)


def test_mcnemar_of_unequal_lengths_is_named() -> None:
    with pytest.raises(ValueError, match="got 2 and 1"):
        mcnemar([True, False], [True])


@pytest.mark.parametrize("change", [0, 1, -1])
def test_equal_changes_have_an_interval_of_some_width(change: int) -> None:
    """The chance that another of 10 clusters changes otherwise is at most 1 - 0.025^(1/10) = 0.3085."""
    other = 1 - 0.025**0.1
    found = difference_interval([change] * 20, [number // 2 for number in range(20)])
    assert found is not None
    low, high = {0: (-other, other), 1: (1 - 2 * other, 1.0), -1: (-1.0, 2 * other - 1)}[change]
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert (found.clusters, found.resamples) == (10, 0)
    few = difference_interval([change] * 2, [0, 1])
    assert few is not None
    assert few.high - few.low > found.high - found.low
    assert difference_interval([change] * 3, ["a"] * 3) is None


def test_other_changes_have_the_bootstraps_interval() -> None:
    changes, clusters = [1, 0, 0, -1, 1, 0], list("aabbcd")
    expected = cluster_bootstrap(changes, [1] * 6, clusters, resamples=50, seed=3)
    assert isinstance(expected, Interval)
    assert difference_interval(changes, clusters, resamples=50, seed=3) == expected


def test_holm_by_hand() -> None:
    # Sorted: 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.04 x 1; the last two may not fall below 0.06.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []
    with pytest.raises(ValueError, match="from 0 to 1"):
        holm([1.5])
