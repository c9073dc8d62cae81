"""Alignments, the confusion matrix and the loss weights from it, against cases by hand and a slow oracle."""

from __future__ import annotations

import itertools
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lprfast.evaluation import align, confusion, edit_distance
from training.ocr.confusion import PRIOR_COUNT, ConfusionWeights, load_confusion


@pytest.mark.parametrize(
    ("label", "text", "pairs"),
    [
        ("", "", []),
        ("AB", "AB", [("A", "A"), ("B", "B")]),
        ("AB", "A8", [("A", "A"), ("B", "8")]),
        ("AB", "", [("A", ""), ("B", "")]),
        ("", "AB", [("", "A"), ("", "B")]),
        ("ABC", "AC", [("A", "A"), ("B", ""), ("C", "C")]),
        ("AC", "ABC", [("A", "A"), ("", "B"), ("C", "C")]),
        # Ties: of a doubled character the first is the missing or the inserted one.
        ("AAB", "AB", [("A", ""), ("A", "A"), ("B", "B")]),
        ("AB", "AAB", [("", "A"), ("A", "A"), ("B", "B")]),
        # Two pairs rather than an inserted and a missing character.
        ("AB", "BA", [("A", "B"), ("B", "A")]),
    ],
)
def test_alignments_by_hand(label: str, text: str, pairs: list[tuple[str, str]]) -> None:
    assert align(label, text) == pairs


@cache
def all_alignments(label: str, text: str) -> tuple[tuple[tuple[str, str], ...], ...]:
    """Every alignment at all, by recursion from the end."""
    if not label and not text:
        return ((),)
    found: list[tuple[tuple[str, str], ...]] = []
    if label and text:
        found += [(*rest, (label[-1], text[-1])) for rest in all_alignments(label[:-1], text[:-1])]
    if label:
        found += [(*rest, (label[-1], "")) for rest in all_alignments(label[:-1], text)]
    if text:
        found += [(*rest, ("", text[-1])) for rest in all_alignments(label, text[:-1])]
    return tuple(found)


def rank(pairs: tuple[tuple[str, str], ...]) -> tuple[int, list[int]]:
    cost = sum(left != right for left, right in pairs)
    # From the end: a pair before a missing before an inserted character.
    return cost, [0 if left and right else 1 if left else 2 for left, right in reversed(pairs)]


def test_align_equals_the_best_of_all_alignments() -> None:
    words = ["".join(word) for length in range(4) for word in itertools.product("ab", repeat=length)]
    for label, text in itertools.product(words, words):
        best = min(all_alignments(label, text), key=rank)
        assert align(label, text) == list(best), (label, text)
        assert rank(best)[0] == edit_distance(label, text)


def test_the_matrix_by_hand() -> None:
    # (read, label): B as 8 twice, one C missing, one X inserted; the crop without a text is left out.
    found = confusion([("A8", "AB"), ("A8", "AB"), ("A", "AC"), ("XA", "A"), ("", "ABC")])
    assert found.texts == 4
    assert found.counts == {("A", "A"): 4, ("B", "8"): 2, ("C", ""): 1, ("", "X"): 1}
    assert found.worst() == [("B", "8", 2), ("", "X", 1), ("C", "", 1)]
    assert found.worst(1) == [("B", "8", 2)]
    document = found.to_dict()
    assert document["symbols"] == ["", "8", "A", "B", "C", "X"]
    assert document["matrix"] == [
        [0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 4, 0, 0, 0],
        [0, 2, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]


# Loss weights


def written(folder: Path, **changes: Any) -> Path:
    """A: 90 times, 9 wrong. B: 30 times, 15 wrong, 5 of them missing. X inserted 7 times."""
    document = {
        "schema_version": 1,
        "kind": "confusion",
        "texts": 60,
        "symbols": ["", "A", "B", "X"],
        "matrix": [[0, 0, 0, 7], [0, 81, 9, 0], [5, 10, 15, 0], [0, 0, 0, 0]],
    }
    path = folder / "confusion.json"
    path.write_text(json.dumps(document | changes), encoding="utf-8")
    return path


def test_error_rates_by_hand(tmp_path: Path) -> None:
    rates = load_confusion(written(tmp_path), ["A", "B", "C"]).rates
    overall = 24 / 120
    assert PRIOR_COUNT == 10
    assert rates == pytest.approx({"A": (9 + 2) / 100, "B": (15 + 2) / 40, "C": overall})


def test_weights_by_hand() -> None:
    weights = ConfusionWeights({"A": 0.1, "B": 0.5}, strength=2.0).weights(["AA", "AB", "B", ""])
    # 1.2, 1.6, 2.0 and 1.0 have the mean 1.45.
    assert weights.tolist() == pytest.approx([1.2 / 1.45, 1.6 / 1.45, 2.0 / 1.45, 1.0 / 1.45])
    assert ConfusionWeights({"A": 0.1}, strength=0.0).weights(["A", ""]).tolist() == [1.0, 1.0]
    assert ConfusionWeights({}).weights([]).shape == (0,)


def test_what_eval_counts_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "confusion.json"
    path.write_text(json.dumps(confusion([("A8", "AB"), ("AB", "AB")]).to_dict()), encoding="utf-8")
    rates = load_confusion(path, "AB8").rates
    assert rates == pytest.approx({"A": 2.5 / 12, "B": 3.5 / 12, "8": 0.25})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "other"}, "kind 'confusion'"),
        ({"schema_version": 2}, "expected 1, got 2"),
        ({"matrix": [[1]]}, "square"),
        ({"matrix": [[0, 0, 0, 7], [0, 81, 9, 0], [5, 10, -15, 0], [0, 0, 0, 0]]}, "square"),
        ({"matrix": [[0, 0, 0, 7], [0, 81, 9, 0], [5, 10, True, 0], [0, 0, 0, 0]]}, "square"),
        ({"symbols": ["", "A", "A", "X"]}, "square"),
        ({"symbols": None}, "square"),
    ],
)
def test_files_that_are_no_matrix(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_confusion(written(tmp_path, **changes), ["A"])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        load_confusion(tmp_path / "missing.json", ["A"])
    (tmp_path / "text.json").write_text("no JSON", encoding="utf-8")
    with pytest.raises(ValueError, match="got no JSON"):
        load_confusion(tmp_path / "text.json", ["A"])


@pytest.mark.parametrize("strength", [-1.0, float("nan"), float("inf")])
def test_strengths_out_of_range(tmp_path: Path, strength: float) -> None:
    with pytest.raises(ValueError, match="strength"):
        load_confusion(written(tmp_path), ["A"], strength)
