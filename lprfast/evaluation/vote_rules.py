"""Rules of voting compared on the same reads of the same vehicles."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lprfast.evaluation.bootstrap import cluster_bootstrap, exact_interval
from lprfast.evaluation.paired import holm, mcnemar
from lprfast.evaluation.reliability import calibration
from lprfast.evaluation.selective import selective
from lprfast.results import PlateRead
from lprfast.voting import RULES, Prior, vote

OURS = "fused"


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A vehicle: its plate, prepared for comparison, and its reads in the order in which they were taken."""

    label: str
    reads: tuple[PlateRead, ...]


@dataclass(frozen=True, slots=True)
class Votes:
    """What a rule said of every track: whether it was right, and its probability (0 without a text)."""

    right: tuple[bool, ...]
    probability: tuple[float, ...]


def vote_all(
    tracks: Sequence[Track],
    rule: str,
    prepare: Callable[[str], str] = str,
    *,
    reads: int | None = None,
    seed: int = 0,
    layouts: Prior = "reads",
) -> Votes:
    """One vote per track.

    Args:
        tracks: at least one read each.
        rule: one of ``lprfast.voting.RULES``.
        prepare: the form of a text that is compared with the labels.
        reads: vote over so many of a track's reads, drawn at random, the same for every rule; all without it.
        seed: of that draw.
        layouts: the plates that ``fused`` expects, as of ``lprfast.vote``; the other rules weigh none.
    """
    expected = layouts if rule == OURS else "reads"
    right, probability = [], []
    for number, track in enumerate(tracks):
        some = _some(track.reads, reads, seed + number)
        voted = vote(some, rule=rule, layouts=expected)  # type: ignore[arg-type]
        right.append(prepare(voted.text) == track.label)
        probability.append(voted.probability if voted.text else 0.0)
    return Votes(tuple(right), tuple(probability))


def compare_rules(
    tracks: Sequence[Track],
    rules: Sequence[str] = RULES,
    prepare: Callable[[str], str] = str,
    *,
    reads: int | None = None,
    seed: int = 0,
    layouts: Prior = "reads",
) -> list[dict[str, Any]]:
    """A row per rule, over the tracks that have ``reads`` reads at least.

    Keys: ``rule``, ``n``, ``right`` (share of tracks, 0-1), ``interval`` (95 %, bootstrap over tracks, exact
    where all or none are right), ``ece`` and ``coverage_at_1_percent`` of the probability, and
    ``p_against_fused``: exact McNemar, Holm-corrected over the rules; None for ``fused`` itself and where it
    is not among the rules.
    """
    long = [track for track in tracks if len(track.reads) >= (reads or 1)]
    if not long:
        return []
    votes = {rule: vote_all(long, rule, prepare, reads=reads, seed=seed, layouts=layouts) for rule in rules}
    others = [rule for rule in rules if rule != OURS and OURS in votes]
    corrected = dict(
        zip(others, holm([mcnemar(votes[r].right, votes[OURS].right) for r in others]), strict=True)
    )
    return [_row(rule, each, corrected.get(rule)) for rule, each in votes.items()]


def markdown(title: str, rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table for people."""
    lines = [
        f"| {title} | n | right | 95 % | ECE | answered at 1 % error | p against {OURS} (Holm) |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        p = "-" if row["p_against_fused"] is None else f"{row['p_against_fused']:.2g}"
        low, high = row["interval"]
        lines.append(
            f"| {row['rule']} | {row['n']} | {row['right']:.3f} | {low:.3f}-{high:.3f} | {row['ece']:.3f} "
            f"| {row['coverage_at_1_percent']:.3f} | {p} |"
        )
    return "\n".join(lines)


def _some(reads: tuple[PlateRead, ...], count: int | None, seed: int) -> tuple[PlateRead, ...]:
    if count is None or count >= len(reads):
        return reads
    chosen = sorted(random.Random(seed).sample(range(len(reads)), count))
    return tuple(reads[index] for index in chosen)


def _row(rule: str, votes: Votes, p_value: float | None) -> dict[str, Any]:
    n, right = len(votes.right), sum(votes.right)
    if 0 < right < n:
        found = cluster_bootstrap([float(each) for each in votes.right], [1.0] * n, range(n))
    else:
        found = exact_interval(right, n)
    assert found is not None  # a share strictly between 0 and 1 takes two tracks
    return {
        "rule": rule,
        "n": n,
        "right": right / n,
        "interval": [found.low, found.high],
        "ece": calibration(votes.probability, votes.right).ece,
        "coverage_at_1_percent": selective(votes.probability, votes.right).coverages[0].coverage,
        "p_against_fused": p_value,
    }
