"""CTC decoding beside fast-ctc-decode, in one process and on one thread.

    taskset -c 0 pytest bench/bench_ctc.py --benchmark-only

Every group is one job on the same 64 crops of 40 steps and 37 classes; that the texts are equal is asserted
before the clock runs. fast-ctc-decode takes posteriors, one crop per call, and does not look whether they are
sound; ours take log-posteriors, the whole batch, and do. ``lprfast core`` is the compiled functions;
``lprfast texts`` is the public function, whose texts are used and whose confidences, runners-up and steps
stay in arrays; ``lprfast objects`` is the public function with all of that made into Python objects.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import fast_ctc_decode
import numpy as np
import numpy.typing as npt
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from lprfast import _core
from lprfast.ctc import ctc_beam, ctc_greedy, ctc_score

CROPS, STEPS = 64, 40
CHARSET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ALPHABET = "-" + CHARSET
Array = npt.NDArray[np.float32]


def log_posteriors(kind: str) -> Array:
    """``flat`` has no idea; ``peaky`` is sure of a blank or, at seven steps per crop, of a symbol."""
    rng = np.random.default_rng(20)
    logits = rng.normal(0, 1, (CROPS, STEPS, len(ALPHABET)))
    if kind == "peaky":
        logits[..., 0] += 8
        for crop, step in itertools.product(range(CROPS), range(3, 37, 5)):
            logits[crop, step, rng.integers(1, len(ALPHABET))] += rng.uniform(8, 14)
    return _core.ctc_log_softmax(logits.astype(np.float32))


def greedy_ways(scores: Array) -> dict[str, Callable[[], Sequence[str]]]:
    posteriors = list(np.exp(scores))
    symbols = ["", *CHARSET]
    return {
        "fast-ctc-decode": lambda: [fast_ctc_decode.viterbi_search(p, ALPHABET)[0] for p in posteriors],
        "lprfast core": lambda: _core.ctc_texts(*_core.ctc_greedy(scores, 0, False)[:2], symbols),
        "lprfast texts": lambda: ctc_greedy(scores, CHARSET).texts,
        "lprfast objects": lambda: [read.text for read in ctc_greedy(scores, CHARSET)],
    }


def beam_ways(scores: Array) -> dict[str, Callable[[], Sequence[str]]]:
    posteriors = list(np.exp(scores))
    symbols = ["", *CHARSET]
    return {
        "fast-ctc-decode": lambda: [fast_ctc_decode.beam_search(p, ALPHABET, 10, 0.0)[0] for p in posteriors],
        "lprfast core": lambda: _core.ctc_texts(*_core.ctc_beam(scores, 0, False, 10, 1, 0.0)[1:3], symbols),
        "lprfast objects": lambda: [found[0].text for found in ctc_beam(scores, CHARSET, beam_size=10)],
    }


WAYS = [
    *itertools.product(["greedy"], ["fast-ctc-decode", "lprfast core", "lprfast texts", "lprfast objects"]),
    *itertools.product(["beam"], ["fast-ctc-decode", "lprfast core", "lprfast objects"]),
]


@pytest.mark.parametrize("kind", ["peaky", "flat"])
@pytest.mark.parametrize(("job", "way"), WAYS)
def test_decode(benchmark: BenchmarkFixture, job: str, way: str, kind: str) -> None:
    benchmark.group = f"{job}, {kind}, {CROPS} crops"
    ways = (greedy_ways if job == "greedy" else beam_ways)(log_posteriors(kind))
    assert list(ways[way]()) == ways["fast-ctc-decode"]()
    benchmark(ways[way])


def test_score(benchmark: BenchmarkFixture) -> None:
    """Fifty candidate texts of seven symbols on each crop."""
    benchmark.group = f"score, {CROPS} crops x 50 texts"
    scores = log_posteriors("peaky")
    rng = np.random.default_rng(21)
    texts = rng.integers(1, len(ALPHABET), (CROPS, 50, 7)).tolist()
    words = ["".join(ALPHABET[label] for label in text) for text in texts[0]]
    found = _core.ctc_score(scores, texts, 0, False)
    assert found[:50].tolist() == ctc_score(scores[0], words, CHARSET).tolist()
    benchmark(_core.ctc_score, scores, texts, 0, False)


def test_log_softmax(benchmark: BenchmarkFixture) -> None:
    """As the pipeline has it: 32 steps, 75 classes."""
    benchmark.group = f"log-softmax, {CROPS} crops of 32 x 75"
    logits = np.random.default_rng(22).normal(0, 5, (CROPS, 32, 75)).astype(np.float32)
    expected = logits - np.log(np.exp(logits.astype(np.float64)).sum(-1, keepdims=True))
    np.testing.assert_allclose(_core.ctc_log_softmax(logits), expected, atol=4e-6)
    benchmark(_core.ctc_log_softmax, logits)
