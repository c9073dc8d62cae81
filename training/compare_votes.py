"""Compares the rules of the vote on synthetic vehicles: ``compare_votes.py MODEL --mix wide``.

The tracks have fonts and layouts that training never draws, and half of them went through a recorder that it
never draws either. Every rule votes on the same reads.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lprfast
from lprfast.evaluation.bootstrap import cluster_bootstrap
from lprfast.evaluation.paired import holm, mcnemar
from lprfast.evaluation.reliability import calibration
from lprfast.evaluation.selective import selective
from lprfast.results import PlateRead
from lprfast.voting import RULES, vote
from training.synth import MIXES, draw_track

TEST_SEED = 7_000_000  # of the tracks of docs/voting.md; nothing is fitted on them
TRACKS = 2000
OURS = "fused"


@dataclass(frozen=True)
class Track:
    """A vehicle: what its plate says, and its reads in order of time."""

    text: str
    reads: tuple[PlateRead, ...]


@dataclass(frozen=True)
class Votes:
    """What a rule said of every track: whether it was right, and the probability that it gave."""

    right: tuple[bool, ...]
    probability: tuple[float, ...]


def read_tracks(
    reader: lprfast.PlateReader, mix: str, count: int, seed: int, frames: int | None = None
) -> list[Track]:
    """Draws ``count`` held-out tracks of a mix and reads them; ``frames`` replaces the mix's own number."""
    settings = MIXES[mix] if frames is None else replace(MIXES[mix], frames=frames)
    tracks = []
    for number in range(count):
        samples = [frame.sample for frame in draw_track(seed + number, settings)]
        reads = reader.read_many([sample.crop for sample in samples])
        tracks.append(Track(samples[0].text, tuple(reads)))
    return tracks


def vote_all(tracks: Sequence[Track], rule: str, frames: int | None = None, seed: int = 0) -> Votes:
    """One vote per track, over ``frames`` of its reads drawn at random (the same for every rule) or all."""
    right, probability = [], []
    for number, track in enumerate(tracks):
        reads = track.reads
        if frames is not None and frames < len(reads):
            chosen = sorted(random.Random(seed + number).sample(range(len(reads)), frames))
            reads = tuple(reads[i] for i in chosen)
        voted = vote(reads, rule=rule)  # type: ignore[arg-type]
        right.append(voted.text == track.text)
        probability.append(voted.probability if voted.text else 0.0)
    return Votes(tuple(right), tuple(probability))


def judge(tracks: Sequence[Track], rules: Sequence[str]) -> list[dict[str, Any]]:
    """A row per rule: accuracy with its interval, calibration, coverage, and the paired test against ours."""
    votes = {rule: vote_all(tracks, rule) for rule in rules}
    others = [rule for rule in rules if rule != OURS]
    raw = [mcnemar(votes[rule].right, votes[OURS].right) for rule in others] if OURS in votes else []
    corrected = dict(zip(others, holm(raw), strict=False))
    rows = []
    for rule, each in votes.items():
        ends = cluster_bootstrap([float(r) for r in each.right], [1.0] * len(tracks), range(len(tracks)))
        at_one_percent = selective(each.probability, each.right).coverages[0]
        rows.append(
            {
                "rule": rule,
                "n": len(tracks),
                "right": sum(each.right) / len(tracks),
                "interval": None if ends is None else [ends.low, ends.high],
                "ece": calibration(each.probability, each.right).ece,
                "coverage_at_1_percent": at_one_percent.coverage,
                "p_against_fused": corrected.get(rule),
            }
        )
    return rows


def markdown(mix: str, rows: Sequence[dict[str, Any]]) -> str:
    """The table for people."""
    lines = [
        f"| {mix} | right | 95 % | ECE | answered at 1 % error | p against {OURS} (Holm) |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        low, high = row["interval"] or (float("nan"), float("nan"))
        p = "-" if row["p_against_fused"] is None else f"{row['p_against_fused']:.2g}"
        lines.append(
            f"| {row['rule']} | {row['right']:.4f} | {low:.4f}-{high:.4f} | {row['ece']:.3f} "
            f"| {row['coverage_at_1_percent']:.3f} | {p} |"
        )
    return "\n".join(lines)


def curve(tracks: Sequence[Track], rules: Sequence[str], counts: Sequence[int]) -> dict[str, list[float]]:
    """Share of right votes per rule over so many reads of each track."""
    return {
        rule: [sum(vote_all(tracks, rule, frames).right) / len(tracks) for frames in counts] for rule in rules
    }


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: done, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description="Compares the rules of the vote on synthetic vehicles.")
    parser.add_argument("model", help="ONNX file, or the name of a bundled model")
    parser.add_argument("--mix", choices=sorted(MIXES), action="append", help="repeatable (default: all)")
    parser.add_argument("--rule", choices=RULES, action="append", help="repeatable (default: all)")
    parser.add_argument("--tracks", type=int, default=TRACKS, help="of each mix (%(default)s)")
    parser.add_argument("--frames", type=int, help="of each track, in place of the mix's own number")
    parser.add_argument(
        "--curve", type=int, nargs="+", metavar="F", help="also votes over F reads of each track"
    )
    parser.add_argument("--seed", type=int, default=TEST_SEED, help="of the tracks (%(default)s)")
    parser.add_argument("--threads", type=int, help="of the reader")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="all figures")
    given = parser.parse_args(arguments)
    rules = given.rule or list(RULES)
    try:
        if given.tracks < 2:
            raise ValueError(f"--tracks: expected at least 2, got {given.tracks}")
        if given.curve and min(given.curve) < 1:
            raise ValueError(f"--curve: expected numbers of reads, 1 or more, got {min(given.curve)}")
        reader = lprfast.PlateReader(given.model, threads=given.threads)
        found: dict[str, Any] = {}
        for mix in given.mix or list(MIXES):
            tracks = read_tracks(reader, mix, given.tracks, given.seed, given.frames)
            found[mix] = {"rules": judge(tracks, rules)}
            print(markdown(mix, found[mix]["rules"]), flush=True)
            if given.curve:
                found[mix]["curve"] = {"reads": given.curve, **curve(tracks, rules, given.curve)}
                print(json.dumps(found[mix]["curve"]), flush=True)
    except (ValueError, OSError, lprfast.OrtError) as error:
        print(f"compare_votes: {error}", file=sys.stderr)
        return 2
    if given.out:
        given.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
