"""The networks by name: ``[N, C, h, w]`` in 0-1 to ``[N, C, s h, s w]``, not clamped; C: 1 (gray), 3 (RGB).

The published networks keep the names that their weights have in public files.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from training.sr.models.bicubic import Bicubic
from training.sr.models.compact import compact_1m, compact_42k
from training.sr.models.espcn import Espcn
from training.sr.models.esrgan import Rrdb
from training.sr.models.lpsr import Lpsr
from training.sr.models.msrn import Msrn
from training.sr.models.srcnn import Srcnn
from training.sr.models.swinir import SwinIR
from training.sr.models.tbsrn import Tbsrn

SCALES = (2, 4, 8)
CHANNELS = (1, 3)

ARCHITECTURES: dict[str, Callable[[int, int], nn.Module]] = {
    "bicubic": Bicubic,
    "compact_42k": compact_42k,
    "compact_1m": compact_1m,
    "lpsr": Lpsr,
    "srcnn": Srcnn,
    "espcn": Espcn,
    "msrn": Msrn,
    "esrgan": Rrdb,
    "tbsrn": Tbsrn,
    "swinir": SwinIR,
}


def build_model(arch: str, scale: int, channels: int = 1) -> nn.Module:
    """A fresh network that enlarges ``scale`` times.

    Raises:
        ValueError: ``arch``, ``scale`` or ``channels`` is not one of the known ones.
    """
    if arch not in ARCHITECTURES:
        raise ValueError(f"arch: expected one of {', '.join(ARCHITECTURES)}, got {arch!r}")
    if scale not in SCALES:
        raise ValueError(f"scale: expected 2, 4 or 8, got {scale}")
    if channels not in CHANNELS:
        raise ValueError(f"channels: expected 1 (gray) or 3 (RGB), got {channels}")
    return ARCHITECTURES[arch](scale, channels)
