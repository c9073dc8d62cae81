"""One vote over 15 reads against reading the 15 crops: ``taskset -c 0 python bench/paired_vote.py``.

In alternation, in processor time of the one thread. Stated are the least time of 5 rounds, its median and
quartiles over 40 tracks, and the share of the reads' time, the median of all pairs. Reads are those of the
bundled ``default`` on drawn tracks: ``wide`` is a vehicle that comes near, ``similar`` 15 small frames, which
leave more characters in doubt. ``reads`` weighs the layouts that the model file names.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lprfast
from bench.paired_read import seconds
from training.synth import MIXES, draw_track

READS = 15
TRACKS = 40
SEED = 8_700_000  # drawn by nothing else
ROUNDS = 5
VOTES = 5  # in one turn: the clock of a thread has a grain
LAYOUTS: tuple[Literal["reads"] | None, ...] = (None, "reads")


def vote_often(reads: list[lprfast.PlateRead], layouts: Literal["reads"] | None) -> None:
    for _ in range(VOTES):
        lprfast.vote(reads, layouts=layouts)


def measure(reader: lprfast.PlateReader, mix: str) -> None:
    """Prints the microseconds of a vote, and its share of the time that its reads took."""
    settings = replace(MIXES[mix], frames=READS)
    tracks = [
        [frame.sample.crop for frame in draw_track(SEED + number, settings)] for number in range(TRACKS)
    ]
    costs: dict[str, list[float]] = {str(layouts): [] for layouts in LAYOUTS}  # the least of each track
    shares: dict[str, list[float]] = {str(layouts): [] for layouts in LAYOUTS}
    for crops in tracks:
        reads = reader.read_many(crops)
        assert len(reads) == READS
        rounds: dict[str, list[float]] = {str(layouts): [] for layouts in LAYOUTS}
        for _ in range(ROUNDS):
            base = seconds(partial(reader.read_many, crops))
            for layouts in LAYOUTS:
                cost = seconds(partial(vote_often, reads, layouts)) / VOTES
                rounds[str(layouts)].append(cost)
                shares[str(layouts)].append(cost / base)
        for name, values in rounds.items():
            costs[name].append(min(values))
    for name in costs:
        low, middle, high = (1e6 * value for value in statistics.quantiles(costs[name], n=4))
        print(
            f"{mix:<8} layouts={name:<6} {middle:4.0f} us a vote (quartiles {low:.0f}-{high:.0f}), "
            f"{statistics.median(shares[name]):.3f} of its {READS} reads"
        )


def main() -> None:
    reader = lprfast.PlateReader(threads=1)
    for mix in ("wide", "similar"):
        measure(reader, mix)


if __name__ == "__main__":
    main()
