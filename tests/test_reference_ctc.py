"""The slow CTC oracle against cases worked by hand."""

import math

import pytest
from reference import ctc as oracle


def logs(rows: list[list[float]]) -> list[list[float]]:
    return [[math.log(p) if p > 0 else -math.inf for p in row] for row in rows]


@pytest.mark.parametrize(
    ("path", "blank", "text"),
    [
        ((), 0, ()),
        ((0, 0), 0, ()),
        ((1, 1, 1), 0, (1,)),
        ((1, 0, 1), 0, (1, 1)),
        ((0, 2, 2, 0, 1), 0, (2, 1)),
        ((2, 0, 0, 2, 1), 2, (0, 1)),
    ],
)
def test_collapse(path: tuple[int, ...], blank: int, text: tuple[int, ...]) -> None:
    assert oracle.collapse(path, blank) == text


def test_two_steps_by_hand() -> None:
    # Step 1: blank .6, A .3, B .1; step 2: blank .5, A .1, B .4.
    rows = logs([[0.6, 0.3, 0.1], [0.5, 0.1, 0.4]])
    found = oracle.text_log_probs(rows, 0)
    expected = {
        (): 0.6 * 0.5,
        (1,): 0.6 * 0.1 + 0.3 * 0.5 + 0.3 * 0.1,
        (2,): 0.6 * 0.4 + 0.1 * 0.5 + 0.1 * 0.4,
        (1, 2): 0.3 * 0.4,
        (2, 1): 0.1 * 0.1,
    }
    assert found.keys() == expected.keys()
    for text, probability in expected.items():
        assert math.exp(found[text]) == pytest.approx(probability, abs=1e-15)


def test_a_doubled_letter_needs_three_steps() -> None:
    rows = logs([[0.5, 0.5]] * 3)
    found = oracle.text_log_probs(rows, 0)
    # Of the eight paths one is empty, one is A-A, and six spell A.
    assert {text: round(math.exp(value) * 8, 12) for text, value in found.items()} == {
        (): 1,
        (1,): 6,
        (1, 1): 1,
    }


def test_impossible_paths_spell_nothing() -> None:
    assert oracle.text_log_probs(logs([[0.0, 1.0, 0.0]] * 2), 0) == {(1,): 0.0}


def test_no_steps_spell_the_empty_text() -> None:
    assert oracle.text_log_probs([], 0) == {(): 0.0}


def test_greedy_by_hand() -> None:
    rows = logs(
        [
            [0.7, 0.2, 0.1],
            [0.2, 0.5, 0.3],
            [0.1, 0.8, 0.1],  # peak of the first A; blank and B tie, and only B is a symbol
            [0.6, 0.3, 0.1],
            [0.3, 0.4, 0.3],  # a second A, after a blank
            [0.1, 0.3, 0.6],
        ]
    )
    found = oracle.greedy(rows, 0)
    rounded = [(a, round(p, 12), b, round(q, 12), step) for a, p, b, q, step in found]
    assert rounded == [(1, 0.8, 2, 0.1, 2), (1, 0.4, 2, 0.3, 4), (2, 0.6, 1, 0.3, 5)]


def test_greedy_ties_go_to_the_first_class_and_the_first_step() -> None:
    rows = logs([[0.2, 0.4, 0.4, 0.0], [0.2, 0.4, 0.2, 0.2]])
    ((label, _, other, _, step),) = oracle.greedy(rows, 0)
    assert (label, other, step) == (1, 2, 0)


def test_log_softmax_by_hand() -> None:
    assert oracle.log_softmax([math.log(1), math.log(3)]) == pytest.approx([math.log(0.25), math.log(0.75)])
