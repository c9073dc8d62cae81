"""What is scored: crops, vehicles, and crops without a plate."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traits:
    """By what results can be told apart.

    Attributes:
        width: of the crop as the reader got it, in pixels, 0 when unknown; of a vehicle, its widest crop.
        region, type: as the label file says; may be empty.
        lines: of text that the reader answered, 1 or 2; 0 where it answered none or does not tell. Of a
            vehicle, what most of its crops answered, of two as frequent the smaller.
    """

    width: int = 0
    region: str = ""
    type: str = ""
    lines: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One scored crop: a text read and its label, both prepared.

    Attributes:
        raw: the text before it was prepared.
        status: of the read.
        cluster: what the bootstrap resamples: the track, or the label where there is none.
        confidence: of the read, 0-1; 0 where it answered no text.
        raw_confidence: before calibration; None where the reader does not tell.
        traits: by what it can be told apart from others.
    """

    text: str
    label: str
    raw: str
    status: str
    cluster: Hashable
    confidence: float = 0.0
    raw_confidence: float | None = None
    traits: Traits = Traits()


@dataclass(frozen=True, slots=True)
class VehicleSample:
    """One vehicle's vote and its label, both prepared.

    Attributes:
        confidence: the vote's probability, 0-1; 0 where it answered no text.
        traits: by what it can be told apart from others.
    """

    text: str
    label: str
    confidence: float = 0.0
    traits: Traits = Traits()


@dataclass(frozen=True, slots=True)
class NegativeSample:
    """What came of a crop that shows no plate: whether it was read as one, and with which confidence, 0-1."""

    read: bool
    confidence: float
