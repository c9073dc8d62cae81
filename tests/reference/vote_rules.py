"""The published voting rules in plain Python, each by its definition; docs/voting.md names the sources."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

Rows = Sequence[Sequence[float]]  # log-posteriors [T][K]

ALPHA = 0.5
NULL_CONFIDENCE = 0.7


class Vote(NamedTuple):
    text: str
    confidence: float
    char_confidences: Sequence[float]


class Answer(NamedTuple):
    text: str
    probability: float
    char_confidences: list[float]
    alternatives: dict[str, float]  # all of them, unscaled


def best(votes: Sequence[Vote]) -> Answer:
    """The surest read's text; of equals the first in the order of the charset (here: of the alphabet)."""
    winner = min(votes, key=lambda vote: (-vote.confidence, vote.text))
    others: dict[str, float] = {}
    for vote in votes:
        if vote.text != winner.text:
            others[vote.text] = max(vote.confidence, others.get(vote.text, 0.0))
    return Answer(winner.text, winner.confidence, list(winner.char_confidences), others)


def majority(votes: Sequence[Vote]) -> Answer:
    """The most frequent text, then the higher sum of confidences, then the order of the charset."""
    counts = Counter(vote.text for vote in votes)
    sums = {text: math.fsum(v.confidence for v in votes if v.text == text) for text in counts}
    winner = min(counts, key=lambda text: (-counts[text], -sums[text], text))
    agreeing = [vote.char_confidences for vote in votes if vote.text == winner]
    means = [sum(column) / len(agreeing) for column in zip(*agreeing, strict=True)]
    others = {text: count / len(votes) for text, count in counts.items() if text != winner}
    return Answer(winner, counts[winner] / len(votes), means, others)


def mvcp(votes: Sequence[Vote]) -> Answer:
    """Side by side up to the shortest text; Counter keeps the order of first appearance among equals."""
    places = []
    for column in zip(*[vote.text for vote in votes], strict=False):
        places.append([(symbol, n / len(votes)) for symbol, n in Counter(column).most_common()])
    return of_places(places)


def rover(votes: Sequence[Vote]) -> Answer:
    """A network of slots, each with the arcs of every read; the null arc is ""."""
    slots: list[dict[str, list[float]]] = []
    for count, vote in enumerate(sorted(votes, key=lambda vote: (-vote.confidence, vote.text))):
        arcs = list(zip(vote.text, vote.char_confidences, strict=True))
        merged, old = [], iter(slots)
        for move in alignment(slots, vote.text):
            slot = {"": [NULL_CONFIDENCE] * count} if move == "+" else next(old)
            symbol, confidence = ("", NULL_CONFIDENCE) if move == "-" else arcs.pop(0)
            slot.setdefault(symbol, []).append(confidence)
            merged.append(slot)
        slots = merged
    places = []
    for slot in slots:
        scores = {
            symbol: ALPHA * (len(arcs) / len(votes)) + (1 - ALPHA) * (sum(arcs) / len(arcs))
            for symbol, arcs in slot.items()
            if arcs
        }
        places.append(sorted(scores.items(), key=lambda item: (-item[1], item[0] == "", item[0])))
    return of_places(places)


def alignment(slots: Sequence[dict[str, list[float]]], text: str) -> str:
    """The cheapest moves: "=" a slot takes a character, "-" a slot is skipped, "+" a new slot.

    A character on a slot costs 0 if it has such an arc, else 4; skipping a slot 3, or 2 when a null arc is
    there; a new slot 3.
    """

    @cache
    def up_to(slot: int, character: int) -> tuple[int, str]:
        options = []
        if slot and character:
            cost, moves = up_to(slot - 1, character - 1)
            options.append((cost + (0 if text[character - 1] in slots[slot - 1] else 4), moves + "="))
        if slot:
            cost, moves = up_to(slot - 1, character)
            options.append((cost + (2 if slots[slot - 1].get("") else 3), moves + "-"))
        if character:
            cost, moves = up_to(slot, character - 1)
            options.append((cost + 3, moves + "+"))
        return min(options, key=lambda option: option[0]) if options else (0, "")

    return up_to(len(slots), len(text))[1]


def of_places(places: Sequence[Sequence[tuple[str, float]]]) -> Answer:
    """The first choice of every place; the alternatives change one place."""
    first = [choices[0] for choices in places]
    probability = math.prod(score for _, score in first)
    others: dict[str, float] = {}
    for i, choices in enumerate(places):
        for symbol, score in choices[1:]:
            text = "".join([*(s for s, _ in first[:i]), symbol, *(s for s, _ in first[i + 1 :])])
            if text:
                others[text] = others.get(text, 0.0) + probability * score / first[i][1]
    chars = [score for symbol, score in first if symbol]
    return Answer("".join(symbol for symbol, _ in first), probability, chars, others)


def summed(reads: Sequence[Rows]) -> list[list[float]]:
    """The log-posteriors of all reads added up and normalised, step by step; -1000 stands for -infinity."""
    rows = []
    for steps in zip(*reads, strict=True):
        sums = [math.fsum(max(value, -1000.0) for value in column) for column in zip(*steps, strict=True)]
        highest = max(sums)
        total = highest + math.log(math.fsum(math.exp(value - highest) for value in sums))
        rows.append([value - total for value in sums])
    return rows
