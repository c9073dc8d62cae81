"""Enlargement by convolutions and pixel shuffles, two times each, as MSRN and SwinIR share it."""

from __future__ import annotations

import math

from torch import nn


def shuffled(features: int, scale: int) -> nn.Sequential:
    """log2(scale) stages of a convolution to four times the features and a pixel shuffle by two."""
    layers: list[nn.Module] = []
    for _ in range(round(math.log2(scale))):
        layers += [nn.Conv2d(features, 4 * features, 3, padding=1), nn.PixelShuffle(2)]
    return nn.Sequential(*layers)
