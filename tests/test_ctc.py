"""CTC against the oracle that walks every path, against torch, and on what is not scores."""

from __future__ import annotations

import dataclasses
import itertools
import math
import pickle
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch
from reference import ctc as oracle

from lprfast import _core
from lprfast.ctc import ctc_beam, ctc_greedy, ctc_score

Array = npt.NDArray[np.float32]

LATIN = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CHINESE = "京沪津渝冀晋蒙辽吉黑苏浙皖闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新" + LATIN


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """A fresh seed, printed, so that a failure can be had again."""
    value = int(np.random.SeedSequence().generate_state(1)[0])
    print(f"seed of {request.node.name}: {value}")
    return value


def normalised(logits: Array) -> Array:
    scores: Array = _core.ctc_log_softmax(logits.reshape(1, -1, logits.shape[-1]))
    return scores.reshape(logits.shape)


def random_scores(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Log-posteriors from nearly flat to nearly certain, some with impossible classes."""
    logits = rng.normal(0, rng.choice([0.1, 1, 5, 30, 300]), shape).astype(np.float32)
    if rng.random() < 0.3:
        kept = rng.integers(0, shape[-1], (*shape[:-1], 1))
        impossible = (rng.random(shape) < 0.3) & (np.arange(shape[-1]) != kept)
        logits[impossible] = -np.inf
    return normalised(logits)


def small_cases(seed: int, count: int) -> list[tuple[Array, int]]:
    """Scores [T, K] that can be enumerated, and their blank."""
    rng = np.random.default_rng(seed)
    cases = []
    for _ in range(count):
        shape = (int(rng.integers(1, 6)), int(rng.integers(2, 5)))
        cases.append((random_scores(rng, shape), int(rng.integers(0, shape[1]))))
    return cases


def beam(
    scores: Array, blank: int, size: int, prune: float = 0.0, isa: str = "auto"
) -> dict[tuple[int, ...], float]:
    """All that the beam holds at the end, best first."""
    crops, offsets, labels, log_probs = _core.ctc_beam(scores[None], blank, False, size, size, prune)
    assert crops.tolist() == [0, len(log_probs)]
    texts = [tuple(labels[a:b].tolist()) for a, b in itertools.pairwise(offsets)]
    found = dict(zip(texts, log_probs.tolist(), strict=True))
    assert len(found) == len(texts), "a text came twice"
    assert list(found.values()) == sorted(found.values(), reverse=True)
    return found


def score(scores: Array, texts: list[tuple[int, ...]], blank: int) -> list[float]:
    found: list[float] = _core.ctc_score(
        scores[None], [[list(text) for text in texts]], blank, False
    ).tolist()
    return found


def certain(path: list[int], classes: int) -> Array:
    """Log-posteriors that allow this one path."""
    scores = np.full((len(path), classes), -np.inf, np.float32)
    scores[np.arange(len(path)), path] = 0
    return scores


def test_log_softmax_against_the_definition() -> None:
    logits = np.random.default_rng(1).normal(0, 8, (7, 5, 37)).astype(np.float32)
    logits[0, 0, 3] = -np.inf
    logits[0, 1] += 1e4
    found = _core.ctc_log_softmax(logits)
    for row, expected in zip(found.reshape(-1, 37), logits.reshape(-1, 37), strict=True):
        assert row == pytest.approx(oracle.log_softmax(expected.astype(float).tolist()), rel=1e-6, abs=2e-6)


def test_greedy_against_the_oracle(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(200):
        classes = int(rng.integers(2, 40))
        scores = random_scores(rng, (int(rng.integers(1, 30)), classes))
        if rng.random() < 0.5:  # ties
            scores = np.log(rng.integers(1, 4, scores.shape)).astype(np.float32)
            scores = normalised(scores)
        blank = int(rng.integers(0, classes))
        columns = _core.ctc_greedy(scores[None], blank, False)
        expected = oracle.greedy(scores.astype(float).tolist(), blank)
        assert columns[0].tolist() == [0, len(expected)]
        for found, wanted in zip(columns[1:], zip(*expected, strict=True), strict=bool(expected)):
            assert found.tolist() == pytest.approx(wanted, rel=1e-6)


def test_full_beam_is_the_enumeration(seed: int) -> None:
    for scores, blank in small_cases(seed, 150):
        expected = oracle.text_log_probs(scores.astype(float).tolist(), blank)
        found = beam(scores, blank, 1000)
        assert found.keys() == expected.keys()
        for text, log_prob in expected.items():
            assert found[text] == pytest.approx(log_prob, abs=1e-9)


def test_score_is_the_enumeration(seed: int) -> None:
    for scores, blank in small_cases(seed, 150):
        expected = oracle.text_log_probs(scores.astype(float).tolist(), blank)
        symbols = [k for k in range(scores.shape[1]) if k != blank]
        for length in range(4):
            texts = list(itertools.product(symbols, repeat=length))
            wanted = [expected.get(text, -math.inf) for text in texts]
            assert score(scores, texts, blank) == pytest.approx(wanted, abs=1e-9)


def test_score_is_minus_torch_ctc_loss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(50):
        steps, classes = int(rng.integers(10, 60)), int(rng.integers(3, 80))
        blank = int(rng.integers(0, classes))
        scores = _core.ctc_log_softmax(rng.normal(0, 4, (1, steps, classes)).astype(np.float32))
        symbols = [k for k in range(classes) if k != blank]
        text = rng.choice(symbols, int(rng.integers(1, 9))).tolist()
        loss = torch.nn.functional.ctc_loss(
            torch.from_numpy(scores).double().transpose(0, 1),
            torch.tensor([text]),
            torch.tensor([steps]),
            torch.tensor([len(text)]),
            blank=blank,
            reduction="none",
        )
        needed = len(text) + sum(a == b for a, b in itertools.pairwise(text))
        found = score(scores[0], [tuple(text)], blank)[0]
        assert found == (-math.inf if needed > steps else pytest.approx(-loss.item(), rel=1e-10))


def test_scores_far_under_the_smallest_double() -> None:
    # A hundred steps of a symbol at e^-50 each: the only alignment of the text is e^-5000.
    scores = np.zeros((101, 3), np.float32)
    scores[:, 1:] = -50
    scores[0] = [-50, 0, -50]
    text = tuple(1 + i % 2 for i in range(101))
    assert score(scores, [text], 0) == [pytest.approx(-5000, abs=1e-9)]
    assert beam(scores, 0, 1) == {(1,): pytest.approx(0, abs=1e-9)}


def test_beam_goes_on_under_the_smallest_double() -> None:
    # 700 steps over 80 classes: each text is less likely than 1e-308, and is still ranked and scored.
    rng = np.random.default_rng(5)
    scores = normalised(rng.normal(0, 0.3, (700, 80)).astype(np.float32))
    found = beam(scores, 0, 5)
    assert max(found.values()) < -750
    exact = score(scores, list(found), 0)
    assert all(value <= limit + 1e-9 for value, limit in zip(found.values(), exact, strict=True))


def test_full_beam_keeps_what_a_double_cannot_hold() -> None:
    # Texts at e^-801 and e^-800, which a double cannot hold, beside one that is certain.
    scores = np.full((4, 3), -np.inf, np.float32)
    scores[:, 0] = 0
    scores[1] = [-np.inf, -400, 0]
    scores[2] = [-400, 0, -401]
    found = beam(scores, 0, 100)
    expected = oracle.text_log_probs(scores.astype(float).tolist(), 0)
    assert found.keys() == expected.keys()
    assert all(found[text] == pytest.approx(expected[text], abs=1e-9) for text in expected)


def test_no_beam_beats_the_exact_score(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(60):
        classes = int(rng.integers(2, 20))
        scores = random_scores(rng, (int(rng.integers(1, 30)), classes))
        blank = int(rng.integers(0, classes))
        size, prune = int(rng.integers(1, 30)), float(rng.choice([0, 0, 1e-6, 1e-2, 0.5, 0.99]))
        found = beam(scores, blank, size, prune)
        assert 1 <= len(found) <= size
        for log_prob, exact in zip(found.values(), score(scores, list(found), blank), strict=True):
            assert log_prob <= exact + 1e-9


def test_greedy_never_beats_the_full_beam(seed: int) -> None:
    for scores, blank in small_cases(seed, 100):
        labels = tuple(_core.ctc_greedy(scores[None], blank, False)[1].tolist())
        assert score(scores, [labels], blank)[0] <= max(beam(scores, blank, 1000).values()) + 1e-9


def test_every_path_gives_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    isas = _core.available_isas()
    assert isas[0] == "scalar"
    for classes in [*range(2, 36), 37, 48, 49, 64, 65, 75, 200]:
        logits = rng.normal(0, 5, (2, 9, classes)).astype(np.float32)
        logits[0, :, int(rng.integers(1, classes))] = -np.inf
        logits[1, 3] = np.round(logits[1, 3] / 5)  # ties
        scores = _core.ctc_log_softmax(logits, "scalar")
        texts = [[[1, 1], [1]], [[], [1]]]
        calls = [
            lambda isa, x=logits: (_core.ctc_log_softmax(x, isa),),
            lambda isa, x=scores: _core.ctc_greedy(x, 0, False, isa),
            lambda isa, x=logits: _core.ctc_greedy(x, 0, True, isa),
            lambda isa, x=scores: _core.ctc_beam(x, 0, False, 7, 7, 0.0, isa),
            lambda isa, x=scores, t=texts: (_core.ctc_score(x, t, 0, False, isa),),
        ]
        for call in calls:
            expected = call("scalar")
            for isa in isas[1:]:
                for found, wanted in zip(call(isa), expected, strict=True):
                    np.testing.assert_array_equal(found, wanted)


def test_a_batch_is_its_crops() -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(0, 3, (6, 12, 11)).astype(np.float32)
    charset = LATIN[:10]
    singles = [ctc_greedy(crop, charset, logits=True)[0] for crop in logits]
    assert ctc_greedy(logits, charset, logits=True) == singles
    beams = [ctc_beam(crop, charset, logits=True, nbest=3)[0] for crop in logits]
    assert ctc_beam(logits, charset, logits=True, nbest=3) == beams
    texts = [read.text for read in singles]
    scores = ctc_score(logits, texts, charset, logits=True)
    for crop, text, found in zip(logits, texts, scores, strict=True):
        assert ctc_score(crop, [text], charset, logits=True).tolist() == [found]


@pytest.mark.parametrize("charset", [LATIN, CHINESE], ids=["latin", "chinese"])
@pytest.mark.parametrize("blank_last", [False, True])
def test_round_trip_of_every_symbol(charset: str, blank_last: bool) -> None:
    blank = len(charset) if blank_last else 0
    first = 0 if blank_last else 1
    for i, symbol in enumerate(charset):
        label, other = first + i, first + (i + 1) % len(charset)
        scores = certain([blank, label, label, blank, label, other, other], len(charset) + 1)
        text = symbol * 2 + charset[(i + 1) % len(charset)]
        read = ctc_greedy(scores, charset, blank=blank)[0]
        assert (read.text, read.char_confidences, read.time_steps) == (text, (1.0, 1.0, 1.0), (1, 4, 5))
        (found,) = ctc_beam(scores, charset, blank=blank, nbest=5)[0]
        assert (found.text, found.log_prob) == (text, 0.0)
        assert ctc_score(scores, [text, symbol], charset, blank=blank).tolist() == [0.0, -math.inf]


def test_only_blanks_are_no_text() -> None:
    scores = np.log(np.full((8, 5), 0.1, np.float32))
    scores[..., 0] = math.log(0.6)
    read = ctc_greedy(scores, "ABCD")[0]
    assert (read.text, read.char_confidences, read.runners_up, read.time_steps) == ("", (), (), ())
    sure = certain([0] * 8, 5)
    assert [h.text for h in ctc_beam(sure, "ABCD", nbest=9)[0]] == [""]
    assert ctc_score(sure, ["", "A"], "ABCD").tolist() == [0.0, -math.inf]


def test_greedy_fields_by_hand() -> None:
    rows = [[0.8, 0.1, 0.1], [0.3, 0.5, 0.2], [0.05, 0.75, 0.2], [0.1, 0.3, 0.6]]
    (read,) = ctc_greedy(np.log(np.array(rows, np.float32)), ["AB", "C"])
    assert read.text == "ABC"
    assert read.char_confidences == pytest.approx((0.75, 0.6), rel=1e-6)
    assert read.runners_up == ("C", "AB")
    assert read.runner_up_confidences == pytest.approx((0.2, 0.3), rel=1e-6)
    assert read.time_steps == (2, 3)


def test_two_classes_have_no_runner_up() -> None:
    (read,) = ctc_greedy(np.log(np.array([[0.25, 0.75]], np.float32)), ["A"])
    assert (read.text, read.runners_up, read.runner_up_confidences) == ("A", ("",), (0.0,))


def test_beam_by_hand() -> None:
    # The best path is all blank (0.36), the best text is A (0.64): the reason why there is a beam.
    scores = np.log(np.array([[0.6, 0.4], [0.6, 0.4]], np.float32))
    assert ctc_greedy(scores, "A")[0].text == ""
    (found,) = ctc_beam(scores, "A", nbest=10)
    assert [h.text for h in found] == ["A", ""]
    assert [math.exp(h.log_prob) for h in found] == pytest.approx([0.64, 0.36], rel=1e-6)
    assert len(ctc_beam(scores, "A", beam_size=1, nbest=10)[0]) == 1


def test_prune_by_hand() -> None:
    scores = np.log(np.array([[0.5, 0.3, 0.2], [0.9, 0.05, 0.05]], np.float32))

    def texts(prune: float) -> dict[str, float]:
        return {h.text: math.exp(h.log_prob) for h in ctc_beam(scores, "AB", nbest=9, prune=prune)[0]}

    assert set(texts(0.0)) == {"", "A", "B", "AB", "BA"}
    # A and B of the second step are not tried after another text; that A and B go on is no trial.
    assert texts(0.1) == pytest.approx({"": 0.45, "A": 0.285, "B": 0.19}, rel=1e-6)
    assert texts(0.25) == pytest.approx({"": 0.45, "A": 0.285}, rel=1e-6)


def test_prune_never_empties_the_beam() -> None:
    with np.errstate(divide="ignore"):
        scores = np.log(np.array([[0.0, 0.6, 0.4], [0.0, 0.0, 1.0]], np.float32))
    (found,) = ctc_beam(scores, "AB", nbest=9, prune=0.9)
    assert [(h.text, round(math.exp(h.log_prob), 6)) for h in found] == [("AB", 0.6)]


def test_texts_of_long_symbols_are_taken_apart_by_the_longest() -> None:
    scores = certain([1, 2, 3], 4)
    assert ctc_score(scores, ["AABB"], ["A", "AB", "B"]).tolist() == [0.0]


def test_no_crops_and_no_steps() -> None:
    none = np.zeros((0, 4, 3), np.float32)
    assert ctc_greedy(none, "AB") == []
    assert ctc_beam(none, "AB") == []
    assert ctc_score(none, [], "AB").shape == (0,)
    empty = np.zeros((2, 0, 3), np.float32)
    assert [read.text for read in ctc_greedy(empty, "AB")] == ["", ""]
    assert [[(h.text, h.log_prob) for h in found] for found in ctc_beam(empty, "AB")] == [[("", 0.0)]] * 2
    assert ctc_score(empty, ["", "A"], "AB").tolist() == [0.0, -math.inf]


def test_results_are_frozen() -> None:
    (read,) = ctc_greedy(certain([1], 3), "AB")
    with pytest.raises(dataclasses.FrozenInstanceError):
        read.text = "B"  # type: ignore[misc]


GOOD = np.log(np.full((2, 3, 4), 0.25, np.float32))


def changed(place: tuple[int, ...], value: float) -> Array:
    scores = GOOD.copy()
    scores[place] = value
    return scores


@pytest.mark.parametrize("logits", [False, True])
@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (changed((1, 2, 3), np.nan), r"scores\[1, 2, 3\]: expected a finite number or -inf, got nan"),
        (changed((0, 1, 0), np.inf), r"scores\[0, 1, 0\]: expected a finite number or -inf, got inf"),
        (changed((1, 0), -np.inf), r"scores\[1, 0\]: expected at least one class that is possible"),
        (np.zeros((1, 2, 1), np.float32), "scores: expected at least 2 classes .* got 1"),
        (np.zeros(4, np.float32), r"scores: expected \[N, T, K\] or \[T, K\], got shape \(4,\)"),
        (GOOD.transpose(1, 0, 2), "scores: expected a float32 array .* not in C order"),
    ],
)
def test_bad_scores(scores: Array, message: str, logits: bool) -> None:
    charset = LATIN[: scores.shape[-1] - 1]
    texts = ["0"] * len(scores)
    for call in (ctc_greedy, ctc_beam):
        with pytest.raises(ValueError, match=message):
            call(scores, charset, logits=logits)
    with pytest.raises(ValueError, match=message):
        ctc_score(scores, texts, charset, logits=logits)


def test_logits_given_as_posteriors() -> None:
    with pytest.raises(ValueError, match=r"scores\[0, 0\]: .* sum of 4\.0.*; pass logits=True"):
        ctc_greedy(np.zeros((2, 3, 4), np.float32), "ABC")
    with pytest.raises(ValueError, match=r"scores\[1, 2\]: .* sum of 1\.00[12]"):
        ctc_beam(changed((1, 2, 0), math.log(0.2515)), "ABC")
    assert ctc_greedy(changed((1, 2, 0), math.log(0.2505)), "ABC")[0].text == ""


def test_greedy_sums_the_first_row_and_looks_at_the_largest_of_the_others() -> None:
    with pytest.raises(ValueError, match=r"scores\[1, 0\]: .* sum of 1\.00[12]"):
        ctc_greedy(changed((1, 0, 0), math.log(0.2515)), "ABC")
    assert ctc_greedy(changed((1, 2, 0), math.log(0.2515)), "ABC")[1].text == ""
    for value, total in [(0.01, r"1\.73"), (math.log(0.24), r"0\.96")]:
        scores = changed((1, 2), math.log(0.24))
        scores[1, 2, 3] = value
        with pytest.raises(ValueError, match=rf"scores\[1, 2\]: expected log-posteriors .* sum of {total}"):
            ctc_greedy(scores, "ABC")


@pytest.mark.parametrize("classes", [2, 16, 17, 37, 64, 65, 75, 80, 81, 200])
def test_greedy_finds_nan_and_infinity_anywhere(classes: int) -> None:
    good = np.full((1, 3, classes), -math.log(classes), np.float32)
    good[0, 2, 1:] = -np.inf
    good[0, 2, 0] = 0
    for isa, k in itertools.product(_core.available_isas(), range(classes)):
        scores = good.copy()
        scores[0, k % 3, k] = [np.nan, np.inf, -np.nan, np.nan][k % 4]
        with pytest.raises(ValueError, match="expected a finite number or -inf, got") as caught:
            _core.ctc_greedy(scores, 0, False, isa)
        assert str(caught.value).startswith(f"scores[0, {k % 3}, {k}]: ")


def test_reads_are_a_sequence() -> None:
    logits = np.random.default_rng(8).normal(0, 3, (4, 12, 11)).astype(np.float32)
    reads = ctc_greedy(logits, LATIN[:10], logits=True)
    listed = list(reads)
    assert isinstance(reads, Sequence)
    assert len(reads) == len(listed) == 4
    assert [reads[n] for n in range(-4, 4)] == listed * 2
    assert reads[1:3] == listed[1:3]
    assert reads[::-1] == listed[::-1]
    assert reads.texts == tuple(read.text for read in listed)
    assert reads == listed
    assert reads == ctc_greedy(logits, LATIN[:10], logits=True)
    assert reads != listed[:3]
    assert reads != listed[::-1]
    assert reads != 4
    assert repr(reads) == f"CtcReads({listed!r})"
    assert pickle.loads(pickle.dumps(reads)) == listed
    for index in (4, -5):
        with pytest.raises(IndexError):
            reads[index]


def test_texts_of_labels() -> None:
    offsets, labels = np.array([0, 2, 2, 3]), np.array([1, 2, 3], np.int32)
    assert _core.ctc_texts(offsets, labels, ["", "A", "京津", "\udc80"]) == ("A京津", "", "\udc80")
    assert _core.ctc_texts(offsets[:0], labels, [""]) == _core.ctc_texts(offsets[:1], labels, [""]) == ()
    for wrong in ([1, 2], [0, 2, 1], [0, 4], [0, -1]):
        with pytest.raises(ValueError, match="offsets: expected 0 first"):
            _core.ctc_texts(np.array(wrong), labels, ["", "A", "B", "C"])
    for label in (4, -1):
        with pytest.raises(ValueError, match="labels: expected classes that have a symbol"):
            _core.ctc_texts(np.array([0, 1]), np.array([label], np.int32), ["", "A", "B", "C"])
    with pytest.raises(TypeError, match="symbols: expected a list of str"):
        _core.ctc_texts(offsets, labels, [b"A"])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blank": -1}, "blank: expected a class from 0 to 3, got -1"),
        ({"blank": 4}, "blank: expected a class from 0 to 3, got 4"),
        ({"beam_size": 0}, "beam_size: expected 1 to 100000, got 0"),
        ({"beam_size": 2**40}, "beam_size: expected a number of 32 bits"),
        ({"nbest": 0}, "nbest: expected at least 1, got 0"),
        ({"prune": -0.1}, "prune: expected a probability from 0 to under 1, got -0.1"),
        ({"prune": 1.0}, "prune: expected .* got 1.0"),
        ({"prune": math.nan}, "prune: expected .* got nan"),
    ],
)
def test_bad_options(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ctc_beam(GOOD, "ABC", **options)


@pytest.mark.parametrize(
    ("charset", "message"),
    [
        ("AB", "charset: expected 3 symbols, .* got 2"),
        ("ABCD", "charset: expected 3 symbols, .* got 4"),
        ("ABA", "charset: expected each symbol once, got 'A' more than once"),
        (["A", "", "B"], "charset: expected strings that are not empty, got ''"),
        (["A", 1, "B"], "charset: expected strings that are not empty, got 1"),
    ],
)
def test_bad_charset(charset: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ctc_greedy(GOOD, charset)


def test_bad_texts() -> None:
    with pytest.raises(ValueError, match="texts: 'X' in 'AX' is not in the charset"):
        ctc_score(GOOD, ["A", "AX"], "ABC")
    with pytest.raises(ValueError, match="texts: expected one per crop, 2, got 1"):
        ctc_score(GOOD, ["A"], "ABC")
    with pytest.raises(TypeError, match="texts: expected a sequence of str, got one str"):
        ctc_score(GOOD, "AB", "ABC")
    for labels in ([0], [4], [-1]):
        with pytest.raises(ValueError, match="texts: expected classes from 0 to 3 other than the blank"):
            _core.ctc_score(GOOD, [[labels], []], 0, False)
    with pytest.raises(ValueError, match="texts: expected those of 2 crops, got 1"):
        _core.ctc_score(GOOD, [[[1]]], 0, False)


def test_other_types() -> None:
    with pytest.raises(TypeError, match="scores: expected a float32 array, got list"):
        ctc_greedy([[0.0]], "A")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"scores: expected a float32 array .* got float64 array"):
        ctc_greedy(GOOD.astype(np.float64), "ABC")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"beam_size: expected a whole number, got 2\.5"):
        ctc_beam(GOOD, "ABC", beam_size=2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="isa: expected one of"):
        _core.ctc_greedy(GOOD, 0, False, "mmx")
