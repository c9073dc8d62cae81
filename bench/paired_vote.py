"""One vote over 15 reads against reading the 15 crops: ``taskset -c 0 python bench/paired_vote.py``.

In alternation, in processor time of the one thread. Stated are the least time of 5 rounds, its median and
quartiles over 40 tracks, and the share of the reads' time, the median of all pairs. Reads are those of the
bundled ``default`` on drawn tracks: ``wide`` is a vehicle that comes near, ``similar`` 15 small frames, which
leave more characters in doubt. The layouts are those that the model file names; with ``nbest=5`` each read
proposes five more texts, and of the reads' time that without them is taken.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lprfast
from bench.paired_read import seconds
from training.synth import MIXES, draw_track

READS = 15
TRACKS = 40
SEED = 8_700_000  # drawn by nothing else
ROUNDS = 5
VOTES = 5  # in one turn: the clock of a thread has a grain
Layouts = Literal["reads"] | None


def vote_often(reads: list[lprfast.PlateRead], layouts: Layouts) -> None:
    for _ in range(VOTES):
        lprfast.vote(reads, layouts=layouts)


def ways_to_vote(reader: lprfast.PlateReader, crops: Sequence[Any]) -> dict[str, Callable[[], None]]:
    """By name, the votes that are timed."""
    reads = reader.read_many(crops)
    assert len(reads) == READS
    return {
        "without layouts": partial(vote_often, reads, None),
        "with layouts": partial(vote_often, reads, "reads"),
        "the same, nbest=5": partial(vote_often, reader.read_many(crops, nbest=5), "reads"),
    }


def measure(reader: lprfast.PlateReader, mix: str) -> None:
    """Prints the microseconds of a vote, and its share of the time that its reads took."""
    settings = replace(MIXES[mix], frames=READS)
    costs: dict[str, list[float]] = {}  # the least of each track
    shares: dict[str, list[float]] = {}
    for number in range(TRACKS):
        crops = [frame.sample.crop for frame in draw_track(SEED + number, settings)]
        ways = ways_to_vote(reader, crops)
        rounds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            base = seconds(partial(reader.read_many, crops))
            for name, way in ways.items():
                rounds[name].append(seconds(way) / VOTES)
                shares.setdefault(name, []).append(rounds[name][-1] / base)
        for name, values in rounds.items():
            costs.setdefault(name, []).append(1e6 * min(values))
    for name, values in costs.items():
        low, middle, high = statistics.quantiles(values, n=4)
        print(
            f"{mix:<8} {name:<18} {middle:4.0f} us a vote (quartiles {low:.0f}-{high:.0f}), "
            f"{statistics.median(shares[name]):.3f} of its {READS} reads"
        )


def main() -> None:
    reader = lprfast.PlateReader(threads=1)
    for mix in ("wide", "similar"):
        measure(reader, mix)


if __name__ == "__main__":
    main()
