"""One vehicle of 15 reads, voted: the vote, and string majority as what it costs to do less."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

from lprfast import PlateRead, PlateVote, vote

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
