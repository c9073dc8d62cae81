"""The vote: its formulas against the oracle, and what must hold whatever the reads are."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from reference import vote as oracle

from lprfast import _core, _ranking
from lprfast.results import Alternative, PlateRead, PlateVote
from lprfast.streaming import TrackVoter
from lprfast.voting import read_from_text, vote

CHARSET = ("", *"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def posteriors_of(
    text: str, sure: Sequence[float] | float = 0.9, second: str | None = None, steps: int = 24
) -> npt.NDArray[np.float16]:
    """Log-posteriors of a clear text: blanks but for one step per character, every second one."""
    probabilities = np.full((steps, len(CHARSET)), 0.01 / (len(CHARSET) - 1))
    probabilities[:, 0] = 0.99
    each = [sure] * len(text) if isinstance(sure, float) else sure
    for i, symbol in enumerate(text):
        at_second = 0.9 * (1 - each[i]) if second is not None and second[i] != symbol else 0.0
        row = probabilities[2 * i + 1]
        row[:] = (1 - each[i] - at_second) / (len(CHARSET) - 1)
        if second is not None and at_second:
            row[CHARSET.index(second[i])] = at_second
        row[CHARSET.index(symbol)] = each[i]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return np.log(probabilities).astype(np.float16)


def read_of(log_posteriors: npt.NDArray[np.float16], seed: int | None = None, width: int = 100) -> PlateRead:
    """The greedy read of log-posteriors; ``seed`` gives the crop a signature of its own."""
    best = log_posteriors.argmax(axis=1)
    peaks = [t for t, k in enumerate(best) if k and (t == 0 or best[t - 1] != k)]
    sure = tuple(float(np.exp(np.float64(log_posteriors[t, best[t]]))) for t in peaks)
    signature = None if seed is None else np.random.default_rng(seed).integers(0, 256, 64).astype(np.uint8)
    return PlateRead(
        text="".join(CHARSET[best[t]] for t in peaks),
        confidence=math.prod(sure),
        char_confidences=sure,
        width=width,
        charset=CHARSET,
        log_posteriors=log_posteriors,
        signature=signature,
    )


def clear_read(text: str, seed: int, sure: Sequence[float] | float = 0.9, **kwargs: str) -> PlateRead:
    return read_of(posteriors_of(text, sure, **kwargs), seed)


def random_reads(random: np.random.Generator, count: int) -> list[PlateRead]:
    """Reads of one random plate with confusions, misses and reads from elsewhere among them."""
    text = "".join(random.choice(list(LETTERS), 6))
    reads = []
    for index in range(count):
        logits = np.log(np.exp(posteriors_of(text, 0.8).astype(float)) + 1e-3)
        logits += random.normal(0, random.uniform(0.1, 2.5), logits.shape)
        values = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        seed = int(random.integers(1 << 30)) if random.random() < 0.7 else None
        read = read_of(values.astype(np.float16), seed, int(random.integers(0, 200)))
        if index % 4 == 3 and read.text:
            read = read_from_text(read.text, read.char_confidences, width=read.width)
        reads.append(read)
    return reads


Rows = list[list[float]]
ABC = ("", "A", "B", "C")


def plain(log_posteriors: npt.NDArray[np.float16] | None) -> Rows:
    """As probabilities, for the oracle."""
    assert log_posteriors is not None
    rows: Rows = np.exp(log_posteriors.astype(float)).tolist()
    return rows


def log_likelihood(rows: Rows, text: str) -> float:
    return oracle.log_likelihood(rows, 0, [ABC.index(symbol) for symbol in text], -8)


def check_sane(answer: PlateVote, reads: Sequence[PlateRead]) -> None:
    numbers = [answer.probability, *answer.char_confidences, *answer.runner_up_confidences]
    numbers += [alternative.probability for alternative in answer.alternatives]
    numbers += [contribution.weight for contribution in answer.contributions]
    assert all(0 <= number <= 1 for number in numbers)
    assert len(answer.char_confidences) == len(answer.runners_up) == len(answer.text)
    assert answer.probability + sum(a.probability for a in answer.alternatives) <= 1 + 1e-9
    assert [contribution.index for contribution in answer.contributions] == list(range(len(reads)))
    json.dumps(answer.to_dict(), allow_nan=False)


# --- the oracle itself, by hand ---


def test_oracle_by_hand() -> None:
    # Two steps, blank and A: "A" is A-, -A and AA; "" is --; "AA" needs a blank between.
    rows = [[0.6, 0.4], [0.3, 0.7]]
    assert oracle.text_probability(rows, 0, [1]) == pytest.approx(0.4 * 0.3 + 0.6 * 0.7 + 0.4 * 0.7)
    assert oracle.text_probability(rows, 0, []) == pytest.approx(0.18)
    assert oracle.text_probability(rows, 0, [1, 1]) == 0
    # All texts of three steps and two symbols sum to one.
    rows3 = [[0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1]]
    texts = [labels for length in range(4) for labels in product([1, 2], repeat=length)]
    assert sum(oracle.text_probability(rows3, 0, labels) for labels in texts) == pytest.approx(1)
    assert oracle.log_likelihood(rows, 0, [1, 1], -8) == -8
    # Four unlike reads of equal width, rho 0.25: 4 / (1 + 3 * 0.25); four copies of one: 1.
    unlike = [[0] * 64, [50] * 64, [100] * 64, [150] * 64]
    assert oracle.effective_reads([0.25] * 4, unlike, 0.25) == pytest.approx(4 / 1.75)
    assert oracle.effective_reads([0.25] * 4, [[9] * 64] * 4, 0.25) == pytest.approx(1)
    # A picture twice and another one: each picture has half of the vote. Two gray levels off are half a copy.
    assert oracle.shares([0.8, 0.8, 0.8], [[0] * 64, [0] * 64, [50] * 64]) == pytest.approx([0.25, 0.25, 0.5])
    assert oracle.similarity([0] * 64, [2] * 64) == pytest.approx(0.5)
    # A (0.5, then 0.6), blank, A again, B: three characters.
    peaks = [[0.2, 0.5, 0.3], [0.3, 0.6, 0.1], [0.9, 0.1, 0], [0.1, 0.8, 0.1], [0, 0.3, 0.7]]
    assert oracle.certainty(peaks, 0) == pytest.approx(0.6 * 0.8 * 0.7)
    assert oracle.quality_weight(64, 0.0625, -8) == pytest.approx(0.25)
    assert oracle.quality_weight(500, 0, -8) == pytest.approx(math.exp(-2))


# --- the vote against the oracle ---


def test_scores_and_odds_are_those_of_the_oracle() -> None:
    random = np.random.default_rng(5)
    for _ in range(40):
        count = int(random.integers(2, 6))
        logits = random.normal(0, 2, (count, 5, 4))
        halves = (logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))).astype(np.float16)
        signatures = [[int(v)] * 64 for v in np.cumsum(random.integers(2, 5, count))]
        widths = [int(w) for w in random.integers(8, 200, count)]
        reads = [
            PlateRead(
                text="AB",
                confidence=0.5,
                char_confidences=(0.7, 0.7),
                width=widths[i],
                charset=ABC,
                log_posteriors=halves[i],
                signature=np.array(signatures[i], np.uint8),
            )
            for i in range(count)
        ]
        answer = vote(reads)
        rows = [plain(half) for half in halves]
        sure = [oracle.certainty(row, 0) for row in rows]
        qualities = [oracle.quality_weight(w, c, -8) for w, c in zip(widths, sure, strict=True)]
        weights = oracle.shares(qualities, signatures)
        effective = oracle.effective_reads(weights, signatures, 0.55)

        def score_of(text: str, rows: list[Rows] = rows, weights: list[float] = weights) -> float:
            return oracle.score([log_likelihood(row, text) for row in rows], weights)

        assert [c.weight for c in answer.contributions] == pytest.approx(weights)
        assert answer.effective_reads == pytest.approx(effective)
        for contribution, row in zip(answer.contributions, rows, strict=True):
            expected = log_likelihood(row, answer.text)
            assert contribution.log_likelihood == pytest.approx(expected, abs=1e-4)
        assert score_of(answer.text) >= score_of("AB") - 1e-4
        for alternative in answer.alternatives:
            odds = math.exp(effective * (score_of(alternative.text) - score_of(answer.text)))
            assert alternative.probability == pytest.approx(answer.probability * odds, rel=1e-3, abs=1e-9)
        known = sum(a.probability for a in answer.alternatives) + answer.probability
        assert known <= 1 - 5e-3 + 1e-9


def test_the_winner_is_mostly_the_best_of_all_short_texts() -> None:
    """Nothing promises that the best text is proposed; on noise of four steps it nearly always is."""
    random = np.random.default_rng(9)
    texts = ["".join(t) for length in (1, 2, 3) for t in product("ABC", repeat=length)]
    right = 0
    for _ in range(30):
        reads = []
        for index in range(3):
            logits = random.normal(0, 3, (4, 4))
            half = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float16)
            signature = np.full(64, 50 * index, np.uint8)
            reads.append(
                PlateRead(status="unreadable", charset=ABC, log_posteriors=half, signature=signature)
            )
        answer = vote(reads)
        best = answer.text or (answer.alternatives[0].text if answer.alternatives else "")
        rows = [plain(read.log_posteriors) for read in reads]
        scores = {text: sum(log_likelihood(row, text) for row in rows) for text in [*texts, best]}
        right += bool(best) and scores[best] >= max(scores.values()) - 1e-4
    assert right >= 27


def test_the_cores_constants_are_those_of_the_oracle() -> None:
    """What ranks crops before they are read takes them from there (`lprfast/_ranking.py`)."""
    assert (_ranking.NARROW, _ranking.WIDE) == (16, 128)
    for width in (_ranking.NARROW, _ranking.WIDE):
        assert (
            oracle.quality_weight(width, 1, -8) == width / _ranking.WIDE == _ranking.crop_value(width, 1, 1)
        )
    assert oracle.similarity([0] * 64, [int(_ranking.SAME)] * 64) == 1
    assert oracle.similarity([0] * 64, [int(_ranking.DIFFERENT)] * 64) == 0
    assert (_ranking.SAME, _ranking.DIFFERENT) == (1, 3)
    assert pytest.approx(math.exp(-8)) == _ranking.LEAST_CERTAINTY
    reads = [clear_read("AB12CD", seed) for seed in range(_ranking.MAX_COMPARED + 3)]
    assert sum(one.used for one in vote(reads).contributions) == _ranking.MAX_COMPARED


# --- what must hold whatever the reads are ---


def test_the_order_of_the_reads_changes_nothing() -> None:
    random = np.random.default_rng(1)
    for _ in range(25):
        reads = random_reads(random, int(random.integers(2, 12)))
        answer = vote(reads)
        check_sane(answer, reads)
        order = random.permutation(len(reads))
        shuffled = vote([reads[i] for i in order])
        for name in ("text", "probability", "char_confidences", "runners_up", "alternatives"):
            assert getattr(shuffled, name) == getattr(answer, name)
        for place, index in enumerate(order):
            assert replace(shuffled.contributions[place], index=int(index)) == answer.contributions[index]


def test_one_read_votes_as_itself() -> None:
    random = np.random.default_rng(2)
    for read in [*random_reads(random, 12), read_from_text("KA05", (0.9, 0.5, 0.99, 0.3), 0.11)]:
        answer = vote([read])
        assert (answer.text, answer.status) == (read.text, "ok")
        assert answer.probability == pytest.approx(read.confidence, abs=1e-12)
        assert answer.char_confidences == pytest.approx(read.char_confidences, abs=1e-6)
        check_sane(answer, [read])


@pytest.mark.parametrize("copies", [2, 5, 40, 120])
def test_copies_of_a_read_change_nothing(copies: int) -> None:
    read = clear_read("AB12CD", 3, [0.9, 0.6, 0.9, 0.8, 0.9, 0.9], second="A812CD")
    other = clear_read("A812CD", 4, 0.7)
    alone, many = vote([read]), vote([read] * copies)
    assert (many.text, many.probability, many.char_confidences) == (
        alone.text,
        alone.probability,
        alone.char_confidences,
    )
    assert many.effective_reads == 1
    pair, crowd = vote([read, other]), vote([read] * copies + [other])
    assert (crowd.text, crowd.probability) == (pair.text, pair.probability)
    assert crowd.alternatives == pair.alternatives
    assert sum(c.weight for c in crowd.contributions[:-1]) == pytest.approx(pair.contributions[0].weight)


def test_near_copies_share_a_vote() -> None:
    """The same picture with other noise: the signature is within a gray level, the posteriors differ."""
    first = clear_read("AB12CD", 3, 0.7)
    assert first.signature is not None
    near = [
        replace(clear_read("AB12CD", 3, 0.7 + i / 100), signature=first.signature ^ np.uint8(i % 2))
        for i in range(10)
    ]
    alone, many = vote([near[-1]]), vote(near)
    assert many.effective_reads == 1
    assert many.probability <= alone.probability + 1e-9


def test_copies_without_a_signature_add_no_certainty() -> None:
    read = replace(clear_read("AB12CD", 3, 0.8), signature=None)
    alone, many = vote([read]), vote([read] * 9)
    assert (many.text, many.probability) == (alone.text, alone.probability)


def test_a_flat_read_leaves_the_text() -> None:
    random = np.random.default_rng(3)
    flat = np.full((24, len(CHARSET)), -math.log(len(CHARSET)), np.float16)
    for _ in range(20):
        reads = random_reads(random, int(random.integers(2, 8)))
        blurred = PlateRead(status="unreadable", width=90, charset=CHARSET, log_posteriors=flat)
        assert vote([*reads, blurred]).text == vote(reads).text


@pytest.mark.parametrize("wrong", ["ZZ99ZZ", "AB12C0", "A812CD", "B12CD", "AB12CDE"])
def test_one_confident_wrong_read_does_not_win(wrong: str) -> None:
    good = [clear_read("AB12CD", seed, 0.75) for seed in range(3)]
    answer = vote([*good, clear_read(wrong, 9, 0.9999)])
    assert answer.text == "AB12CD"
    # Three doubtful reads (0.18 each) and a contradiction: right, and far from sure.
    assert 0.1 < answer.probability < 0.9
    assert [c.agrees for c in answer.contributions] == [True, True, True, False]
    texts_only = [read_from_text("AB12CD", [0.75] * 6) for _ in range(3)]
    assert vote([*texts_only, read_from_text(wrong, [1.0] * len(wrong))]).text == "AB12CD"


def test_what_everybody_thought_second_can_win() -> None:
    """Each read has another character wrong; no read is right, the vote is."""
    text = "AB12CD"
    reads = []
    for place in range(6):
        shown = text[:place] + "X" + text[place + 1 :]
        sure = [0.55 if i == place else 0.95 for i in range(6)]
        reads.append(clear_read(shown, place, sure, second=text))
    answer = vote(reads)
    assert answer.text == text
    assert not any(c.agrees for c in answer.contributions)
    assert answer.probability > 0.9


def test_reads_of_other_lengths_are_aligned() -> None:
    texts = ["B12CD", "AB12CD", "AB12C", "AB112CD", "A12CD", "AB12CD"]
    answer = vote([clear_read(text, seed, 0.8) for seed, text in enumerate(texts)])
    assert answer.text == "AB12CD"
    assert len(answer.char_confidences) == 6
    assert vote([read_from_text(text, [0.8] * len(text)) for text in texts]).text == "AB12CD"


def test_more_reads_that_agree_make_it_surer() -> None:
    reads = [clear_read("AB12CD", seed, 0.8, second="AB12C0") for seed in range(12)]
    probabilities = [vote(reads[:count]).probability for count in (1, 2, 4, 8, 12)]
    assert probabilities == sorted(probabilities)
    assert probabilities[0] < 0.3
    assert 0.85 < probabilities[-1] <= 0.995


def test_wide_crops_weigh_more() -> None:
    wide = replace(clear_read("AB12CD", 1, 0.8), width=120)
    narrow = replace(clear_read("AB12C0", 2, 0.8), width=30)
    answer = vote([narrow, wide])
    assert answer.text == "AB12CD"
    assert answer.contributions[1].weight == pytest.approx(0.8)


def test_runners_up_and_alternatives() -> None:
    reads = [clear_read("AB12CD", seed, [0.9] * 5 + [0.6], second="AB12C0") for seed in range(3)]
    answer = vote(reads)
    assert answer.runners_up[-1] == "0"
    assert answer.char_confidences[-1] == min(answer.char_confidences)
    assert answer.alternatives[0].text == "AB12C0"
    assert answer.alternatives[0].probability > 5 * answer.alternatives[1].probability


def test_alternatives_that_a_read_brings_are_scored() -> None:
    reads = [replace(clear_read("AB12CD", 1), alternatives=(Alternative("QQ", 0.1), Alternative("é", 0.1)))]
    assert vote(reads).text == "AB12CD"
    reads.append(read_from_text("AB12CD"))
    assert vote(reads).text == "AB12CD"


# --- reads that cannot vote ---


def test_nothing_to_vote_on_is_no_plate() -> None:
    assert vote([]) == PlateVote(status="no_plate")
    answer = vote([PlateRead(status="no_plate"), read_from_text("")])
    assert (answer.status, answer.text, answer.probability) == ("no_plate", "", 0)
    assert [c.used for c in answer.contributions] == [False, False]


def test_errors_are_told_and_do_not_win() -> None:
    broken = PlateRead(status="error", error="the crop is empty")
    answer = vote([broken, PlateRead(status="no_plate")])
    assert answer.status == "error"
    assert "the crop is empty" in str(answer.contributions[0].reason)
    answer = vote([broken, broken, clear_read("AB12", 1), PlateRead(status="no_plate")])
    assert (answer.status, answer.text) == ("ok", "AB12")


def test_unreadable_reads_can_add_up() -> None:
    def unreadable(seed: int, sure: float) -> PlateRead:
        read = clear_read("AB12CD", seed, sure, second="8812C0")
        return replace(read, status="unreadable", text="", confidence=0.0, char_confidences=())

    answer = vote([unreadable(seed, 0.7) for seed in range(10)])
    assert (answer.status, answer.text) == ("ok", "AB12CD")
    answer = vote([unreadable(1, 0.52)])
    assert (answer.status, answer.text, answer.probability) == ("unreadable", "", 0)
    assert answer.alternatives[0].text == "AB12CD"
    # However sure its posteriors are: its reader refused to answer, and a copy of it adds nothing.
    alone = replace(unreadable(1, 0.99), signature=np.arange(64, dtype=np.uint8).reshape(4, 16))
    for reads in ([alone], [alone] * 3):
        answer = vote(reads)
        assert (answer.status, answer.text, answer.probability) == ("unreadable", "", 0)
        assert answer.alternatives[0].text == "AB12CD"
        assert answer.alternatives[0].probability > 0.9
    assert vote([alone, unreadable(2, 0.99)]).text == "AB12CD"
    assert vote([PlateRead(status="unreadable")]).status == "unreadable"
    answer = vote([clear_read("XY12CD", 50, 0.9), unreadable(1, 0.52)])
    assert (answer.status, answer.text) == ("ok", "XY12CD")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda a: np.where(a > -0.5, np.float16(np.nan), a), "NaN"),
        (lambda a: np.where(a > -0.5, np.float16(np.inf), a), "values over 0"),
        (lambda a: (a + np.float16(9)).astype(np.float16), "values over 0"),
        (lambda a: a[:, :-1], "expected shape"),
        (lambda a: a[0], "expected shape"),
        (lambda a: a[:0], "expected shape"),
        (lambda a: a.astype(np.float32), "float16"),
        (lambda a: a.tolist(), "float16"),
    ],
)
def test_bad_posteriors_are_set_aside(spoil: object, reason: str) -> None:
    assert callable(spoil)
    good = clear_read("AB12CD", 1)
    bad = replace(good, text="ZZ99", log_posteriors=spoil(posteriors_of("ZZ99")))
    answer = vote([bad, good, bad])
    assert (answer.text, answer.probability) == ("AB12CD", vote([good]).probability)
    assert not answer.contributions[0].used
    assert reason in str(answer.contributions[0].reason)
    assert vote([bad]).status == "error"


def test_impossible_symbols_are_no_trouble() -> None:
    """-infinity is a posterior of 0; so is a huge negative number."""
    half = posteriors_of("AB12CD")
    half[half < -4] = -np.inf
    answer = vote([read_of(half, 1), clear_read("AB12CD", 2), clear_read("A812CD", 3)])
    assert answer.text == "AB12CD"
    check_sane(answer, [None] * 3)  # type: ignore[list-item]


def test_strided_posteriors_and_odd_signatures() -> None:
    wide = np.repeat(posteriors_of("AB12CD"), 2, axis=1)
    read = replace(
        clear_read("AB12CD", 1), log_posteriors=wide[:, ::2], signature=np.zeros((4, 16), np.uint8)
    )
    assert vote([read, clear_read("AB12CD", 2)]).text == "AB12CD"
    assert vote([replace(read, signature=np.zeros(3, np.uint8))]).text == "AB12CD"


def test_other_charsets_are_refused_by_name() -> None:
    other = replace(clear_read("AB12", 1), charset=(*CHARSET[:-1], "Ä"))
    with pytest.raises(ValueError, match=r"reads\[2\].*reads\[0\]"):
        vote([clear_read("AB12", 1), read_from_text("AB12"), other])
    with pytest.raises(ValueError, match=r"reads\[0\].*one blank"):
        vote([replace(other, charset=("A", *CHARSET[1:]))])
    with pytest.raises(TypeError, match=r"reads\[1\].*str"):
        vote([clear_read("AB12", 1), "AB12"])  # type: ignore[list-item]


def test_a_charset_in_a_list_is_the_same_as_in_a_tuple() -> None:
    reads = [clear_read("AB12", seed, 0.7) for seed in range(3)]
    expected = vote(reads)
    for number in range(3):
        mixed = list(reads)
        mixed[number] = replace(reads[number], charset=list(CHARSET))  # type: ignore[arg-type]
        assert vote(mixed) == expected
    voter = TrackVoter()
    for time, read in enumerate(mixed):
        voter.update(1, read, time)
    assert voter.finish(1)[0].vote.text == "AB12"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (clear_read("AB12", 1), "reads: expected a list of PlateReads, got PlateRead; put it in a list"),
        (None, "reads: expected a list of PlateReads, got NoneType$"),
        ("AB12", "reads: expected a list of PlateReads, got str; put it in a list"),
    ],
)
def test_reads_that_are_no_list_are_named(given: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        vote(given)


def test_an_error_of_the_callers_own_reads_stays() -> None:
    def reads() -> Any:
        yield clear_read("AB12", 1)
        raise TypeError("of the caller")

    with pytest.raises(TypeError, match="of the caller"):
        vote(reads())


def test_a_charset_with_a_symbol_twice_is_refused_by_name() -> None:
    doubled = replace(clear_read("AB12", 1), charset=(*CHARSET[:-1], "A"))
    with pytest.raises(ValueError, match=r"reads\[1\]: expected each symbol once .*, got .A. twice"):
        vote([read_from_text("AB12"), doubled])


@pytest.mark.parametrize("status", ["error", "no_plate"])
def test_reads_that_say_nothing_do_not_decide_the_charset(status: str) -> None:
    good = clear_read("AB12", 1)
    silent = replace(good, text="", status=status, charset=(*CHARSET[:-1], "Ä"))
    answer = vote([silent, good])
    assert (answer.text, answer.status) == ("AB12", "ok")
    assert [one.used for one in answer.contributions] == [False, True]


ODD_FIELDS: list[tuple[dict[str, object], str]] = [
    ({"text": 123}, "text: expected a text, got 123"),
    ({"width": math.nan}, "width: expected a whole number of pixels, got nan"),
    ({"height": None}, "height: expected a whole number of pixels, got None"),
    ({"alternatives": ("x",)}, r"alternatives: expected a tuple of Alternatives, got \('x',\)"),
    ({"char_confidences": ("0.9",) * 4}, r"char_confidences: expected a tuple of numbers, got \('0.9'"),
    ({"runners_up": None}, "runners_up: expected a tuple of texts, got None"),
    ({"charset": "0123"}, "charset: expected a tuple of texts, got '0123'"),
    ({"charset": ("", 5)}, "charset: expected a tuple of texts, got 5 in it"),
    ({"quality": None}, "quality: expected a Quality, got None"),
    (
        {"alternatives": (Alternative("AB", 0.1), Alternative(5, 0.1))},  # type: ignore[arg-type]
        r"alternatives\[1\].text: expected a text, got 5",
    ),
]


@pytest.mark.parametrize(("changes", "message"), ODD_FIELDS)
def test_fields_of_another_type_are_named(changes: dict[str, Any], message: str) -> None:
    good = clear_read("AB12", 1)
    with pytest.raises(TypeError, match=rf"reads\[1\]\.{message}"):
        vote([good, replace(good, **changes)])
    voter = TrackVoter()
    with pytest.raises(TypeError, match=rf"crop_or_read\.{message}"):
        voter.update(1, replace(good, **changes), 0.0)
    assert len(voter) == 0


def test_confidences_of_any_kind_of_number() -> None:
    each = [np.float32(0.9)] * 4
    single = read_from_text("AB12", each)  # type: ignore[arg-type]
    assert type(single.confidence) is float
    assert single.confidence == pytest.approx(0.9**4)
    for number in (np.float32(0.5), np.float16(0.5), np.float64(0.5)):
        answer = vote([replace(clear_read("AB12", 1), confidence=number)])
        assert answer.contributions[0].used
        assert answer.text == "AB12"


def test_texts_from_elsewhere_bring_their_own_symbols() -> None:
    answer = vote([*[read_from_text("MÜ123")] * 4, clear_read("MU123", 1)])
    assert answer.text == "MÜ123"
    assert vote([read_from_text("A"), read_from_text("A")]).text == "A"


BAD_TEXTS: list[tuple[dict[str, Any], str]] = [
    ({"text": None}, "text: expected a text, got None"),
    ({"confidence": "x"}, "^confidence: expected a probability from 0 to 1, got 'x'"),
    ({"char_confidences": 0.9}, "char_confidences: expected a list of probabilities, got float"),
    ({"char_confidences": [None]}, r"char_confidences\[0\]: expected a probability from 0 to 1, got None"),
    ({"width": "40"}, "width: expected a number, got '40'"),
    ({"height": None}, "height: expected a number, got None"),
]


def test_read_from_text_checks_its_arguments() -> None:
    with pytest.raises(ValueError, match="expected 4 values"):
        read_from_text("AB12", (0.9,))
    with pytest.raises(ValueError, match=r"char_confidences\[1\].*1.5"):
        read_from_text("AB", (0.9, 1.5))
    with pytest.raises(ValueError, match=r"confidence: .*nan"):
        read_from_text("AB", confidence=math.nan)
    for given, message in BAD_TEXTS:
        with pytest.raises(TypeError, match=message):
            read_from_text(**({"text": "A"} | given))
    read = read_from_text("AB12", confidence=0.0625)
    assert read.char_confidences == pytest.approx((0.5,) * 4)
    assert read_from_text("AB", (0.5, 0.5)).confidence == 0.25


def test_many_reads_keep_the_best() -> None:
    reads = [replace(clear_read("AB12CD", seed, 0.8), width=20 + seed) for seed in range(130)]
    answer = vote(reads)
    assert answer.text == "AB12CD"
    assert [c.used for c in answer.contributions] == [False] * 30 + [True] * 100


# --- half precision ---


def test_half_precision_is_numpys() -> None:
    random = np.random.default_rng(0)
    bits = random.integers(0, 1 << 32, 200_000, dtype=np.uint32)
    edges = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
    edges = edges[np.isfinite(edges)]
    middles = (edges[:-1].astype(np.float64) + edges[1:]) / 2
    with np.errstate(over="ignore", invalid="ignore"):
        special = np.array([np.inf, -np.inf, 65519.99, 65520, 1e-8], np.float32)
        values = np.concatenate([bits.view(np.float32), edges, middles.astype(np.float32), special])
        values = values[~np.isnan(values)]
        expected = values.astype(np.float16)
    halves, floats = _core.half_round_trip(values)
    np.testing.assert_array_equal(halves, expected.view(np.uint16))
    np.testing.assert_array_equal(floats, expected.astype(np.float32))
    assert np.isnan(_core.half_round_trip(np.array([np.nan, -np.nan], np.float32))[1]).all()


def test_a_box_that_cut_an_end_off_does_not_shorten_the_plate() -> None:
    whole, tail, head = (clear_read(text, seed) for seed, text in enumerate(("AB12CD", "B12CD", "AB12C")))
    assert vote([tail, whole]).text == "AB12CD"
    assert vote([head, tail, whole]).text == "AB12CD"
    # One made up is as real as one lost: the majority decides.
    others = [clear_read("B12CD", 10 + seed) for seed in range(2)]
    assert vote([*others, tail, whole]).text == "B12CD"
    # Only ends are cut: a character missing inside is the reader's error.
    inside = [clear_read("AB2CD", 20), clear_read("AB2CD", 21)]
    assert vote([*inside, whole]).text == "AB2CD"


def test_log_likelihood_under_a_cut_is_that_of_what_is_left() -> None:
    whole, tail = clear_read("AB12CD", 1), clear_read("B12CD", 2)
    answer = vote([whole, tail, whole])
    alone = vote([tail, clear_read("B12CD", 3)]).contributions[0].log_likelihood
    assert answer.text == "AB12CD"
    assert answer.contributions[1].log_likelihood == pytest.approx(alone - 4.5, abs=1e-4)


# --- times, what stays open, and many reads ---


def test_times_are_handed_on_and_change_nothing_else() -> None:
    reads = random_reads(np.random.default_rng(91), 4)
    times = [2.0, -1.5, 1e9, 0]
    plain, timed = vote(reads), vote(reads, times=iter(times))
    assert [one.time for one in timed.contributions] == times
    assert [one.time for one in plain.contributions] == [None] * 4
    same = [replace(one, time=None) for one in timed.contributions]
    assert replace(timed, contributions=tuple(same)) == plain
    assert timed.to_dict()["contributions"][1]["time"] == -1.5


@pytest.mark.parametrize(
    ("times", "error", "message"),
    [
        ([1.0], ValueError, "times: expected 2, one per read, got 1"),
        ([1.0, 2.0, 3.0], ValueError, "got 3"),
        ([1.0, math.nan], ValueError, r"times\[1\]: expected a finite number"),
        ([math.inf, 1.0], ValueError, r"times\[0\]"),
        ([1.0, "2"], TypeError, r"times\[1\]: expected a number"),
        ([], ValueError, "got 0"),
        (1.0, TypeError, "times: expected a list of seconds, one per read, got float; put it in a list"),
    ],
)
def test_times_that_are_none(times: list[float], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        vote([clear_read("AB12", 1), clear_read("AB12", 2)], times=times)


def test_what_stays_open_is_a_question_mark() -> None:
    answer = vote([clear_read("AB12CD", 1, [0.95, 0.5, 0.9, 0.89, 0.99, 0.91])])
    half = [float(np.float32(sure)) for sure in answer.char_confidences]
    assert answer.pattern == "".join("?" if p < 0.9 else s for s, p in zip("AB12CD", half, strict=True))
    assert answer.pattern[1] == answer.pattern[3] == "?"
    assert (answer.text, answer.to_dict()["pattern"]) == ("AB12CD", answer.pattern)
    assert replace(answer, char_confidences=(0.9, 0.8999) + (1.0,) * 4).pattern == "A?12CD"
    assert vote([]).pattern == ""
    # Made by hand, without figures of the characters.
    assert PlateVote(text="AB", probability=0.9, status="ok").pattern == "AB"
    # A vote that cannot read stays one: its guess is under alternatives, and no pattern shows it.
    refused = vote([replace(clear_read("AB12", 1, 0.3), status="unreadable", text="", confidence=0.0)])
    assert (refused.status, refused.text, refused.pattern) == ("unreadable", "", "")
    assert refused.alternatives


def test_ten_thousand_reads_in_one_vote() -> None:
    kinds = [clear_read("AB12CD", seed, 0.5 + seed / 1000) for seed in range(200)]
    answer = vote(kinds * 50, times=range(10_000))
    assert answer.text == "AB12CD"
    assert len(answer.contributions) == 10_000
    assert sum(one.reason == "the vote was full of better reads" for one in answer.contributions) == 5000
    assert sum(one.weight for one in answer.contributions) == pytest.approx(1)
    assert answer.effective_reads == pytest.approx(100 / (1 + 99 * 0.55), rel=0.01)
