"""The published rules: each against its oracle, the oracles by hand, and what all rules share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from reference import ctc as ctc_oracle
from reference import vote_rules as oracle
from test_vote import ABC, CHARSET, check_sane, clear_read, posteriors_of, random_reads, read_of

from lprfast.results import PlateRead, PlateVote
from lprfast.voting import RULES, Rule, read_from_text, vote

PUBLISHED = [rule for rule in RULES if rule != "fused"]
ON_TEXTS: dict[Rule, Callable[[Sequence[oracle.Vote]], oracle.Answer]] = {
    "best": oracle.best,
    "majority": oracle.majority,
    "mvcp": oracle.mvcp,
    "rover": oracle.rover,
}


def texts_read(*texts: str, sure: float = 0.75) -> list[PlateRead]:
    return [read_from_text(text, [sure] * len(text), sure) for text in texts]


def votes_of(*texts: str, sure: float = 0.75) -> list[oracle.Vote]:
    return [oracle.Vote(text, sure, [sure] * len(text)) for text in texts]


# --- the oracles by hand ---


def test_best_and_majority_by_hand() -> None:
    votes = [
        oracle.Vote("AB", 0.5, [0.7, 0.7]),
        oracle.Vote("AC", 0.9, [1, 0.9]),
        votes_of("AB", sure=0.2)[0],
    ]
    assert oracle.best(votes) == ("AC", 0.9, [1, 0.9], {"AB": 0.5})
    found = oracle.majority(votes)
    assert (found.text, found.probability, found.alternatives) == ("AB", 2 / 3, {"AC": 1 / 3})
    assert found.char_confidences == pytest.approx([0.45, 0.45])
    # Two each: the sum of the confidences decides, and after that the alphabet.
    assert oracle.majority([*votes, votes_of("AC", sure=0.1)[0]]).text == "AC"
    assert oracle.majority(votes_of("B", "A", "B", "A")).text == "A"
    assert oracle.best(votes_of("B", "A")).text == "A"


def test_mvcp_by_hand() -> None:
    # As long as the shortest; place 2: C twice; place 3: D and E once each, the first read's wins.
    found = oracle.mvcp(votes_of("ABDX", "ACE", "ACF"))
    assert found.text == "ACD"
    assert found.char_confidences == pytest.approx([1, 2 / 3, 1 / 3])
    assert found.probability == pytest.approx(2 / 9)
    assert found.alternatives == pytest.approx({"ABD": 1 / 9, "ACE": 2 / 9, "ACF": 2 / 9})
    # Not aligned: one missing character spoils all that follow.
    assert oracle.mvcp(votes_of("1234", "234", "1234", "234", "234")).text == "234"
    assert oracle.mvcp(votes_of("1234", "234", "1234")).text == "123"


def test_rover_by_hand() -> None:
    # The second read skips slot A, the third adds D behind: scores 0.5 * share + 0.5 * confidence.
    found = oracle.rover(votes_of("ABC", "BC", "ABCD", sure=0.6))
    assert found.text == "ABC"
    a, d, none = 0.5 * 2 / 3 + 0.3, 0.5 / 3 + 0.3, 0.5 * 2 / 3 + 0.35
    assert found.char_confidences == pytest.approx([a, 0.8, 0.8])
    assert found.probability == pytest.approx(a * 0.8 * 0.8 * none)
    skipped = (0.5 / 3 + 0.35) / a
    assert found.alternatives == pytest.approx(
        {"BC": found.probability * skipped, "ABCD": found.probability * d / none}
    )
    slots = [{"A": [0.6]}, {"B": [0.6]}, {"C": [0.6]}]
    assert oracle.alignment(slots, "BC") == "-=="
    assert oracle.alignment(slots, "AXC") == "==="
    assert oracle.alignment(slots, "ABBC") == "=+=="
    # A slot that is known to be missing at times is the one to skip.
    assert oracle.alignment([{"A": [0.6], "": [0.7]}, {"A": [0.6]}], "A") == "-="
    assert oracle.alignment([{"A": [0.6]}, {"A": [0.6], "": [0.7]}], "A") == "=-"


def test_sum_of_steps_by_hand() -> None:
    logs = [[[math.log(0.8), math.log(0.2)]], [[math.log(0.4), math.log(0.6)]]]
    # 0.32 to 0.12; an impossible symbol takes the other's side, two impossible ones none.
    np.testing.assert_allclose(np.exp(oracle.summed(logs)), [[0.32 / 0.44, 0.12 / 0.44]])
    np.testing.assert_allclose(np.exp(oracle.summed([[[-math.inf, 0.0]], logs[0]])), [[0, 1]])
    np.testing.assert_allclose(np.exp(oracle.summed([[[-math.inf, 0.0]], [[0.0, -math.inf]]])), [[0.5, 0.5]])


# --- the rules against the oracles ---


def random_votes(random: np.random.Generator) -> list[oracle.Vote]:
    """Short texts of three symbols with figures of eighths: ties abound, and sums are exact."""
    votes = []
    for _ in range(int(random.integers(1, 8))):
        text = "".join(random.choice(list("ABC"), int(random.integers(1, 6))))
        sure = [int(n) / 8 for n in random.integers(1, 9, len(text))]
        votes.append(oracle.Vote(text, int(random.integers(1, 9)) / 8, sure))
    return votes


def check_against(answer: PlateVote, expected: oracle.Answer) -> None:
    assert answer.text == expected.text
    assert answer.probability == pytest.approx(expected.probability)
    assert answer.char_confidences == pytest.approx(expected.char_confidences)
    ranked = sorted(expected.alternatives.items(), key=lambda item: -item[1])[:5]
    total = sum(probability for _, probability in ranked)
    scale = min(1.0, (1 - expected.probability) / total) if total else 1.0
    assert [a.probability for a in answer.alternatives] == pytest.approx([scale * p for _, p in ranked])
    for alternative in answer.alternatives:
        assert alternative.probability == pytest.approx(scale * expected.alternatives[alternative.text])


@pytest.mark.parametrize("rule", list(ON_TEXTS))
def test_rules_on_texts_are_those_of_the_oracle(rule: Rule) -> None:
    random = np.random.default_rng(11)
    for _ in range(150):
        votes = random_votes(random)
        reads = [read_from_text(v.text, v.char_confidences, v.confidence) for v in votes]
        expected = ON_TEXTS[rule](votes)
        answer = vote(reads, rule)
        check_sane(answer, reads)
        if not expected.text:  # rover can find every slot empty
            assert (answer.status, answer.text) == ("no_plate", "")
            continue
        assert answer.status == "ok"
        if rule == "best":  # which of two equal reads gives the characters is not the rule's matter
            given = [v for v in votes if v[:2] == expected[:2]]
            assert list(answer.char_confidences) in [pytest.approx(list(v.char_confidences)) for v in given]
            expected = expected._replace(char_confidences=list(answer.char_confidences))
        check_against(answer, expected)
        assert sum(c.weight for c in answer.contributions) == pytest.approx(1)


def random_posteriors(random: np.random.Generator, steps: int = 4) -> npt.NDArray[np.float16]:
    logits = random.normal(0, 2, (steps, len(ABC)))
    halves = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    if random.random() < 0.3:
        halves[int(random.integers(steps)), 1:3] = -np.inf
    result: npt.NDArray[np.float16] = halves.astype(np.float16)
    return result


def test_product_is_that_of_the_oracle() -> None:
    random = np.random.default_rng(12)
    texts = 0
    for _ in range(60):
        halves = [random_posteriors(random) for _ in range(int(random.integers(1, 5)))]
        reads = [
            PlateRead(text="A", confidence=0.5, char_confidences=(0.5,), charset=ABC, log_posteriors=half)
            for half in halves
        ]
        answer = vote(reads, "product")
        rows = oracle.summed([half.astype(float).tolist() for half in halves])
        characters = ctc_oracle.greedy(rows, 0)
        assert answer.text == "".join(ABC[c[0]] for c in characters)
        check_sane(answer, reads)
        if not answer.text:
            assert answer.status == "no_plate"
            continue
        texts += 1
        assert answer.char_confidences == pytest.approx([c[1] for c in characters], abs=1e-5)
        assert answer.runners_up == tuple(ABC[c[2]] for c in characters)
        log_probs = ctc_oracle.text_log_probs(rows, 0)

        def probability(text: str, known: dict[tuple[int, ...], float] = log_probs) -> float:
            return math.exp(known[tuple(ABC.index(symbol) for symbol in text)])

        assert answer.probability == pytest.approx(probability(answer.text), abs=1e-5)
        for alternative in answer.alternatives:
            assert alternative.probability == pytest.approx(probability(alternative.text), abs=1e-5)
    assert texts > 40


# --- what sets the rules apart ---


def test_fused_is_the_default() -> None:
    reads = random_reads(np.random.default_rng(4), 7)
    assert vote(reads) == vote(reads, "fused") == vote(reads, rule="fused")


def test_a_missed_character_spoils_only_what_is_not_aligned() -> None:
    texts = ["AB12CD", "B12CD", "AB12C", "AB12CD", "AB112CD", "A12CD"]
    reads = [clear_read(text, seed, 0.8) for seed, text in enumerate(texts)]
    found = {rule: vote(reads, rule).text for rule in RULES}
    assert found["fused"] == found["rover"] == found["majority"] == "AB12CD"
    assert found["mvcp"] == "AB12C"
    # The steps do not meet: the sum reads what no frame shows.
    assert found["product"] != "AB12CD"


def test_no_read_is_right_but_places_and_steps_are() -> None:
    reads = [
        clear_read(text, seed, 0.9, second="AB12CD")
        for seed, text in enumerate(["XB12CD", "AY12CD", "AB1ZCD"])
    ]
    for rule in ("mvcp", "rover", "product", "fused"):
        assert vote(reads, rule).text == "AB12CD"
    assert vote(reads, "majority").text != "AB12CD"


def test_probability_is_what_the_rule_counts() -> None:
    reads = [*texts_read("AB", "AB", "AC", sure=0.5), *texts_read("AD", sure=0.9)]
    best, majority, mvcp, rover = (vote(reads, rule) for rule in ("best", "majority", "mvcp", "rover"))
    assert (best.text, best.probability) == ("AD", 0.9)
    assert [a.text for a in best.alternatives] == ["AB", "AC"]
    assert best.probability + sum(a.probability for a in best.alternatives) == pytest.approx(1)
    assert [c.weight for c in best.contributions] == [0, 0, 0, 1]
    assert (majority.text, majority.probability) == ("AB", 0.5)
    assert (mvcp.text, mvcp.probability, mvcp.char_confidences) == ("AB", 0.5, (1, 0.5))
    assert mvcp.runners_up == ("", "C")
    # D: 0.5 * 1/4 + 0.5 * 0.9 beats B: 0.5 * 2/4 + 0.5 * 0.5.
    assert rover.text == "AD"
    assert rover.char_confidences[1] == pytest.approx(0.575)
    assert (rover.runners_up[1], rover.runner_up_confidences[1]) == ("B", 0.5)
    assert [c.weight for c in rover.contributions] == [0.25] * 4


def test_majority_pools_the_runners_up_of_its_reads() -> None:
    reads = [clear_read("AB12CD", seed, 0.6, second="AB12C0") for seed in range(2)]
    reads = [replace(r, runners_up=tuple("XXXXX0"), runner_up_confidences=(0.1,) * 5 + (0.3,)) for r in reads]
    answer = vote([*reads, clear_read("AB12C0", 9)], "majority")
    assert answer.text == "AB12CD"
    assert answer.runners_up == tuple("XXXXX0")
    assert answer.runner_up_confidences == pytest.approx((0.1,) * 5 + (0.3,))


def test_copies_count_as_published() -> None:
    copy, others = clear_read("ZZ99ZZ", 1, 0.95), [clear_read("AB12CD", seed, 0.9) for seed in (2, 3)]
    reads = [copy, copy, copy, *others]
    answer = vote(reads, "majority")
    assert (answer.text, answer.probability) == ("ZZ99ZZ", 0.6)
    assert [c.weight for c in answer.contributions] == [0.2] * 5
    assert answer.contributions[1].reason is None
    assert vote(reads).text == "AB12CD"


# --- what all rules share ---


@pytest.mark.parametrize("rule", [rule for rule in PUBLISHED if rule != "mvcp"])
def test_the_order_of_the_reads_changes_nothing(rule: Rule) -> None:
    random = np.random.default_rng(21)
    for round_number in range(20):
        reads = random_reads(random, int(random.integers(2, 12)))
        if round_number % 3 == 0:
            reads += reads[: len(reads) // 2]
        answer = vote(reads, rule)
        check_sane(answer, reads)
        order = random.permutation(len(reads))
        shuffled = vote([reads[i] for i in order], rule)
        for name in ("text", "probability", "char_confidences", "runners_up", "alternatives", "status"):
            assert getattr(shuffled, name) == getattr(answer, name)
        for place, index in enumerate(order):
            assert replace(shuffled.contributions[place], index=int(index)) == answer.contributions[index]


def test_mvcp_goes_by_the_first_read_on_ties_only() -> None:
    assert vote(texts_read("BX", "AX"), "mvcp").text == "BX"
    assert vote(texts_read("AX", "BX"), "mvcp").text == "AX"
    # The surest read comes first in the vote's own order: the tie must go by the caller's.
    assert vote([*texts_read("BX", sure=0.3), *texts_read("AX", sure=0.9)], "mvcp").text == "BX"
    for texts in (("AX", "BX", "AX"), ("BX", "AX", "AX")):
        assert vote(texts_read(*texts), "mvcp").text == "AX"


@pytest.mark.parametrize("rule", RULES)
def test_one_read_votes_as_itself(rule: Rule) -> None:
    for read in (clear_read("AB12CD", 1, 0.8), clear_read("AA11BB", 2, 0.6)):
        answer = vote([read], rule)
        assert (answer.status, answer.text) == ("ok", read.text)
        assert answer.contributions[0].agrees
        check_sane(answer, [read])


@pytest.mark.parametrize("rule", RULES)
def test_reads_that_cannot_vote_change_nothing(rule: Rule) -> None:
    good = [clear_read(text, seed, 0.8) for seed, text in enumerate(["AB12CD", "AB12C0", "AB12CD"])]
    spoiled = posteriors_of("ZZ99ZZ")
    spoiled[3] = np.nan
    bad = [
        PlateRead(status="error", error="the crop is empty"),
        PlateRead(status="no_plate"),
        replace(good[0], text="ZZ99ZZ", confidence=1.0, log_posteriors=spoiled),
        replace(good[0], text="ZZ99ZZ", confidence=1.0, log_posteriors=spoiled[:, :4]),
        PlateRead(status="unreadable"),
    ]
    expected = vote(good, rule)
    reads = [bad[0], bad[1], good[0], bad[2], good[1], bad[3], good[2], bad[4]]
    answer = vote(reads, rule)
    for name in ("text", "probability", "char_confidences", "alternatives", "effective_reads", "status"):
        assert getattr(answer, name) == getattr(expected, name)
    assert [c.used for c in answer.contributions] == [False, False, True, False, True, False, True, False]
    assert "the crop is empty" in str(answer.contributions[0].reason)
    assert "NaN" in str(answer.contributions[3].reason)


@pytest.mark.parametrize("rule", RULES)
def test_nothing_to_vote_on(rule: Rule) -> None:
    assert vote([], rule) == PlateVote(status="no_plate")
    assert vote([PlateRead(status="no_plate")], rule).status == "no_plate"
    assert vote([PlateRead(status="error", error="broken")], rule).status == "error"
    assert vote([PlateRead(status="unreadable")], rule).status == "unreadable"


@pytest.mark.parametrize("rule", RULES)
def test_unreadable_reads_vote_but_not_alone(rule: Rule) -> None:
    def unreadable(seed: int) -> PlateRead:
        read = clear_read("AB12CD", seed, 0.97)
        return replace(read, status="unreadable", text="", confidence=0.0, char_confidences=())

    alone = vote([unreadable(1)] * 3, rule)
    assert (alone.status, alone.text) == ("unreadable", "")
    assert alone.alternatives[0].text == "AB12CD"
    answer = vote([unreadable(seed) for seed in range(5)], rule)
    assert (answer.status, answer.text) == ("ok", "AB12CD")
    check_sane(answer, [None] * 5)  # type: ignore[list-item]


@pytest.mark.parametrize("rule", ["best", "majority", "mvcp", "rover"])
def test_a_blank_crop_has_no_text_to_vote_with(rule: Rule) -> None:
    blank = PlateRead(status="unreadable", charset=CHARSET, log_posteriors=posteriors_of(""))
    bare = {"status": "unreadable", "text": "", "confidence": 0.0, "char_confidences": ()}
    reads = [blank, *[replace(clear_read("AB12CD", seed, 0.97), **bare) for seed in range(5)]]
    answer = vote(reads, rule)
    assert (answer.text, answer.contributions[0].used) == ("AB12CD", False)
    assert answer.contributions[0].reason == "no text was seen"
    assert answer.probability == vote(reads[1:], rule).probability


def test_product_sets_aside_what_it_cannot_sum() -> None:
    long = [read_of(posteriors_of("AB12CD", 0.9, steps=30), seed) for seed in range(2)]
    usual = [clear_read("AB12C0", seed, 0.9) for seed in range(3)]
    answer = vote([*texts_read("ZZ99ZZ"), *long, *usual], "product")
    assert answer.text == "AB12C0"
    assert [c.used for c in answer.contributions] == [False] * 3 + [True] * 3
    assert "time steps" in str(answer.contributions[0].reason)
    # As many of each: the fewer steps.
    assert vote([*long, *usual[:2]], "product").text == "AB12C0"
    assert vote(texts_read("AB12"), "product").status == "error"


@pytest.mark.parametrize("rule", RULES)
def test_many_reads_keep_the_best(rule: Rule) -> None:
    reads = [replace(clear_read("AB12CD", seed, 0.8), width=20 + seed) for seed in range(130)]
    answer = vote(reads, rule)
    assert answer.text == "AB12CD"
    assert [c.used for c in answer.contributions] == [False] * 30 + [True] * 100


@pytest.mark.parametrize("rule", ["mean", "", "FUSED", None, 3])
def test_an_unknown_rule_is_told_with_the_known_ones(rule: Any) -> None:
    with pytest.raises(ValueError, match=r"rule: .*fused, best, majority, mvcp, rover, product.*got"):
        vote([], rule)


@pytest.mark.parametrize("rule", ["best", "majority", "mvcp", "rover"])
def test_refused_texts_do_not_vote_beside_answers(rule: Rule) -> None:
    answers = [clear_read("AB12CD", seed, 0.9) for seed in range(2)]
    refused = replace(
        clear_read("X", 9, 0.99), status="unreadable", text="", confidence=0.0, char_confidences=()
    )
    answer = vote([*answers, refused, refused, refused], rule)
    assert answer.text == "AB12CD"
    assert [c.used for c in answer.contributions] == [True, True, False, False, False]
    assert answer.contributions[2].reason == "unreadable, and the rule counts texts"


@pytest.mark.parametrize("confidence", [float("nan"), -0.1, 1.5, "0.9"])
def test_a_confidence_that_is_no_probability_sets_the_read_aside(confidence: Any) -> None:
    good = clear_read("AB12CD", 1, 0.9)
    for rule in RULES:
        answer = vote([good, replace(clear_read("ZZ99ZZ", 2, 0.99), confidence=confidence)], rule)
        assert answer.text == "AB12CD"
        assert "expected a number from 0 to 1" in str(answer.contributions[1].reason)
