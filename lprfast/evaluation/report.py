"""What ``lprfast eval`` states of a label file, computed from reads that are made already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lprfast.evaluation.bootstrap import Interval, cluster_bootstrap, exact_interval
from lprfast.evaluation.confusions import Confusion, confusion
from lprfast.evaluation.metrics import Score, edit_distance, fold, normalize, score
from lprfast.evaluation.reliability import Calibration, calibration


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
class Sample:
    """One scored crop: a text read and its label, both prepared.

    Attributes:
        raw: the text before it was prepared.
        status: of the read.
        cluster: what the bootstrap resamples: the track, or the label where there is none.
        confidence: of the read, 0-1; 0 where it answered no text.
        raw_confidence: before calibration; None where the reader does not tell.
    """

    text: str
    label: str
    raw: str
    status: str
    cluster: Hashable
    confidence: float = 0.0
    raw_confidence: float | None = None


@dataclass(frozen=True, slots=True)
class VehicleSample:
    """One vehicle's vote and its label, both prepared."""

    text: str
    label: str


@dataclass(frozen=True, slots=True)
class NegativeSample:
    """What came of a crop that shows no plate: whether it was read as one, and with which confidence, 0-1."""

    read: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Negatives:
    """Crops without a plate.

    Attributes:
        n: crops.
        read: how many were read as a plate.
        read_surely: how many of these with a confidence above 0.5.
    """

    n: int
    read: int
    read_surely: int

    def to_dict(self) -> dict[str, int]:
        """Plain values."""
        return {"n": self.n, "read": self.read, "read_with_confidence_above_0.5": self.read_surely}


@dataclass(frozen=True, slots=True)
class Rates:
    """Exact match and character error rate with their 95 % intervals (None with fewer than two clusters)."""

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
            "cer": self.score.cer,
            "cer_interval": _ends(self.cer_interval),
            "characters": self.score.characters,
            "clusters": self.clusters,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """One row of the evaluation: a label file, or all pooled.

    Attributes:
        name: the label file, or ``pooled``.
        crops: rates over crops.
        vehicles: rates over votes, one per vehicle; None where no row names a track.
        statuses: how many crops had which status.
        negatives: crops without a plate; they are in no other figure. None without such rows.
        confidence: how well the crops' confidences are calibrated; a crop that was not read counts as wrong
            with confidence 0. None without crops.
        answered_confidence: the same over the crops that answered a text: crops that were not read agree
            with their confidence and so lower the error of all. None without such crops.
        raw_confidence: the same before calibration; None where the reader is not calibrated.
        confusion: aligned characters of the crops that answered a text.
    """

    name: str
    crops: Rates
    vehicles: Rates | None
    statuses: Mapping[str, int]
    negatives: Negatives | None
    confidence: Calibration | None
    raw_confidence: Calibration | None
    answered_confidence: Calibration | None
    confusion: Confusion

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "crops": self.crops.to_dict(),
            "vehicles": _values(self.vehicles),
            "statuses": dict(self.statuses),
            "negatives": _values(self.negatives),
            "confidence": _values(self.confidence),
            "raw_confidence": _values(self.raw_confidence),
            "answered_confidence": _values(self.answered_confidence),
            "confusions": [
                {"label": label, "read": read, "n": n}
                for label, read, n in self.confusion.worst(len(self.confusion.counts))
            ],
        }


def _values(part: Rates | Negatives | Calibration | None) -> dict[str, Any] | None:
    return part.to_dict() if part else None


def make_report(
    name: str,
    samples: Sequence[Sample],
    vehicles: Sequence[VehicleSample],
    settings: Settings,
    negatives: Sequence[NegativeSample] = (),
) -> Report:
    """Rates of the samples, and of the vehicles where there are any. A vehicle is its own cluster."""
    crops = _rates([(s.text, s.label) for s in samples], [s.cluster for s in samples], settings)
    votes = _rates([(v.text, v.label) for v in vehicles], range(len(vehicles)), settings)
    counts = Counter(sample.status for sample in samples)
    return Report(
        name,
        crops,
        votes if vehicles else None,
        dict(sorted(counts.items())),
        _negatives(negatives),
        *_confidences(samples),
        _confidences([sample for sample in samples if sample.status == "ok"])[0],
        confusion((sample.text, sample.label) for sample in samples),
    )


def _negatives(samples: Sequence[NegativeSample]) -> Negatives | None:
    read = [sample.confidence for sample in samples if sample.read]
    sure = sum(confidence > 0.5 for confidence in read)
    return Negatives(len(samples), len(read), sure) if samples else None


def _confidences(samples: Sequence[Sample]) -> tuple[Calibration | None, Calibration | None]:
    """Of the confidences, and of the raw ones where these are others."""
    if not samples:
        return None, None
    right = [sample.text == sample.label for sample in samples]
    given = [sample.confidence for sample in samples]
    raw = [s.confidence if s.raw_confidence is None else s.raw_confidence for s in samples]
    return calibration(given, right), calibration(raw, right) if raw != given else None


def _rates(pairs: Sequence[tuple[str, str]], clusters: Sequence[Hashable], settings: Settings) -> Rates:
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
    return Rates(total, len(set(clusters)), exact, interval(edit_distance, len))


def _ends(interval: Interval | None) -> list[float] | None:
    return [interval.low, interval.high] if interval else None


def uncovered_symbols(labels: Iterable[str], charset: Iterable[str], settings: Settings) -> Counter[str]:
    """Label symbols that the model has no class for, and in how many labels each stands."""
    known = set("".join(settings.prepare(symbol) for symbol in charset))
    return Counter(symbol for label in labels for symbol in set(label) - known)
