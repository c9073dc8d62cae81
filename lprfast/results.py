"""What the reader and the vote answer: frozen, typed, nothing NaN."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

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
        confidence: probability that this text is right, 0-1; 0 unless ``status`` is ``ok``.
        char_confidences: one posterior per character, 0-1.
        status: ``ok``; ``no_plate`` (the model saw no text); ``unreadable`` (too small, or no text is likely
            enough); ``error`` (the crop could not be used, ``error`` says why).
        error: the reason, or None.
        width, height: of the crop as given, in pixels.
        quality: sharpness, contrast and clipping at reading size.
        runners_up: the next best symbol of each character.
        runner_up_confidences: their posteriors, 0-1.
        time_steps: CTC time step of each character.
        alternatives: best first, from beam search; empty unless ``nbest`` was asked for.
        charset: the symbols of the classes, the blank as "".
        log_posteriors: float16 [T, K], natural logarithm, for the vote; None in reads made elsewhere.
        signature: uint8 [64], 4 x 16 block means of the crop, for telling near-duplicates; or None.
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
    charset: tuple[str, ...] | None = None
    log_posteriors: npt.NDArray[np.float16] | None = None
    signature: npt.NDArray[np.uint8] | None = None

    def to_dict(self, *, evidence: bool = False) -> dict[str, Any]:
        """Plain values for JSON.

        Args:
            evidence: also give what the vote uses: charset, log_posteriors (nested lists) and signature.
        """
        values: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "text": self.text,
            "confidence": self.confidence,
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
        }
        if evidence:
            values["charset"] = None if self.charset is None else list(self.charset)
            values["log_posteriors"] = None if self.log_posteriors is None else self.log_posteriors.tolist()
            values["signature"] = None if self.signature is None else self.signature.tolist()
        return values
