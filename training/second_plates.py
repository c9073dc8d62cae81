"""How often the vote notices two vehicles in one track: ``second_plates.py default --mix wide``.

The first half of one track's crops and the second half of the next one's stand for a track that changed
vehicles; false alarms are counted on the tracks themselves, and with crops of something else among them.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lprfast
from lprfast import PlateRead
from lprfast._conflict import apart
from lprfast.evaluation.bootstrap import exact_interval
from lprfast.evaluation.vote_rules import Track
from training.compare_votes import drawn_tracks, kept_tracks
from training.synth import MIXES, negatives
from training.synth.generator import Library

# No other tool draws from it: calibrate_vote.py fits on tracks from 9,000,000 up, and the thresholds were
# looked at on tracks from 9,200,000 up.
SEED = 8_500_000
GARBAGE = 2  # crops of one negative that are put into a track


def joined(first: Track, second: Track) -> tuple[PlateRead, ...]:
    """The first half of one track and the second half of another."""
    return first.reads[: len(first.reads) // 2] + second.reads[len(second.reads) // 2 :]


def garbage(reader: lprfast.PlateReader, count: int, seed: int) -> list[list[PlateRead]]:
    """``GARBAGE`` reads of each of so many negatives, each time seen by another camera."""
    crops = []
    for number in range(count):
        for view in range(GARBAGE):
            rng, library = random.Random(seed + number), Library(number % 2 == 0, True)
            kind = rng.choice(negatives.kinds(library.held_out))
            picture = random.Random(rng.getrandbits(32))
            crops.append(negatives.draw_crop(picture, library, 1.0, 80 + 20 * view, kind)[0])
    reads = reader.read_many(crops)
    return [reads[place : place + GARBAGE] for place in range(0, len(reads), GARBAGE)]


def noticed(tracks: Sequence[Sequence[PlateRead]]) -> int:
    """How many of the votes have a second plate."""
    return sum(lprfast.vote(reads).conflict is not None for reads in tracks)


def report(
    name: str,
    tracks: Sequence[Track],
    extra: Sequence[Sequence[PlateRead]],
    prepare: Callable[[str], str] = str,
) -> None:
    """Prints the shares: joined tracks noticed, and tracks of one vehicle with a false alarm."""
    pairs = [(a, b) for a, b in zip(tracks[::2], tracks[1::2], strict=False) if apart(a.label, b.label)]
    halves = [(a, b, joined(a, b)) for a, b in pairs]
    readable = [
        reads
        for a, b, reads in halves
        if prepare(lprfast.vote(reads[: len(a.reads) // 2]).text) == a.label
        and prepare(lprfast.vote(reads[len(a.reads) // 2 :]).text) == b.label
    ]
    with_garbage = [[*track.reads, *more] for track, more in zip(tracks, extra, strict=False)]
    rows: list[tuple[str, Sequence[Sequence[PlateRead]]]] = [
        ("two vehicles", [reads for _, _, reads in halves]),
        ("two vehicles, both halves voted right by themselves", readable),
        ("one vehicle", [track.reads for track in tracks]),
        (f"one vehicle and {GARBAGE} crops of something else", with_garbage),
    ]
    for kind, each in rows:
        if each:
            found = noticed(each)
            share = exact_interval(found, len(each))
            print(
                f"| {name} | {kind} | {found} of {len(each)} | {share.low:.3f}-{share.high:.3f} |", flush=True
            )


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: done, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description="How often the vote notices two vehicles in one track.")
    add = parser.add_argument
    add("model", nargs="?", default="default", help="ONNX file or bundled name (%(default)s)")
    add("--reads", type=Path, action="append", metavar="FILE.npz", help="kept reads instead of drawn tracks")
    add("--mix", choices=sorted(MIXES), action="append", help="drawn tracks; repeatable (default: all)")
    add("--tracks", type=int, default=1000, help="of each mix (%(default)s)")
    add("--seed", type=int, default=SEED, help="of the drawn tracks (%(default)s)")
    add("--threads", type=int, help="of the reader")
    given = parser.parse_args(arguments)
    if given.tracks < 2:
        print(f"second_plates: --tracks: expected 2 or more, got {given.tracks}", file=sys.stderr)
        return 2
    try:
        _report_all(given)
    except (ValueError, OSError, lprfast.OrtError) as error:
        print(f"second_plates: {error}", file=sys.stderr)
        return 2
    return 0


def _report_all(given: argparse.Namespace) -> None:
    print("| tracks | of | noticed | 95 % |\n|---|---|---|---|")
    for path in given.reads or ():
        tracks, prepare = kept_tracks(path)
        report(path.stem, tracks, [], prepare)
    if given.reads:
        return
    reader = lprfast.PlateReader(given.model, threads=given.threads)
    for mix in given.mix or list(MIXES):
        drawn = drawn_tracks(reader, mix, given.tracks, given.seed)
        report(mix, drawn, garbage(reader, given.tracks, given.seed))


if __name__ == "__main__":
    sys.exit(main())
