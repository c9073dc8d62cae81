"""Compares the rules of the vote on the same reads: ``compare_votes.py MODEL --mix wide``.

Drawn tracks have fonts and layouts that training never draws, and half of them went through a recorder that
it never draws either. ``--reads FILE.npz`` takes real tracks that ``lprfast eval --save-posteriors`` kept.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

import lprfast
from lprfast._ranking import NOT_READ
from lprfast.evaluation import load_posteriors
from lprfast.evaluation.vote_rules import Track, compare_rules, markdown
from lprfast.formats import layout_prior
from lprfast.voting import RULES, Prior
from training.synth import FIT_MIXES, MIXES, draw_track

TEST_SEED = 7_000_000  # of the tracks of docs/voting.md; nothing is fitted on them
TRACKS = 2000
BATCH = 64  # tracks that are read together

Array = NDArray[Any]


def drawn_tracks(
    reader: lprfast.PlateReader, mix: str, count: int, seed: int, frames: int | None = None
) -> list[Track]:
    """Draws ``count`` held-out tracks of a mix and reads them; ``frames`` replaces the mix's own number."""
    settings = FIT_MIXES[mix] if frames is None else replace(FIT_MIXES[mix], frames=frames)
    tracks: list[Track] = []
    for start in range(0, count, BATCH):
        drawn = [
            [frame.sample for frame in draw_track(seed + number, settings)]
            for number in range(start, min(count, start + BATCH))
        ]
        reads = iter(reader.read_many([sample.crop for samples in drawn for sample in samples]))
        tracks += [Track(samples[0].text, tuple(next(reads) for _ in samples)) for samples in drawn]
    return tracks


def best_first(
    reader: lprfast.PlateReader, mix: str, count: int, seed: int, stops: Sequence[float]
) -> list[dict[str, float]]:
    """What reading best first saves and costs: per ``stop_at`` the share of right votes and of reads saved.

    The first row, at infinity, reads everything.
    """
    right, used = dict.fromkeys((math.inf, *stops), 0), dict.fromkeys((math.inf, *stops), 0)
    crops = 0
    for number in range(count):
        samples = [frame.sample for frame in draw_track(seed + number, FIT_MIXES[mix])]
        pictures = [sample.crop for sample in samples]
        crops += len(pictures)
        for stop in right:
            voted = reader.read_track(pictures, stop_at=None if stop == math.inf else stop)
            right[stop] += voted.text == samples[0].text
            used[stop] += sum(one.reason != NOT_READ for one in voted.contributions)
    return [
        {"stop_at": stop, "right": right[stop] / count, "reads_saved": 1 - used[stop] / crops}
        for stop in right
    ]


def kept_tracks(path: Path) -> tuple[list[Track], Callable[[str], str]]:
    """The labelled tracks of a file of reads, and how its texts are compared."""
    cached = load_posteriors(path)
    tracks = [Track(track.label, track.reads) for track in cached.tracks if track.label]
    if not tracks:
        raise ValueError(f"{path}: no crop has a track and a label; keep reads of a label file with tracks")
    return tracks, cached.settings.prepare


Characters = list[tuple[Array, Array]]


def characters_of(tracks: Sequence[Track], prepare: Callable[[str], str], layouts: Prior) -> Characters:
    """Of each vote of ``fused`` with as many characters as the plate: which are right, how sure each is."""
    votes = []
    for track in tracks:
        voted = lprfast.vote(track.reads, layouts=layouts)
        text = prepare(voted.text)
        if len(text) == len(track.label) == len(voted.char_confidences):
            right = np.array([a == b for a, b in zip(text, track.label, strict=True)])
            votes.append((right, np.array(voted.char_confidences)))
    return votes


def open_characters(votes: Characters, below: Sequence[float]) -> list[dict[str, float]]:
    """What ``?`` in place of characters under each of these probabilities hides: ``PlateVote.pattern``.

    Keys: ``below``, ``n`` (votes), and as shares 0-1 ``wrong_hidden`` and ``right_hidden`` (of the wrong, of
    the right characters), ``wrong_shown`` (of those shown) and ``fitting`` (of the votes: nothing shown is
    wrong). NaN where there is no such character.
    """
    if not votes:
        return []
    right, sure = (np.concatenate(parts) for parts in zip(*votes, strict=True))
    return [
        {
            "below": bound,
            "n": len(votes),
            "wrong_hidden": share((sure < bound)[~right]),
            "right_hidden": share((sure < bound)[right]),
            "wrong_shown": share(~right[sure >= bound]),
            "fitting": share(np.array([(r | (s < bound)).all() for r, s in votes])),
        }
        for bound in below
    ]


def open_table(name: str, rows: Sequence[dict[str, float]]) -> str:
    """The rows of :func:`open_characters` for people."""
    lines = [
        f"| {name}, ? under | n | wrong hidden | right hidden | wrong of those shown | patterns that fit |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['below']:g} | {row['n']} | {row['wrong_hidden']:.3f} | {row['right_hidden']:.4f} "
            f"| {row['wrong_shown']:.4f} | {row['fitting']:.4f} |"
        )
    return "\n".join(lines)


