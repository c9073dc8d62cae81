"""Reading 64 crops against the bare model run, in alternation: ``taskset -c 0 python bench/paired_read.py``.

The two differ by a few hundredths, less than a shared machine drifts from one benchmark to the next. So they
take turns, in processor time of the one thread, and the ratio is the median of the pairs'.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lprfast
from bench.bench_read import BATCH, CROPS, bare_runs, make_crops, open_session, prepared

ROUNDS = 40


def seconds(function: Callable[[], object]) -> float:
    start = time.thread_time()
    function()
    return time.thread_time() - start


def main() -> None:
    crops = make_crops()
    reader = lprfast.PlateReader(threads=1, batch=BATCH)
    bare = partial(bare_runs, open_session(), prepared(reader, crops))
    ways = {"default": partial(reader.read_many, crops), "nbest=5": partial(reader.read_many, crops, nbest=5)}
    ratios: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        base = seconds(bare)
        for name, way in ways.items():
            ratios[name].append(seconds(way) / base)
    for name, values in ratios.items():
        low, middle, high = statistics.quantiles(values, n=4)
        print(f"{name:<8} {middle:.3f} times the bare run (quartiles {low:.3f}-{high:.3f}, {CROPS} crops)")


if __name__ == "__main__":
    main()
