"""What copies of crops do to the probability of a vote: ``duplicates.py default --tracks 300``.

Recorders repeat frames, and store them anew. docs/voting.md has the figures.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import cv2
import numpy as np
from numpy.typing import NDArray

import lprfast
from lprfast import PlateVote
from training.synth import MIXES, draw_track

SEED = 8_600_000  # no other tool draws from it
TRACKS = 300
IN_PLACE = "each JPEG in its place"  # no copy: what storing anew does by itself
QUALITIES = (60, 95)  # of JPEG
MOST_TIMES = 15
BATCH = 32  # tracks that are read together

Crop = NDArray[np.uint8]


def stored_anew(crop: Crop, rng: random.Random) -> Crop:
    """The crop through JPEG, of a quality from 60 to 95."""
    _, code = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, rng.randint(*QUALITIES)])
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE), np.uint8)


def copies_of(crops: Sequence[Crop], rng: random.Random) -> dict[str, list[Crop]]:
    """By name, what is added to a track; ``IN_PLACE`` takes the place of its crops."""
    one, more = rng.choice(crops), rng.randint(1, MOST_TIMES - 1)
    anew = [stored_anew(crop, rng) for crop in crops]
    return {
        "each twice": list(crops),
        f"one 2 to {MOST_TIMES} times": [one] * more,
        "each twice, JPEG": anew,
        f"one 2 to {MOST_TIMES} times, JPEG": [stored_anew(one, rng) for _ in range(more)],
        IN_PLACE: anew,
    }


def paired_votes(
    reader: lprfast.PlateReader, mix: str, count: int, seed: int
) -> dict[str, list[tuple[PlateVote, PlateVote]]]:
    """By kind of copies, for each track the vote without and with them."""
    found: dict[str, list[tuple[PlateVote, PlateVote]]] = {}
    for start in range(seed, seed + count, BATCH):
        tracks: list[list[Crop]] = []
        added: list[dict[str, list[Crop]]] = []
        for number in range(start, min(start + BATCH, seed + count)):
            tracks.append([frame.sample.crop for frame in draw_track(number, MIXES[mix])])
            added.append(copies_of(tracks[-1], random.Random(number)))
        groups = [*tracks, *(crops for kinds in added for crops in kinds.values())]
        flat = iter(reader.read_many([crop for crops in groups for crop in crops]))
        reads = [[next(flat) for _ in crops] for crops in groups]
        more = iter(reads[len(tracks) :])
        for own, kinds in zip(reads, added, strict=False):
            before = lprfast.vote(own)
            for kind in kinds:
                copies = next(more)
                after = lprfast.vote(copies if kind == IN_PLACE else [*own, *copies])
                found.setdefault(kind, []).append((before, after))
    return found


def figures(pairs: Sequence[tuple[PlateVote, PlateVote]]) -> dict[str, Any]:
    """What the copies changed: the probability (``largest`` rise, shares of rises, ``mean`` change), how many
    independent reads the vote is worth (``effective_reads``, mean change), and the text.
    """
    rises = np.array([after.probability - before.probability for before, after in pairs])
    worth = [after.effective_reads - before.effective_reads for before, after in pairs]
    return {
        "n": len(pairs),
        "largest": float(rises.max()),
        "over_0.001": float((rises > 0.001).mean()),
        "over_0.01": float((rises > 0.01).mean()),
        "mean": float(rises.mean()),
        "effective_reads": float(np.mean(worth)),
        "other_text": sum(before.text != after.text for before, after in pairs),
    }


HEADER = (
    "| mix | copies | n | largest rise | over 0.001 | over 0.01 | mean change | F_eff | other text |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def row(mix: str, kind: str, found: dict[str, Any]) -> str:
    """A line of a table for people."""
    return (
        f"| {mix} | {kind} | {found['n']} | {found['largest']:.2g} | {found['over_0.001']:.3f} "
        f"| {found['over_0.01']:.3f} | {found['mean']:+.4f} | {found['effective_reads']:+.3f} "
        f"| {found['other_text']} |"
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: done, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("model", nargs="?", default="default", help="ONNX file or bundled name (%(default)s)")
    add("--mix", choices=sorted(MIXES), action="append", help="drawn tracks; repeatable (default: all)")
    add("--tracks", type=int, default=TRACKS, help="of each mix (%(default)s)")
    add("--seed", type=int, default=SEED, help="of the drawn tracks (%(default)s)")
    add("--threads", type=int, help="of the reader")
    given = parser.parse_args(arguments)
    try:
        if given.tracks < 1:
            raise ValueError(f"--tracks: expected 1 or more, got {given.tracks}")
        reader = lprfast.PlateReader(given.model, threads=given.threads)
        print(HEADER)
        for mix in given.mix or list(MIXES):
            for kind, pairs in paired_votes(reader, mix, given.tracks, given.seed).items():
                print(row(mix, kind, figures(pairs)), flush=True)
    except (ValueError, OSError, lprfast.OrtError) as error:
        print(f"duplicates: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
