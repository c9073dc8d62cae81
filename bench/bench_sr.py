"""Super-resolution beside reading, one thread: ``taskset -c 0 python bench/bench_sr.py`` prints a table.

The network is ``compact_42k`` (1 channel, six 3 x 3 convolutions of 32, LeakyReLU, x4 by DepthToSpace, plus
the input enlarged by nearest neighbours) as ``training/sr/export.py`` writes it and
``training/quantize_sr.py`` quantises it, with random weights: what it costs, not what it draws. Ways of
quantising take turns in processor time of the one thread; ratios are medians over the rounds.
"""

from __future__ import annotations

import logging
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch
from torch import nn

import lprfast
from lprfast import _core
from lprfast._ort_library import ort_library_path
from training.quantize_sr import int8_twin
from training.sr.export import to_onnx
from training.sr.models.compact import Compact, compact_42k

CROPS = 15  # of one vehicle
SIZE = (24, 80)
SCALE = 4
ROUNDS = 60

Images = npt.NDArray[np.float32]


def compact(activation: Callable[[], nn.Module] | None = None) -> onnx.ModelProto:
    """41,936 parameters; ``activation`` in place of LeakyReLU."""
    torch.manual_seed(0)
    model = compact_42k(SCALE, 1) if activation is None else Compact(SCALE, 1, 32, 4, activation)
    return to_onnx(model, 1, lprfast.SrContract(name="compact", scale=SCALE).to_metadata())


def quantised(model: onnx.ModelProto, stem: int = 0, last: bool = True) -> onnx.ModelProto:
    """As training/quantize_sr.py does it; here with noise to calibrate."""
    return int8_twin(model, images(16, seed=1), stem, last)


def images(count: int, seed: int = 0) -> Images:
    return np.random.default_rng(seed).random((count, 1, *SIZE)).astype(np.float32)


def models() -> dict[str, onnx.ModelProto]:
    """fp32 first."""
    leaky, relu = compact(), compact(nn.ReLU)
    return {
        "fp32": leaky,
        "int8": quantised(leaky),
        "int8, the first in fp32": quantised(leaky, 1),
        "int8, the first and the last in fp32": quantised(leaky, 1, last=False),
        "fp32, ReLU": relu,
        "int8, ReLU": quantised(relu),
    }


def session(model: onnx.ModelProto) -> _core.Session:
    return _core.Session(model.SerializeToString(), ort_library_path())


def runs(model: _core.Session, batch: Images) -> None:
    """As often as makes ``CROPS`` crops: a single run of one would be that of a cold cache."""
    for _ in range(CROPS // len(batch)):
        model.run(batch)


def in_turns(ways: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time of each way in each round, after three rounds to warm up."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(-3, rounds):
        for name, way in ways.items():
            start = time.thread_time()
            way()
            if number >= 0:
                spent[name].append(time.thread_time() - start)
    return spent


def table(spent: Mapping[str, list[float]], crops: int) -> list[str]:
    """The lines; the first way is what the others are compared with."""
    first = next(iter(spent.values()))
    return [
        f"| {name} | {statistics.median(times) / crops * 1e3:.2f} | "
        f"{statistics.median(a / b for a, b in zip(first, times, strict=True)):.2f} |"
        for name, times in spent.items()
    ]


def main() -> None:
    logging.getLogger().setLevel(logging.ERROR)  # the quantiser advises what is done already
    protos = models()
    for count in (1, CROPS):
        ways = {name: partial(runs, session(one), images(count)) for name, one in protos.items()}
        print(f"\n| {count} x {SIZE[0]} x {SIZE[1]} | ms per crop | fp32 / it |\n|---|---|---|")
        print("\n".join(table(in_turns(ways, ROUNDS), CROPS)))
    print(f"\n| one vehicle of {CROPS} crops | ms per crop | reading / it |\n|---|---|---|")
    print("\n".join(table(in_turns(vehicle_ways(protos), ROUNDS), CROPS)))


def vehicle_ways(protos: Mapping[str, onnx.ModelProto]) -> dict[str, Callable[[], Any]]:
    crops = [np.round(image[0] * 255).astype(np.uint8) for image in images(CROPS)]
    int8 = protos["int8"].SerializeToString()
    fp32 = protos["fp32"].SerializeToString()
    ways: dict[str, Callable[[], Any]] = {
        "reading": partial(lprfast.PlateReader(threads=1).read_many, crops),
        "SR fp32": partial(lprfast.SuperResolver(fp32, threads=1).upscale_many, crops),
        "SR int8": partial(lprfast.SuperResolver(int8, threads=1).upscale_many, crops),
        "SR int8 and reading": partial(lprfast.PlateReader(threads=1, sr=int8).read_many, crops),
    }
    return ways


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_lprfast_upscale(benchmark: Any, precision: str) -> None:
    model = compact() if precision == "fp32" else quantised(compact())
    resolver = lprfast.SuperResolver(model.SerializeToString(), threads=1)
    batch = images(CROPS)
    crops = [np.round(image[0] * 255).astype(np.uint8) for image in batch]
    truth = np.round(session(compact()).run(batch)[:, 0].clip(0, 1) * 255)
    benchmark.group = f"enlarging {CROPS} crops"
    answers = benchmark(resolver.upscale_many, crops)
    found = np.stack([answer.image for answer in answers])
    # Crops are rounded to 8 bits, which moves each value by half a level; int8 by a few more.
    assert np.abs(found - truth).mean() < (1 if precision == "fp32" else 4)


if __name__ == "__main__":
    main()
