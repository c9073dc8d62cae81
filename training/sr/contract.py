"""What an SR model file says of itself, in its ONNX metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CONTRACT_VERSION = 3
MEAN = 0.0
PIXEL_SCALE = 1 / 255


def sr_metadata(
    name: str, scale: int, channels: int, precision: str, training: Mapping[str, Any]
) -> dict[str, str]:
    """The keys of an SR model: input ``(value - mean) * pixel_scale`` with values in 0-255, RGB or gray."""
    return {
        "contract_version": str(CONTRACT_VERSION),
        "task": "sr",
        "name": name,
        "scale": str(scale),
        "channels": str(channels),
        "mean": repr(MEAN),
        "pixel_scale": repr(PIXEL_SCALE),
        "precision": precision,
        "training": json.dumps(dict(training), ensure_ascii=False, sort_keys=True),
    }
