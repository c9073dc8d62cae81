"""Risk over coverage and upper bounds against values worked by hand."""

from __future__ import annotations

import math

import pytest

from lprfast.evaluation import selective, upper_bound


def test_the_area_by_hand() -> None:
    # Most confident first: right, right, wrong, right. Risks 0, 0, 1/3, 1/4; their mean is 7/48.
    found = selective([0.6, 0.7, 0.9, 0.8], [True, False, True, True])
    assert found.n == 4
    assert found.aurc == pytest.approx(7 / 48)
    # Error rate 1/4: a perfect order leaves 1/4 + 3/4 ln(3/4) = 0.034238.
    assert found.e_aurc == pytest.approx(7 / 48 - 0.0342385, abs=1e-6)


def test_equal_confidences_have_no_order() -> None:
    # Any order is as good: every k has the risk of all, 1/2.
    for right in ([True, False], [False, True]):
        assert selective([0.5, 0.5], right).aurc == pytest.approx(0.5)
    # 0.9 right, then a right and a wrong one together: risks 0, (1/2) / 2, 1/3.
    for right in ([True, True, False], [True, False, True]):
        assert selective([0.9, 0.5, 0.5], right).aurc == pytest.approx((0 + 1 / 4 + 1 / 3) / 3)


def test_all_right_and_all_wrong() -> None:
    right, wrong = selective([0.9, 0.4], [True, True]), selective([0.9, 0.4], [False, False])
    assert (right.aurc, right.e_aurc) == (0.0, 0.0)
    assert (wrong.aurc, wrong.e_aurc) == (1.0, 0.0)
    # The worst order of one wrong in two: risks 1, 1/2.
    assert selective([0.9, 0.4], [False, True]).aurc == pytest.approx(0.75)


def test_upper_bounds_in_closed_form() -> None:
    assert upper_bound(0, 20) == pytest.approx(1 - 0.05 ** (1 / 20))
    assert upper_bound(0, 299) == pytest.approx(0.0099692, abs=1e-6)
    # One of two: P(at most 1) = 1 - p^2 = 0.05.
    assert upper_bound(1, 2) == pytest.approx(math.sqrt(0.95))
    assert upper_bound(3, 3) == 1.0
    assert upper_bound(0, 1, level=0.9) == pytest.approx(0.9)
    with pytest.raises(ValueError, match="clusters 0"):
        upper_bound(0, 0)


def test_coverage_at_a_share_of_wrong_answers() -> None:
    # 250 right ones, 1 wrong, 98 right, 1 wrong, 50 unread: at 1 % up to the second wrong one, 2 of 350; at
    # 0.5 % up to the first, 1 of 349 (2 of 350 is 0.57 %).
    confidences = [1 - place / 1000 for place in range(350)] + [0.0] * 50
    right = [place not in (250, 349) for place in range(350)] + [False] * 50
    percent, half = selective(confidences, right).coverages
    assert (percent.target, percent.answered, percent.wrong) == (0.01, 350, 2)
    assert percent.coverage == 350 / 400
    assert percent.threshold == pytest.approx(1 - 349 / 1000)
    assert percent.error_bound == pytest.approx(upper_bound(2, 350))
    assert (half.answered, half.wrong, half.threshold) == (349, 1, pytest.approx(1 - 348 / 1000))
    # No 299 right ones stand first, and with one wrong 473 are needed.
    assert (percent.sure_coverage, percent.sure_threshold) == (0.0, None)


@pytest.mark.parametrize(("n", "share"), [(298, 0.0), (299, 1.0)])
def test_sure_coverage_begins_at_299_right_ones(n: int, share: float) -> None:
    # 0.99^298 = 0.05003, 0.99^299 = 0.04953.
    percent, half = selective([1 - place / 1000 for place in range(n)], [True] * n).coverages
    assert percent.coverage == half.coverage == 1.0
    assert percent.sure_coverage == share
    assert half.sure_coverage == 0.0


def test_a_threshold_takes_all_of_equal_confidence() -> None:
    # 99 right ones and then a tie of one right and one wrong: 1 of 101 is below 1 %. With 97 it is 1 of 99,
    # too much, and the tie is left out whole.
    for before, answered in ((99, 101), (97, 97)):
        confidences = [0.9] * before + [0.5, 0.5]
        (percent, _) = selective(confidences, [True] * (before + 1) + [False]).coverages
        assert (percent.answered, percent.wrong) == (
            answered,
            answered - before - 1 if answered > before else 0,
        )


def test_nothing_can_be_answered() -> None:
    found = selective([0.9, 0.0], [False, False]).coverages[0]
    assert (found.answered, found.coverage, found.threshold, found.error_bound) == (0, 0.0, None, None)
    values = selective([0.9, 0.0], [False, False]).to_dict()
    assert values["coverages"][1]["target"] == 0.005
    assert values["coverages"][1]["error_bound"] is None


@pytest.mark.parametrize(
    ("confidences", "right", "message"),
    [([], [], "got 0 and 0"), ([0.5], [], "got 1 and 0"), ([1.5], [True], "from 0 to 1"),
     ([math.nan], [True], "from 0 to 1")],
)  # fmt: skip
def test_arguments(confidences: list[float], right: list[bool], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        selective(confidences, right)
