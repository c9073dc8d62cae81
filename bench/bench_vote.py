"""One vehicle of 15 reads, voted: the vote, and string majority as what it costs to do less.

And a watchlist on it: all plates scored, those that may reach 0.001, and an edit distance as what it costs to
do less.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from lprfast import PlateRead, PlateVote, vote
from lprfast._conflict import edits

CHARSET = ("", *"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", *(chr(0x4E00 + i) for i in range(38)))
TEXT = "AB12CDE"
READS = 15
STEPS = 32


def noisy_read(random: np.random.Generator) -> PlateRead:
    """A read of TEXT whose characters each have a strong second choice."""
    logits = random.normal(0, 1, (STEPS, len(CHARSET)))
    logits[:, 0] += 12
    for place, symbol in enumerate(TEXT):
        row = random.normal(0, 1, len(CHARSET))
        row[CHARSET.index(symbol)] += 6
        row[20 + place] += 4
        logits[2 + 4 * place] = row
    values = (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float16)
    peaks = [2 + 4 * place for place in range(len(TEXT))]
    sure = tuple(float(np.exp(values[peak].astype(float).max())) for peak in peaks)
    return PlateRead(
        text="".join(CHARSET[int(values[peak].argmax())] for peak in peaks),
        confidence=float(np.prod(sure)),
        char_confidences=sure,
        width=int(random.integers(40, 120)),
        charset=CHARSET,
        log_posteriors=values,
        signature=random.integers(0, 256, 64).astype(np.uint8),
    )


@pytest.fixture(scope="module")
def reads() -> list[PlateRead]:
    random = np.random.default_rng(4)
    return [noisy_read(random) for _ in range(READS)]


def majority(reads: list[PlateRead]) -> str:
    return Counter(read.text for read in reads).most_common(1)[0][0]


@pytest.mark.benchmark(group="vote: 15 reads of 32 steps and 75 classes")
def test_lprfast(benchmark: Any, reads: list[PlateRead]) -> None:
    answer: PlateVote = vote(reads)
    assert answer.text == TEXT
    benchmark(vote, reads)


@pytest.mark.benchmark(group="vote: 15 reads of 32 steps and 75 classes")
def test_string_majority(benchmark: Any, reads: list[PlateRead]) -> None:
    assert len(majority(reads)) == len(TEXT)
    benchmark(majority, reads)


WATCHLIST = 10_000  # the cost grows with their number; an edit distance in Python over 100,000 takes seconds


@pytest.fixture(scope="module")
def watchlist() -> list[str]:
    random = np.random.default_rng(5)
    symbols = list("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return ["".join(random.choice(symbols, random.integers(5, 9))) for _ in range(WATCHLIST - 1)] + [TEXT]


@pytest.mark.benchmark(group="match: 10,000 plates on 15 reads of 32 steps and 75 classes")
@pytest.mark.parametrize("at_least", [0.0, 0.001])
def test_match(benchmark: Any, reads: list[PlateRead], watchlist: list[str], at_least: float) -> None:
    voted = vote(reads)
    best = voted.match(watchlist, at_least=at_least)[0]
    assert (best.text, best.probability) == (TEXT, voted.probability)
    benchmark(voted.match, watchlist, at_least=at_least)


@pytest.mark.benchmark(group="match: 10,000 plates on 15 reads of 32 steps and 75 classes")
def test_edit_distance(benchmark: Any, reads: list[PlateRead], watchlist: list[str]) -> None:
    text = vote(reads).text

    def near() -> list[str]:
        return [other for other in watchlist if edits(text, other) <= 1]

    assert near() == [TEXT]
    benchmark(near)
