"""PlateVote.match: given plates on one vehicle's reads, against the oracle; and what lists may hold."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from reference import vote as oracle
from test_vote import ABC, CHARSET, LETTERS, clear_read, log_likelihood, plain, random_reads

from lprfast import PlateMatch, PlateRead, PlateVote, _core, read_from_text, vote

TEXTS = ["".join(t) for length in (1, 2, 3) for t in product("ABC", repeat=length)]


def noise_reads(random: np.random.Generator, count: int) -> list[PlateRead]:
    """Reads of five steps of noise over A, B and C, each of another picture."""
    reads = []
    for index in range(count):
        logits = random.normal(0, 2, (5, 4))
        values = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float16)
        best = values.argmax(axis=1)
        text = "".join(ABC[k] for t, k in enumerate(best) if k and (t == 0 or best[t - 1] != k))
        reads.append(
            PlateRead(
                text=text,
                status="ok" if text else "unreadable",
                confidence=0.5 if text else 0.0,
                width=int(random.integers(20, 128)),
                charset=ABC,
                log_posteriors=values,
                signature=np.full(64, 40 * index, np.uint8),
            )
        )
    return reads


def test_every_text_has_the_score_of_the_oracle() -> None:
    random = np.random.default_rng(71)
    proposed, capped = 0, 0
    for _ in range(25):
        reads = noise_reads(random, int(random.integers(2, 5)))
        answer = vote(reads)
        best = answer.text or answer.alternatives[0].text
        sure = answer.probability or answer.alternatives[0].probability
        rows = [plain(read.log_posteriors) for read in reads]
        weights = [one.weight for one in answer.contributions]

        def score(text: str, rows: list[list[list[float]]] = rows, weights: list[float] = weights) -> float:
            return oracle.score([log_likelihood(row, text) for row in rows], weights)

        known = {other.text: other.probability for other in answer.alternatives}
        for match in answer.match(TEXTS):
            ratio = answer.effective_reads * (score(match.text) - score(best))
            assert match.log_ratio == pytest.approx(ratio, abs=1e-3)
            mean = sum(
                w * oracle.text_probability(row, 0, [ABC.index(symbol) for symbol in match.text])
                for w, row in zip(weights, rows, strict=True)
            )
            odds = sure * math.exp(ratio)
            if match.text == best:
                assert match.probability == sure
            elif match.text in known:
                proposed += 1
                assert match.probability == pytest.approx(known[match.text], rel=1e-9)
            else:
                # Whether it was a candidate, or else what the crops give it on average or what was left.
                assert match.probability <= odds * 1.01
                capped += match.probability < odds * 0.99
                assert match.probability > odds * 0.99 or match.probability <= mean * 1.01
    assert proposed > 50
    assert capped > 50


@pytest.mark.parametrize("at_least", [1e-6, 1e-3, 0.05])
def test_what_is_left_out_beforehand_is_what_would_be_left_out_afterwards(at_least: float) -> None:
    random = np.random.default_rng(72)
    for _ in range(12):
        reads = random_reads(random, int(random.integers(1, 9)))
        answer = vote(reads)
        text = answer.text
        near = [text[:place] + symbol + text[place + 1 :] for place in range(len(text)) for symbol in "08BQ"]
        longer = ["8" + text, text + "8", text[1:], text[:-1]]
        watchlist = [*near, *longer, *("".join(random.choice(list(LETTERS), 6)) for _ in range(100))]
        everything = answer.match(watchlist)
        assert len(everything) == len(watchlist)
        assert answer.match(watchlist, at_least=at_least) == [
            match for match in everything if match.probability >= at_least
        ]


def test_the_sum_over_many_texts_is_at_most_one_and_a_half() -> None:
    """The vote's own texts sum to 1 at most; the others to their crops' mean, 1 at most, mostly far less."""
    random = np.random.default_rng(73)
    every = ["".join(t) for length in range(1, 6) for t in product("ABC", repeat=length)]
    for _ in range(8):
        answer = vote(noise_reads(random, 3))
        assert sum(match.probability for match in answer.match(every)) < 1.5


def test_a_plate_that_nobody_proposed_has_its_probability() -> None:
    """Three reads of one plate: what differs from it in two places where all have the same second thought."""
    reads = [
        clear_read("AB12CD", seed, [0.55, 0.9, 0.9, 0.9, 0.9, 0.55], second="8B12C0") for seed in range(3)
    ]
    answer = vote(reads)
    assert answer.text == "AB12CD"
    sure, second, far = answer.match(["AB12CD", "8B12C0", "XY99ZZ"])
    assert (sure.probability, sure.log_ratio) == (answer.probability, 0.0)
    assert second.text == "8B12C0"
    assert 1e-3 < second.probability < 0.2
    assert far.probability < 1e-9
    # An edit distance would have it level with this one, of the same number of other characters.
    (level,) = answer.match(["AB12XX"])
    assert level.probability < second.probability / 100


def test_the_most_probable_first_and_equal_ones_in_order() -> None:
    answer = vote([clear_read("AB12CD", seed) for seed in range(3)])
    watchlist = ["ZZZ", "AB12C0", "AB12CD", "ab-12 cd", "QQQ"]
    matches = answer.match(iter(watchlist))
    assert [match.index for match in matches] == [2, 3, 1, 0, 4]
    assert [match.text for match in matches] == [watchlist[match.index] for match in matches]
    assert matches[0].probability == matches[1].probability == answer.probability


@pytest.mark.parametrize("text", ["ab12cd", " AB 12-CD ", "AB.12/CD", "aB\t12\u2009cD", "AB·12·CD"])
def test_case_spaces_and_punctuation_do_not_count(text: str) -> None:
    answer = vote([clear_read("AB12CD", seed) for seed in range(3)])
    assert answer.match([text])[0].probability == answer.probability


@pytest.mark.parametrize("text", ["", "-", "AB12CÖ", "沪B12CD", "AB12CD7" * 60, "\ud800", "١٢٣٤"])
def test_texts_that_no_crop_can_show(text: str) -> None:
    """Also a very long one, a lone surrogate and nothing; they cost the others nothing."""
    answer = vote([clear_read("AB12CD", seed) for seed in range(3)])
    first, second = answer.match([text, "AB12CD"])
    assert (first.index, first.probability) == (1, answer.probability)
    assert (second.index, second.probability) == (0, 0.0)
    assert math.isfinite(second.log_ratio)


def test_the_empty_text_is_no_plate_even_where_the_crops_are_empty() -> None:
    blank = np.full((24, len(CHARSET)), -9.0, np.float16)
    blank[:, 0] = -0.005
    empty = PlateRead(status="unreadable", charset=CHARSET, log_posteriors=blank, width=100)
    answer = vote([clear_read("AB12CD", 1, 0.5), replace(empty), replace(empty)])
    assert [match.probability for match in answer.match(["", "  "])] == [0.0, 0.0]


def test_symbols_keep_their_case_where_the_reads_have_both() -> None:
    answer = vote([read_from_text("aB12", [0.9] * 4), read_from_text("aB12", [0.8] * 4)])
    upper, lower = (answer.match([text])[0] for text in ("AB12", "aB12"))
    # "A" is no symbol of these reads, so that it stands for the "a" that is.
    assert upper.probability == lower.probability == answer.probability
    both = vote([read_from_text("aB12", [0.9] * 4), read_from_text("AB12", [0.6] * 4)])
    assert both.match(["AB12"])[0].probability < both.match(["aB12"])[0].probability


def test_one_read_and_copies_of_it_match_with_its_own_figures() -> None:
    read = clear_read("AB12CD", 3, [0.9, 0.6, 0.9, 0.8, 0.9, 0.9], second="A812CD")
    read = replace(read, confidence=0.31)  # as if calibrated
    for reads in ([read], [read] * 5):
        answer = vote(reads)
        first, second = answer.match(["AB12CD", "A812CD"])
        assert first.probability == answer.probability == 0.31
        known = {other.text: other.probability for other in answer.alternatives}
        assert second.probability == pytest.approx(known["A812CD"], rel=1e-9)


def test_a_box_that_cut_an_end_off_speaks_for_the_whole_plate() -> None:
    answer = vote([clear_read("B12CD", seed) for seed in range(3)])
    cut, other = (answer.match([text])[0].probability for text in ("AB12CD", "AX12CD"))
    assert cut > 1000 * other
    assert answer.match(["AB12CD"], at_least=cut / 2)[0].probability == cut


def test_votes_by_other_rules_match_as_the_fused_one() -> None:
    reads = random_reads(np.random.default_rng(74), 5)
    texts = [read.text for read in reads]
    expected = vote(reads).match(texts)
    for rule in ("best", "majority", "mvcp", "rover", "product"):
        assert vote(reads, rule).match(texts) == expected  # type: ignore[arg-type]


def test_without_evidence_nothing_is_probable() -> None:
    for answer in (vote([]), vote([PlateRead(status="error", error="x")]), PlateVote()):
        assert answer.match(["AB12", "XY"]) == [
            PlateMatch(0, "AB12", 0.0, 0.0),
            PlateMatch(1, "XY", 0.0, 0.0),
        ]
        assert answer.match(["AB12"], at_least=0.1) == []
        assert answer.match([]) == []
    assert vote([clear_read("AB12", 1)]).match([]) == []


def test_an_unreadable_vote_still_says_how_likely_its_guess_is() -> None:
    read = replace(clear_read("AB12CD", 1, 0.4), status="unreadable", text="", confidence=0.0)
    answer = vote([read])
    assert (answer.status, answer.text) == ("unreadable", "")
    guess = answer.alternatives[0]
    assert answer.match([guess.text])[0].probability == pytest.approx(guess.probability)


def test_bad_arguments_are_named() -> None:
    answer = vote([clear_read("AB12", 1)])
    with pytest.raises(TypeError, match="watchlist: expected texts, got one text"):
        answer.match("AB12")
    with pytest.raises(TypeError, match=r"watchlist\[1\]: expected a text, got int"):
        answer.match(["AB12", 5])  # type: ignore[list-item]
    for bad_list in (None, 5):
        with pytest.raises(TypeError, match=r"watchlist: expected a list of texts, got (NoneType|int)"):
            answer.match(bad_list)  # type: ignore[arg-type]
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="at_least"):
            answer.match(["AB12"], at_least=bad)
    with pytest.raises(ValueError, match="came without its reads"):
        replace(answer, reads=()).match(["AB12"])


def test_the_core_checks_its_watchlist() -> None:
    labels, offsets = np.array([1, 2], np.int32), np.array([0, 2], np.int64)
    for bad_labels, bad_offsets, message in (
        (np.array([1, 9], np.int32), offsets, "no class"),
        (labels, np.array([1, 2], np.int64), "begin at 0"),
        (labels, np.array([0, 3], np.int64), "last offset"),
        (labels, np.array([0, 2, 1, 2], np.int64), "fall"),
    ):
        with pytest.raises(ValueError, match=message):
            _core.vote_decide([], classes=4, watchlist=(bad_labels, bad_offsets, 0.0))


def test_what_match_needs_is_kept_out_of_sight() -> None:
    reads = [clear_read("AB12CD", seed) for seed in range(3)]
    answer = vote(reads)
    assert "log_posteriors" not in repr(answer)
    assert "reads" not in answer.to_dict()
    assert answer == replace(answer, reads=())
    assert hash(answer) == hash(replace(answer, reads=()))
    again = pickle.loads(pickle.dumps(answer))
    assert again == answer
    assert again.match(["AB12C0"]) == answer.match(["AB12C0"])
    (match,) = answer.match(["AB12CD"])
    assert json.loads(json.dumps(match.to_dict())) == {
        "index": 0,
        "text": "AB12CD",
        "probability": answer.probability,
        "log_ratio": 0.0,
    }
    with pytest.raises(AttributeError):
        match.probability = 1.0  # type: ignore[misc]
