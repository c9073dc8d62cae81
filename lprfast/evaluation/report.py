"""What ``lprfast eval`` states of a label file, computed from reads that are made already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lprfast.evaluation.breakdown import Group, breakdown, vehicle_rates
from lprfast.evaluation.confusions import Confusion, confusion
from lprfast.evaluation.rates import Rates, Settings, rates
from lprfast.evaluation.reliability import Calibration, calibration
from lprfast.evaluation.samples import NegativeSample, Sample, VehicleSample
from lprfast.evaluation.selective import Selective, selective


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
        selective: how well the crops' confidences tell right from wrong. None without crops.
        vehicle_confidence: how well the votes' probabilities are calibrated; None without votes.
        vehicle_selective: how well they tell right from wrong; None without votes.
        breakdowns: rates per group, of each kind that was asked for.
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
    selective: Selective | None
    vehicle_confidence: Calibration | None
    vehicle_selective: Selective | None
    breakdowns: Mapping[str, tuple[Group, ...]]
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
            "selective": _values(self.selective),
            "vehicle_confidence": _values(self.vehicle_confidence),
            "vehicle_selective": _values(self.vehicle_selective),
            "by": {by: [group.to_dict() for group in groups] for by, groups in self.breakdowns.items()},
            "confusions": [
                {"label": label, "read": read, "n": n}
                for label, read, n in self.confusion.worst(len(self.confusion.counts))
            ],
        }


def _values(part: Rates | Negatives | Calibration | Selective | None) -> dict[str, Any] | None:
    return part.to_dict() if part else None


def make_report(
    name: str,
    samples: Sequence[Sample],
    vehicles: Sequence[VehicleSample],
    settings: Settings,
    negatives: Sequence[NegativeSample] = (),
    by: Iterable[str] = (),
) -> Report:
    """Rates of the samples, and of the vehicles where there are any. A vehicle is its own cluster.

    Args:
        name: of the label file, or ``pooled``.
        samples: the crops.
        vehicles: the votes.
        settings: how intervals are made.
        negatives: the crops without a plate.
        by: breakdowns to make, of ``BY``; each costs as much as the rest.
    """
    confidence, raw_confidence = _confidences(samples)
    votes_right = [vehicle.text == vehicle.label for vehicle in vehicles]
    sureness = [vehicle.confidence for vehicle in vehicles]
    return Report(
        name=name,
        crops=rates([(s.text, s.label) for s in samples], [s.cluster for s in samples], settings),
        vehicles=vehicle_rates(vehicles, settings),
        statuses=dict(sorted(Counter(sample.status for sample in samples).items())),
        negatives=_negatives(negatives),
        confidence=confidence,
        raw_confidence=raw_confidence,
        answered_confidence=_confidences([sample for sample in samples if sample.status == "ok"])[0],
        selective=_selective(samples),
        vehicle_confidence=calibration(sureness, votes_right) if vehicles else None,
        vehicle_selective=selective(sureness, votes_right) if vehicles else None,
        breakdowns={kind: breakdown(kind, samples, vehicles, settings) for kind in by},
        confusion=confusion((sample.text, sample.label) for sample in samples),
    )


def _selective(samples: Sequence[Sample]) -> Selective | None:
    right = [sample.text == sample.label for sample in samples]
    return selective([sample.confidence for sample in samples], right) if samples else None


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


def uncovered_symbols(labels: Iterable[str], charset: Iterable[str], settings: Settings) -> Counter[str]:
    """Label symbols that the model has no class for, and in how many labels each stands."""
    known = set("".join(settings.prepare(symbol) for symbol in charset))
    return Counter(symbol for label in labels for symbol in set(label) - known)
