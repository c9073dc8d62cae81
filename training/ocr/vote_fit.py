"""The fit of what a model file says of the vote: correlation, floor, calibration, where to stop reading."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lprfast import PlateRead, PlateVote, vote
from lprfast._ranking import (
    FIRST_PICTURES,
    FIRST_SHARE,
    NOT_READ,
    best_first,
    crop_value,
    evidence_of,
    vote_best_first,
)
from lprfast.evaluation.selective import selective
from lprfast.evaluation.vote_rules import Track
from lprfast.vote_settings import VOTE_FEATURES, VoteSettings, common_settings
from training.ocr.logistic import (
    Array,
    Fit,
    fit_logistic,
    held_out_losses,
    losses_of,
    smallest_that_helps,
)

CORRELATIONS = (0.3, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9)
FLOORS = (-12.0, -10.0, -8.0, -6.0)
# From the least to the most; without any the vote's own probability stays.
FEATURE_SETS: tuple[tuple[str, ...], ...] = (
    (),
    ("logit_probability",),
    ("logit_probability", "margin"),
    ("logit_probability", "margin", "agreement"),
)
STOPS = (0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
# What reading less may cost: of the right votes, and of those answered at 1 % error, since a vote that ended
# early is also less sure than it could have been.
MOST_LOST, MOST_UNANSWERED = 0.003, 0.01

# As in csrc/core/logistic.cpp and csrc/vote/calibrate.cpp; the file that is written is compared with them.
_LEAST_PROBABILITY, _WIDEST_MARGIN = 1e-6, 14.0


@dataclass(frozen=True)
class VoteExamples:
    """Votes of several different pictures that gave a text.

    Attributes:
        values: all ``VOTE_FEATURES`` [N, 3], in their order.
        probability: [N], before calibration.
        right: [N], 1 where the text is right, else 0.
    """

    values: Array
    probability: Array
    right: Array

    def columns(self, features: Sequence[str]) -> Array:
        """Those features, [N, F]."""
        return self.values[:, [VOTE_FEATURES.index(name) for name in features]]


def some_reads(tracks: Sequence[Track], seed: int) -> list[Track]:
    """Of every second track all reads, of the others two or more, drawn at random: votes over few reads count
    as much as those over all."""
    found = []
    for number, track in enumerate(tracks):
        rng = random.Random(seed + number)
        count = (
            len(track.reads) if number % 2 == 0 else rng.randint(min(2, len(track.reads)), len(track.reads))
        )
        chosen = sorted(rng.sample(range(len(track.reads)), count))
        found.append(Track(track.label, tuple(track.reads[index] for index in chosen)))
    return found


def with_settings(reads: Sequence[PlateRead], settings: VoteSettings) -> list[PlateRead]:
    """The same reads, to be voted otherwise; the plates that they expect stay."""
    known = common_settings(read.vote_settings for read in reads)
    settings = replace(settings, layouts=known.layouts if known else None)
    return [replace(read, vote_settings=settings) for read in reads]


def features_of(voted: PlateVote) -> tuple[float, ...]:
    """As the vote computes them, of one that is not calibrated: all ``VOTE_FEATURES`` in their order."""
    others = voted.alternatives[0].probability if voted.alternatives else 0.0
    margin = math.log(voted.probability / others) if others > 0 else _WIDEST_MARGIN
    held = min(max(voted.probability, _LEAST_PROBABILITY), 1 - _LEAST_PROBABILITY)
    agreement = sum(one.weight for one in voted.contributions if one.agrees)
    return math.log(held / (1 - held)), agreement, min(margin, _WIDEST_MARGIN)


def is_calibrated(voted: PlateVote) -> bool:
    """Whether calibration applies to it: a text, and more than copies of one read."""
    return bool(voted.text) and voted.effective_reads > 1


def examples_of(tracks: Sequence[Track], settings: VoteSettings) -> VoteExamples:
    """The votes over these reads, by settings without calibration."""
    rows, probabilities, right = [], [], []
    for track in tracks:
        voted = vote(with_settings(track.reads, settings))
        if is_calibrated(voted):
            rows.append(features_of(voted))
            probabilities.append(voted.probability)
            right.append(float(voted.text == track.label))
    return VoteExamples(
        np.array(rows).reshape(-1, len(VOTE_FEATURES)), *map(np.array, (probabilities, right))
    )


def choose_evidence(tracks: Sequence[Track]) -> tuple[VoteSettings, dict[str, float]]:
    """Correlation of the least mean loss, and a floor that helps; and the mean loss of each pair.

    Another floor than the built-in one is taken where it helps beyond chance, and then the nearest of those
    that no farther one betters: drawn tracks have few crops of something else, against which it stands.
    """
    means: dict[str, float] = {}
    best: dict[float, tuple[Array, VoteSettings]] = {}
    for floor in FLOORS:
        for correlation in CORRELATIONS:
            settings = VoteSettings(correlation=correlation, floor=floor)
            losses = track_losses(tracks, settings)
            means[f"{correlation:g}, {floor:g}"] = float(losses.mean())
            if floor not in best or losses.mean() < best[floor][0].mean():
                best[floor] = (losses, settings)
    nearest_first = sorted(best, key=lambda floor: abs(floor - VoteSettings().floor))
    chosen = smallest_that_helps({floor: best[floor][0] for floor in nearest_first})
    return best[chosen][1], means


def track_losses(tracks: Sequence[Track], settings: VoteSettings) -> Array:
    """Negative log likelihood of every track's vote [N]; one without a text loses nothing."""
    probabilities, right = [], []
    for track in tracks:
        voted = vote(with_settings(track.reads, settings))
        probabilities.append(voted.probability)
        right.append(float(voted.text == track.label))
    return losses_of(np.array(probabilities), np.array(right))


