"""What a confidence is fitted on: the features of reads that gave a text, and whether the text is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lprfast import PlateRead
from lprfast.evaluation import normalize
from lprfast.model import CALIBRATION_FEATURES
from training.ocr.logistic import Array

PROOFS = 64  # crops

# As in csrc/pipeline/calibrate.cpp; the file that is written is compared with them.
_LEAST_PROBABILITY, _SHARPNESS_FLOOR, _CONTRAST_FLOOR, _WIDTHS = 1e-6, 10.0, 5.0, (16, 400)


@dataclass
class Examples:
    """Reads that gave a text; of each only what is fitted on, since posteriors of many would fill the memory.

    Attributes:
        rows: of each read all ``CALIBRATION_FEATURES``, in their order.
        raw: its confidence before calibration, 0-1.
        right: whether its text is right.
        proofs: the first ``PROOFS`` of the crops, uint8 [h, w] or [h, w, 3], to try the written file on.
    """

    rows: list[tuple[float, ...]] = field(default_factory=list)
    raw: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)
    proofs: list[NDArray[np.uint8]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, read: PlateRead, target: str) -> bool:
        """Takes a read whose status is ``ok``; ``target`` is "" where nothing should have been read.

        Returns:
            Whether it was taken and its crop is wanted in ``proofs``.
        """
        if read.status != "ok":
            return False
        self.rows.append(read_features(read, CALIBRATION_FEATURES))
        self.raw.append(read.raw_confidence or 0.0)
        self.right.append(target != "" and normalize(read.text) == normalize(target))
        return len(self.proofs) < PROOFS

    def values(self, features: Sequence[str]) -> Array:
        """Those features of all reads, ``[N, F]``."""
        columns = [CALIBRATION_FEATURES.index(name) for name in features]
        return np.array(self.rows, np.float64).reshape(-1, len(CALIBRATION_FEATURES))[:, columns]

    def targets(self) -> Array:
        """``[N]``, 1 where the text is right, else 0."""
        return np.array(self.right, np.float64)


def read_features(read: PlateRead, features: Sequence[str]) -> tuple[float, ...]:
    """As the reader computes them from an uncalibrated read of status ``ok``."""
    return tuple(_feature(name, read) for name in features)


def _feature(name: str, read: PlateRead) -> float:
    values = {
        "logit_confidence": lambda: _logit(read.raw_confidence or 0.0),
        "logit_min_character": lambda: _logit(min(read.char_confidences)),
        "log_width": lambda: math.log(min(max(read.width, _WIDTHS[0]), _WIDTHS[1])),
        "log_sharpness": lambda: math.log(read.quality.sharpness + _SHARPNESS_FLOOR),
        "log_contrast": lambda: math.log(read.quality.contrast + _CONTRAST_FLOOR),
        "length": lambda: float(len(read.text)),
    }
    return values[name]()


def _logit(probability: float) -> float:
    held = min(max(probability, _LEAST_PROBABILITY), 1 - _LEAST_PROBABILITY)
    return math.log(held / (1 - held))
