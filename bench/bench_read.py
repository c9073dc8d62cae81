"""Reading 64 crops end to end, one thread: lprfast, the bare model run, and the loop that one would write.

The bare run gets its input ready-made and throws its output away: what is between it and lprfast is the cost
of preparing, quality figures, decoding and building results.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest

import lprfast
from lprfast.models import model_path
from training.synth import PlateGenerator

Crops = list[npt.NDArray[np.uint8]]
CROPS = 64
BATCH = 16


def make_crops() -> Crops:
    generator = PlateGenerator(7, held_out=True, difficulty=0.3)
    # Of whole two-line plates the peers, which run the model once, read nothing.
    samples = (generator.sample() for _ in itertools.count())
    gray = [s.crop for s in itertools.islice((s for s in samples if s.whole == s.text), CROPS)]
    return [np.ascontiguousarray(np.repeat(crop[..., None], 3, axis=2)) for crop in gray]


@pytest.fixture(scope="module")
def crops() -> Crops:
    return make_crops()


@pytest.fixture(scope="module")
def reader() -> lprfast.PlateReader:
    return lprfast.PlateReader(threads=1, batch=BATCH)


def open_session() -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        str(model_path("default")), options, providers=["CPUExecutionProvider"]
    )


@pytest.fixture(scope="module")
def session() -> Any:
    return open_session()


def bare_runs(session: Any, images: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
    name = session.get_inputs()[0].name
    return [session.run(None, {name: images[i : i + BATCH]})[0] for i in range(0, CROPS, BATCH)]


def obvious_loop(session: Any, contract: lprfast.ModelContract, crops: Crops) -> list[str]:
    """cv2 resize, NumPy normalisation and greedy decoding, batches of 16: what a user would write."""
    name = session.get_inputs()[0].name
    size = (contract.input_width, contract.input_height)
    texts = []
    for start in range(0, len(crops), BATCH):
        gray = [cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in crops[start : start + BATCH]]
        resized = [cv2.resize(crop, size, interpolation=cv2.INTER_CUBIC).astype(np.float32) for crop in gray]
        images = (np.stack(resized)[:, None] - contract.mean) * contract.scale
        for scores in session.run(None, {name: images.astype(np.float32)})[0]:
            best = scores.argmax(axis=1)
            kept = [k for k, before in zip(best, [-1, *best[:-1]], strict=True) if k != before and k != 0]
            texts.append("".join(contract.charset[k - 1] for k in kept))
    return texts


@pytest.mark.benchmark(group="read 64 crops, 1 thread")
def test_lprfast(
    benchmark: Callable[..., Any], reader: lprfast.PlateReader, crops: Crops, session: Any
) -> None:
    images = prepared(reader, crops)
    scores = np.concatenate(bare_runs(session, images))
    expected = [read.text for read in lprfast.ctc_greedy(scores, reader.contract.charset)]
    reads = reader.read_many(crops)
    answers = [read.text for read in reads]
    likely = [i for i, read in enumerate(reads) if read.status != "unreadable"]
    assert [answers[i] for i in likely] == [expected[i] for i in likely]
    assert len(likely) > CROPS // 2
    benchmark(reader.read_many, crops)


@pytest.mark.benchmark(group="read 64 crops, 1 thread")
def test_lprfast_nbest_5(benchmark: Callable[..., Any], reader: lprfast.PlateReader, crops: Crops) -> None:
    reads = reader.read_many(crops, nbest=5)
    assert all(len(read.alternatives) == 5 for read in reads)
    benchmark(partial(reader.read_many, nbest=5), crops)


@pytest.mark.benchmark(group="read 64 crops, 1 thread")
def test_bare_session_run(
    benchmark: Callable[..., Any], reader: lprfast.PlateReader, crops: Crops, session: Any
) -> None:
    images = prepared(reader, crops)
    assert sum(len(scores) for scores in bare_runs(session, images)) == CROPS
    benchmark(bare_runs, session, images)


@pytest.mark.benchmark(group="read 64 crops, 1 thread")
def test_obvious_loop(
    benchmark: Callable[..., Any], reader: lprfast.PlateReader, crops: Crops, session: Any
) -> None:
    cv2.setNumThreads(1)
    texts = obvious_loop(session, reader.contract, crops)
    # Another resize, so not every text is the same; most must be, or the loop does another job.
    same = sum(text == read.text for text, read in zip(texts, reader.read_many(crops), strict=True))
    assert same >= CROPS // 2
    benchmark(obvious_loop, session, reader.contract, crops)


def prepared(reader: lprfast.PlateReader, crops: Crops) -> npt.NDArray[np.float32]:
    contract = reader.contract
    return lprfast.prepare(
        crops,
        height=contract.input_height,
        width=contract.input_width,
        fit=contract.resize_fit,
        kernel=contract.resize_kernel,
        mean=contract.mean,
        scale=contract.scale,
    )