def share(holds: Array) -> float:
    """Of the values the share that is true; NaN of none."""
    return float(holds.mean()) if len(holds) else math.nan


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: done, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description="Compares the rules of the vote on the same reads.")
    add = parser.add_argument
    add(
        "model",
        nargs="?",
        default="default",
        help="ONNX file or bundled name, for drawn tracks (%(default)s)",
    )
    add("--reads", type=Path, action="append", metavar="FILE.npz", help="kept reads instead of drawn tracks")
    add(
        "--mix",
        choices=sorted(FIT_MIXES),
        action="append",
        help="drawn tracks; repeatable (default: the test's four)",
    )
    add("--rule", choices=RULES, action="append", help="repeatable (default: all)")
    add("--tracks", type=int, default=TRACKS, help="of each mix (%(default)s)")
    add("--frames", type=int, help="of each drawn track, in place of the mix's own number")
    add(
        "--counts",
        type=int,
        nargs="+",
        metavar="F",
        help="also votes over F reads of each track that has them",
    )
    add("--stop-at", type=float, nargs="+", metavar="P", help="also reads best first, to this probability")
    add(
        "--open",
        type=float,
        nargs="+",
        metavar="P",
        help="also what '?' hides of characters under P, all tracks together",
    )
    add("--unweighed", action="store_true", help="also 'fused' without layouts, over the same reads")
    add("--seed", type=int, default=TEST_SEED, help="of the drawn tracks (%(default)s)")
    add("--layouts", metavar="NAME[,..]", help="plates that the reader of drawn tracks and 'fused' expect")
    add("--threads", type=int, help="of the reader")
    add("--out", type=Path, metavar="FILE.json", help="all figures")
    given = parser.parse_args(arguments)
    try:
        _check(given)
        found = _compare(given)
        if given.out:
            given.out.write_text(json.dumps(found, indent=1), encoding="utf-8")
    except (ValueError, OSError, lprfast.OrtError) as error:
        print(f"compare_votes: {error}", file=sys.stderr)
        return 2
    return 0


def _check(given: argparse.Namespace) -> None:
    for name, value in (("tracks", given.tracks), ("counts", min(given.counts or [1]))):
        if value < 1:
            raise ValueError(f"--{name}: expected 1 or more, got {value}")
    if given.out and not given.out.absolute().parent.is_dir():
        raise ValueError(f"--out {given.out}: there is no such folder")
    if given.reads and (given.mix or given.stop_at):
        raise ValueError("--reads excludes --mix and --stop-at: they take drawn tracks")
    for name, values in (("stop-at", given.stop_at), ("open", given.open)):
        if not all(0 < value <= 1 for value in values or ()):
            raise ValueError(f"--{name}: expected probabilities over 0 and up to 1, got {values}")


def _compare(given: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {}
    characters: Characters = []
    rules = given.rule or list(RULES)
    layouts: Prior = layout_prior(given.layouts) if given.layouts is not None else "reads"
    reader = None
    if not given.reads:
        reader = lprfast.PlateReader(
            given.model, threads=given.threads, layouts="model" if layouts == "reads" else layouts
        )
    for source in given.reads or given.mix or list(MIXES):
        prepare: Callable[[str], str] = str
        if reader is None:
            name = str(source)
            tracks, prepare = kept_tracks(source)
        else:
            name = source
            tracks = drawn_tracks(reader, source, given.tracks, given.seed, given.frames)
        found[name] = {"all": compare_rules(tracks, rules, prepare, layouts=layouts)}
        print(markdown(name, found[name]["all"]), flush=True)
        for count in given.counts or ():
            rows = compare_rules(tracks, rules, prepare, reads=count, layouts=layouts)
            found[name][str(count)] = rows
            print(f"\n{markdown(f'{name}, {count} reads', rows)}", flush=True)
        if given.unweighed:
            found[name]["unweighed"] = compare_rules(tracks, ["fused"], prepare, layouts=None)
            print(f"\n{markdown(f'{name}, without layouts', found[name]['unweighed'])}", flush=True)
        if given.open:
            characters += characters_of(tracks, prepare, layouts)
        if reader is not None and given.stop_at:
            saved = best_first(reader, source, given.tracks, given.seed, given.stop_at)
            found[name]["best_first"] = saved
            print(f"\n| {name}, stop_at | right | reads saved |\n|---|---|---|")
            for row in saved:
                print(f"| {row['stop_at']:g} | {row['right']:.4f} | {row['reads_saved']:.3f} |", flush=True)
    if given.open:
        found["open"] = open_characters(characters, given.open)
        print(f"\n{open_table('all', found['open'])}", flush=True)
    return found


if __name__ == "__main__":
    sys.exit(main())
