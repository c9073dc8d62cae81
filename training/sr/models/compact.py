"""SRVGGNetCompact (Wang et al., Real-ESRGAN, 2021): convolutions at low resolution, then a pixel shuffle.

What the convolutions draw is added to the enlarged nearest neighbour, so a network that answers zero is
nearest-neighbour enlargement. Only Conv, activation, pixel shuffle and Resize: edge parts run all of it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional


class Compact(nn.Module):
    """``convs + 2`` convolutions 3x3; every one but the last is followed by ``activation()``.

    The names in the state dict, ``body.0.weight`` and so on, are those of the published files.
    """

    def __init__(
        self, scale: int, channels: int, features: int, convs: int, activation: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [nn.Conv2d(channels, features, 3, padding=1), activation()]
        for _ in range(convs):
            layers += [nn.Conv2d(features, features, 3, padding=1), activation()]
        self.body = nn.Sequential(*layers, nn.Conv2d(features, channels * scale**2, 3, padding=1))

    def forward(self, images: Tensor) -> Tensor:
        drawn = functional.pixel_shuffle(self.body(images), self.scale)
        nearest = functional.interpolate(images, scale_factor=float(self.scale), mode="nearest")
        return torch.add(drawn, nearest)


def compact_42k(scale: int, channels: int) -> Compact:
    """41,936 parameters at x4 gray: 32 features, four convolutions between the first and the last."""
    return Compact(scale, channels, 32, 4, lambda: nn.LeakyReLU(0.1))


def compact_1m(scale: int, channels: int) -> Compact:
    """1,213,296 parameters at x4 RGB: the network of the published file realesr-general-x4v3."""
    return Compact(scale, channels, 64, 32, lambda: nn.PReLU(64))
