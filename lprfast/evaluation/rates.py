"""Exact match and character error rate with intervals."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lprfast.evaluation.bootstrap import Interval, cluster_bootstrap, exact_interval
from lprfast.evaluation.metrics import Score, edit_distance, fold, normalize, score


@dataclass(frozen=True, slots=True)
class Settings:
    """How texts are compared and intervals made.

    Attributes:
        fold: symbol -> the first of its group, from ``parse_fold``.
        as_written: compare texts as they stand, without ``normalize``.
        resamples, seed: of the bootstrap.
    """

    fold: Mapping[str, str]
    as_written: bool = False
    resamples: int = 2000
    seed: int = 0

    def prepare(self, text: str) -> str:
        """The form of a text that is compared."""
        return fold(text if self.as_written else normalize(text), self.fold)


@dataclass(frozen=True, slots=True)
class Rates:
    """Exact match and character error rate with their 95 % intervals.

    None with fewer than two clusters; of the error rate also where all clusters have the same one, as where
    all is right: resampling says nothing then.
    """

    score: Score
    clusters: int
    exact_interval: Interval | None
    cer_interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values; intervals as [low, high] or null."""
        return {
            "n": self.score.n,
            "exact": self.score.exact,
            "exact_match": self.score.exact_match,
            "exact_match_interval": _ends(self.exact_interval),
            "within_one": self.score.within_one,
            "within_one_share": self.score.within_one_share,
            "cer": self.score.cer,
            "cer_interval": _ends(self.cer_interval),
            "characters": self.score.characters,
            "clusters": self.clusters,
        }


def rates(pairs: Sequence[tuple[str, str]], clusters: Sequence[Hashable], settings: Settings) -> Rates:
    """Rates of pairs of (read, label), both prepared.

    Args:
        pairs: at least none.
        clusters: one per pair; pairs of one cluster are resampled together.
        settings: of the bootstrap.
    """

    def interval(numerator: Callable[[str, str], int], denominator: Callable[[str], int]) -> Interval | None:
        return cluster_bootstrap(
            [numerator(text, label) for text, label in pairs],
            [denominator(label) for _, label in pairs],
            clusters,
            resamples=settings.resamples,
            seed=settings.seed,
        )

    total = score(pairs)
    exact = interval(lambda text, label: text == label, lambda label: 1)
    if exact is not None and total.exact in (0, total.n):
        exact = exact_interval(exact.clusters if total.exact else 0, exact.clusters)
    cer = interval(edit_distance, len)
    if cer is not None and cer.low == cer.high:
        cer = None
    return Rates(total, len(set(clusters)), exact, cer)


def _ends(interval: Interval | None) -> list[float] | None:
    return [interval.low, interval.high] if interval else None
