"""SRVGGNetCompact (Wang et al., Real-ESRGAN, 2021): convolutions at low resolution, then a pixel shuffle.

What the convolutions draw is added to the enlarged nearest neighbour, so a network that answers zero is
nearest-neighbour enlargement. Only Conv, activation, pixel shuffle and Resize: edge parts run all of it.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

SLOPE = 0.25  # of PReLU at its start; LeakyReLU's 0.1 makes no difference here
LAST = 0.1  # so that a new network is nearly nearest-neighbour enlargement
NOISE = 0.1  # on layers that start by passing on what they get


class Compact(nn.Module):
    """``convs + 2`` convolutions 3x3; every one but the last is followed by ``activation()``.

    The names in the state dict, ``body.0.weight`` and so on, are those of the published files. Layers in
    the middle start as the identity with a little noise (Zagoruyko and Komodakis, DiracNets, 2017). Of 34
    layers without a shortcut torch's own start answers nothing at all, and that of He et al. a mean over
    some thirty pixels across: neither learnt anything in 500 steps.
    """

    def __init__(
        self, scale: int, channels: int, features: int, convs: int, activation: Callable[[], nn.Module]
    ) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [_convolution(channels, features), activation()]
        for _ in range(convs):
            layers += [_passing(features), activation()]
        self.body = nn.Sequential(*layers, _convolution(features, channels * scale**2, LAST))

    def forward(self, images: Tensor) -> Tensor:
        drawn = functional.pixel_shuffle(self.body(images), self.scale)
        nearest = functional.interpolate(images, scale_factor=float(self.scale), mode="nearest")
        return torch.add(drawn, nearest)


def _convolution(inputs: int, outputs: int, gain: float = 1.0) -> nn.Conv2d:
    made = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.kaiming_normal_(made.weight, SLOPE)
    with torch.no_grad():
        made.weight.mul_(gain)
    return made


def _passing(features: int) -> nn.Conv2d:
    made = _convolution(features, features, NOISE)
    with torch.no_grad():
        made.weight.add_(nn.init.dirac_(torch.empty_like(made.weight)))
    return made


def compact_42k(scale: int, channels: int) -> Compact:
    """41,936 parameters at x4 gray: 32 features, four convolutions between the first and the last."""
    return Compact(scale, channels, 32, 4, lambda: nn.LeakyReLU(0.1))


def compact_1m(scale: int, channels: int) -> Compact:
    """1,213,296 parameters at x4 RGB: the network of the published file realesr-general-x4v3."""
    return Compact(scale, channels, 64, 32, lambda: nn.PReLU(64))