def choose_calibration(examples: VoteExamples, seed: int) -> tuple[Fit, dict[str, float]]:
    """The smallest of ``FEATURE_SETS`` that helps, fitted on all, and the cross-validated loss of each."""
    losses: dict[tuple[str, ...], Array] = {(): losses_of(examples.probability, examples.right)}
    for names in FEATURE_SETS[1:]:
        losses[names] = held_out_losses(examples.columns(names), examples.right, names, seed, VOTE_FEATURES)
    best = smallest_that_helps(losses)
    fit = Fit((), (), 0.0)
    if best:
        fit = fit_logistic(examples.columns(best), examples.right, best, never_negative=VOTE_FEATURES)
    return fit, {"+".join(names) or "none": float(loss.mean()) for names, loss in losses.items()}


def read_best_first(track: Track, settings: VoteSettings, stop_at: float) -> tuple[PlateVote, int]:
    """The vote of ``PlateReader.read_track(stop_at=stop_at)`` on these reads, and how many it takes."""
    reads = with_settings(track.reads, settings)
    sharpest = max(read.quality.sharpness for read in reads)
    values = [crop_value(read.width, read.quality.sharpness, sharpest) for read in reads]
    signatures = [None if read.signature is None else read.signature.tobytes() for read in reads]
    voted = vote_best_first(
        len(reads),
        best_first(values, signatures),
        lambda batch: [reads[index] for index in batch],
        vote,
        stop_at,
        evidence_of(FIRST_PICTURES, FIRST_SHARE, settings),
    )
    return voted, sum(one.reason != NOT_READ for one in voted.contributions)


def choose_stop(tracks: Sequence[Track], settings: VoteSettings) -> tuple[float | None, list[dict[str, Any]]]:
    """The :func:`lowest_stop` of ``STOPS``, and the figures of each.

    The rows say what each costs and saves, the first what reading everything gives.
    """
    crops = sum(len(track.reads) for track in tracks)
    full = [(vote(with_settings(track.reads, settings)), len(track.reads)) for track in tracks]
    rows = [_stop_row(None, tracks, full, crops)]
    for stop in STOPS:
        answers = [read_best_first(track, settings, stop) for track in tracks]
        rows.append(_stop_row(stop, tracks, answers, crops))
    return lowest_stop(rows), rows


def lowest_stop(rows: Sequence[dict[str, Any]]) -> float | None:
    """The lowest stop that, as all higher ones, loses no more than may be lost; None: the highest loses more.

    What can be answered at 1 % error hangs on a few votes and moves from one stop to the next by more than
    may be lost: a single row that passes may do so by chance.

    Args:
        rows: of reading everything, then of each stop, from the lowest to the highest.
    """
    full, *stops = rows
    lowest = None
    for row in reversed(stops):
        lost = full["right"] - row["right"]
        unanswered = full["answered_at_1_percent"] - row["answered_at_1_percent"]
        if lost > MOST_LOST + 1e-9 or unanswered > MOST_UNANSWERED + 1e-9:
            break
        lowest = row["stop_at"]
    return lowest


def _stop_row(
    stop: float | None, tracks: Sequence[Track], answers: Sequence[tuple[PlateVote, int]], crops: int
) -> dict[str, Any]:
    right = [voted.text == track.label for (voted, _), track in zip(answers, tracks, strict=True)]
    return {
        "stop_at": stop,
        "right": sum(right) / len(tracks),
        "answered_at_1_percent": selective([voted.probability for voted, _ in answers], right)
        .coverages[0]
        .coverage,
        "reads_saved": 1 - sum(used for _, used in answers) / crops,
    }
