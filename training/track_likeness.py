"""How alike the crops of one vehicle are: ``track_likeness.py MODEL --mix wide`` or ``--reads FILE.npz``.

Drawn tracks are to be as alike as real ones, in their pictures and in their errors; docs/voting.md compares.
``--reads`` takes real tracks that ``lprfast eval --save-posteriors`` kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

import lprfast
from lprfast._ranking import DIFFERENT, SAME
from lprfast.evaluation.vote_rules import Track
from lprfast.vote_settings import VoteSettings
from training.compare_votes import drawn_tracks, kept_tracks
from training.synth import FIT_MIXES

TRACKS = 500
DEFAULT_SEED = 8_000_000  # no other tool draws from it
RESAMPLES = 1000

Array = NDArray[np.float64]


def intraclass_correlation(groups: Sequence[Array]) -> float:
    """ICC(1) of one-way random effects, groups of unequal size: the share of the variance between them.

    ``(MSB - MSW) / (MSB + (n0 - 1) MSW)`` with ``n0 = (N - sum n_i^2 / N) / (k - 1)`` (Donner and Koval,
    Biometrics 1980); it may be negative. NaN where nothing varies or there are fewer than two groups.
    """
    sizes = np.array([len(group) for group in groups], np.float64)
    total, k = sizes.sum(), len(groups)
    if k < 2 or total <= k:
        return float("nan")
    means = np.array([group.mean() for group in groups])
    grand = float((sizes * means).sum() / total)
    between = float((sizes * (means - grand) ** 2).sum()) / (k - 1)
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in groups) / (total - k)
    size = (total - float((sizes**2).sum()) / total) / (k - 1)
    variance = between + (size - 1) * within
    return (between - within) / variance if variance > 0 else float("nan")


def interval(groups: Sequence[Array], seed: int = 0) -> tuple[float, float]:
    """95 % of :func:`intraclass_correlation`, bootstrap over groups."""
    if len(groups) < 2:
        return float("nan"), float("nan")
    random = np.random.default_rng(seed)
    found = [
        intraclass_correlation([groups[i] for i in random.integers(len(groups), size=len(groups))])
        for _ in range(RESAMPLES)
    ]
    if np.isnan(found).all():
        return float("nan"), float("nan")
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def log_likelihood(read: lprfast.PlateRead, text: str) -> float:
    """log P(text) on this crop, natural logarithm, at least the vote's floor."""
    floor = VoteSettings().floor
    if read.log_posteriors is None or read.charset is None or not set(text) <= set(read.charset):
        return floor
    symbols = [symbol for symbol in read.charset if symbol]
    # float16 does not sum to 1 to three places: normalised again.
    scores = read.log_posteriors.astype(np.float32)
    found = lprfast.ctc_score(scores, [text], symbols, blank=read.charset.index(""), logits=True)
    return max(float(found[0]), floor)


def consecutive_distances(track: Track) -> list[float]:
    """Root mean square difference of the signatures of one crop and the next, gray levels."""
    signatures = [read.signature for read in track.reads if read.signature is not None]
    levels = np.array(signatures, np.float64).reshape(-1, 64)
    return [float(value) for value in np.sqrt((np.diff(levels, axis=0) ** 2).mean(axis=1))]


def likeness(tracks: Sequence[Track], prepare: Callable[[str], str] = str) -> dict[str, Any]:
    """The figures of these tracks; those of one crop say nothing and are left out.

    Keys: ``tracks``, ``crops``, ``right`` (share of crops), ``icc_right`` and ``icc_log_likelihood`` with
    their ``_interval``, ``distance`` (quartiles between a crop and the next, gray levels), ``same`` (share
    of these within 1) and ``alike`` (within 3).
    """
    several = [track for track in tracks if len(track.reads) > 1]
    right, scores, distances = [], [], []
    for track in several:
        texts = [read.text if prepare(read.text) == track.label else track.label for read in track.reads]
        right.append(np.array([prepare(read.text) == track.label for read in track.reads], np.float64))
        scores.append(np.array([log_likelihood(*pair) for pair in zip(track.reads, texts, strict=True)]))
        distances += consecutive_distances(track)
    apart = np.array(distances)
    return {
        "tracks": len(several),
        "crops": sum(map(len, right)),
        "right": float(np.concatenate(right).mean()),
        "icc_right": intraclass_correlation(right),
        "icc_right_interval": interval(right),
        "icc_log_likelihood": intraclass_correlation(scores),
        "icc_log_likelihood_interval": interval(scores),
        "distance": np.percentile(apart, [25, 50, 75]).tolist(),
        "same": float((apart <= SAME).mean()),
        "alike": float((apart <= DIFFERENT).mean()),
    }


def row(name: str, found: dict[str, Any]) -> str:
    """A line of a table for people."""

    def icc(key: str) -> str:
        low, high = found[f"{key}_interval"]
        return f"{found[key]:.2f} ({low:.2f}-{high:.2f})"

    low, middle, high = found["distance"]
    return (
        f"| {name} | {found['tracks']} / {found['crops']} | {found['right']:.3f} | {icc('icc_right')} "
        f"| {icc('icc_log_likelihood')} | {low:.1f} / {middle:.1f} / {high:.1f} "
        f"| {found['same']:.3f} / {found['alike']:.3f} |"
    )


HEADER = (
    "| tracks | n, crops | right | ICC right | ICC log P | RMS to the next, quartiles | within 1 / 3 |\n"
    "|---|---|---|---|---|---|---|"
)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: done, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("model", nargs="?", default="default", help="for drawn tracks (%(default)s)")
    add("--reads", type=Path, action="append", metavar="FILE.npz", help="kept reads instead of drawn tracks")
    add("--mix", choices=sorted(FIT_MIXES), action="append", help="drawn tracks; repeatable (default: all)")
    add("--tracks", type=int, default=TRACKS, help="of each mix (%(default)s)")
    add("--seed", type=int, default=DEFAULT_SEED, help="of the drawn tracks (%(default)s)")
    given = parser.parse_args(arguments)
    try:
        if given.tracks < 2:
            raise ValueError(f"--tracks: expected 2 or more, got {given.tracks}")
        print(HEADER)
        for path in given.reads or ():
            print(row(path.stem, likeness(*kept_tracks(path))), flush=True)
        if given.reads:
            return 0
        reader = lprfast.PlateReader(given.model)
        for mix in given.mix or list(FIT_MIXES):
            tracks = drawn_tracks(reader, mix, given.tracks, given.seed)
            print(row(mix, likeness(tracks)), flush=True)
    except (ValueError, OSError, lprfast.OrtError) as error:
        print(f"track_likeness: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
