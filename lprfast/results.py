"""What the reader and the vote answer: frozen, typed, nothing NaN."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

# Raised when a key goes away or changes its meaning; a key that is added leaves it.
SCHEMA_VERSION = 1

Status = Literal["ok", "no_plate", "unreadable", "error"]


@dataclass(frozen=True, slots=True)
class Quality:
    """Figures of one crop, measured on its gray pixels at reading size.

    Attributes:
        sharpness: variance of the Laplacian, gray levels squared, >= 0.
        contrast: standard deviation of the gray levels, 0-127.5.
        clipped: share of pixels at 0 or 255, 0-1.
    """

    sharpness: float = 0.0
    contrast: float = 0.0
    clipped: float = 0.0


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another text and its probability, 0-1."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class PlateRead:
    """One crop, read.

    Attributes:
        text: the plate; empty unless ``status`` is ``ok``.
        confidence: probability that this text is right, 0-1; 0 unless ``status`` is ``ok``. Calibrated where
            the model file holds a calibration (``PlateReader.calibrated``), else ``raw_confidence``.
        char_confidences: one posterior per character, 0-1.
        status: ``ok``; ``no_plate`` (the model saw no text); ``unreadable`` (too small, or no text is likely
            enough); ``error`` (the crop could not be used, ``error`` says why).
        error: the reason, or None.
        width, height: of the crop as given, in pixels.
        quality: sharpness, contrast and clipping at reading size.
        runners_up: the next best symbol of each character.
        runner_up_confidences: their posteriors, 0-1.
        time_steps: CTC time step of each character.
        alternatives: best first, from beam search; empty unless ``nbest`` was asked for. Scaled with
            ``confidence``; they sum to at most 1.
        lines: of text on the plate, 1 or 2 (``text`` is the upper, then the lower); 0 unless ``status``
            is ``ok``, and in reads made elsewhere.
        charset: the symbols of the classes, the blank as "".
        log_posteriors: float16 [T, K], natural logarithm, for the vote; of two lines [2 T + 1, K]. None in
            reads made elsewhere.
        signature: uint8 [64], 4 x 16 block means of the crop, for telling near-duplicates; or None.
        raw_confidence: the model's own probability of the text, 0-1; 0 unless ``status`` is ``ok``. None in
            reads made elsewhere.
        upscaled: how many times as wide super-resolution made the crop before it was read (2, 4 or 8); 0: it
            was read as given. Size, quality and signature are those of the crop as given all the same.
    """

    text: str = ""
    confidence: float = 0.0
    char_confidences: tuple[float, ...] = ()
    status: Status = "ok"
    error: str | None = None
    width: int = 0
    height: int = 0
    quality: Quality = Quality()
    runners_up: tuple[str, ...] = ()
    runner_up_confidences: tuple[float, ...] = ()
    time_steps: tuple[int, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    lines: int = 0
    charset: tuple[str, ...] | None = field(default=None, repr=False)
    log_posteriors: npt.NDArray[np.float16] | None = field(default=None, repr=False)
    signature: npt.NDArray[np.uint8] | None = field(default=None, repr=False)
    raw_confidence: float | None = None
    upscaled: int = 0

    def to_dict(self, *, evidence: bool = False) -> dict[str, Any]:
        """Plain values for JSON.

        Args:
            evidence: also give what the vote uses: charset, log_posteriors (nested lists) and signature.
        """
        values: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "text": self.text,
            "confidence": self.confidence,
            "raw_confidence": self.raw_confidence,
            "status": self.status,
            "error": self.error,
            "width": self.width,
            "height": self.height,
            "char_confidences": list(self.char_confidences),
            "runners_up": list(self.runners_up),
            "runner_up_confidences": list(self.runner_up_confidences),
            "time_steps": list(self.time_steps),
            "quality": asdict(self.quality),
            "alternatives": [asdict(other) for other in self.alternatives],
            "lines": self.lines,
            "upscaled": self.upscaled,
        }
        if evidence:
            values["charset"] = None if self.charset is None else list(self.charset)
            values["log_posteriors"] = None if self.log_posteriors is None else self.log_posteriors.tolist()
            values["signature"] = None if self.signature is None else self.signature.tolist()
        return values


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one read brought to a vote.

    Attributes:
        index: of the read in the sequence that was voted, from 0.
        used: whether it took part.
        weight: its share of the vote, 0-1; the shares of all reads sum to 1, or to 0 when none took part.
        log_likelihood: natural logarithm of the probability of the winning text on this crop, never under the
            vote's floor; 0 when it took no part.
        text: what this read says by itself; empty when it says nothing.
        agrees: whether that is the winning text.
        reason: why it took no part, or that it is a copy of another read; else None.
    """

    index: int
    used: bool
    weight: float
    log_likelihood: float
    text: str
    agrees: bool
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The same as a dictionary of plain values."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True, slots=True)
class PlateVote:
    """One plate from the reads of one vehicle.

    Attributes:
        text: the plate; empty unless ``status`` is ``ok``.
        probability: that this text is right, 0-1; 0 unless ``status`` is ``ok``.
        status: ``ok``; ``no_plate`` (no reads, or no text in any); ``unreadable`` (only unreadable reads,
            and no text is likely enough); ``error`` (no read could be used and at least one had an error).
        char_confidences: one pooled posterior per character, 0-1.
        runners_up: the next best symbol of each character.
        runner_up_confidences: their pooled posteriors, 0-1.
        alternatives: other texts with their probabilities, best first. With ``text`` they sum to at most 1;
            what is missing belongs to texts that nobody proposed. An ``unreadable`` vote keeps its best guess
            here.
        contributions: one per read, in the order given.
        effective_reads: how many independent reads the evidence is worth, 0 when none took part.
    """

    text: str = ""
    probability: float = 0.0
    status: Status = "no_plate"
    char_confidences: tuple[float, ...] = ()
    runners_up: tuple[str, ...] = ()
    runner_up_confidences: tuple[float, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    effective_reads: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """A dictionary of plain values, ready for JSON, with ``schema_version``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "text": self.text,
            "probability": self.probability,
            "status": self.status,
            "char_confidences": list(self.char_confidences),
            "runners_up": list(self.runners_up),
            "runner_up_confidences": list(self.runner_up_confidences),
            "alternatives": [{"text": a.text, "probability": a.probability} for a in self.alternatives],
            "contributions": [contribution.to_dict() for contribution in self.contributions],
            "effective_reads": self.effective_reads,
        }
