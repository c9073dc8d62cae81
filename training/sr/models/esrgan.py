"""The generator of ESRGAN (Wang et al., 2018): 23 residual-in-residual dense blocks, 64 features, growth 32.

The names in the state dict are those of the published x4 files. Other scales have one more or one fewer
convolution after a nearest-neighbour enlargement by two.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 64
GROWTH = 32
BLOCKS = 23
RESIDUAL = 0.2


def _leaky(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, 0.2)


class DenseBlock(nn.Module):
    """Five convolutions, each of which sees all before it; a fifth of the last is added to the input."""

    def __init__(self) -> None:
        super().__init__()
        for k in range(1, 6):
            outputs = GROWTH if k < 5 else FEATURES
            self.add_module(f"conv{k}", nn.Conv2d(FEATURES + (k - 1) * GROWTH, outputs, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        seen = [x]
        for k in range(1, 5):
            seen.append(_leaky(self.get_submodule(f"conv{k}")(torch.cat(seen, 1))))
        return torch.add(x, self.get_submodule("conv5")(torch.cat(seen, 1)), alpha=RESIDUAL)


class ResidualInResidual(nn.Module):
    """Three dense blocks; a fifth of their answer is added to the input."""

    def __init__(self) -> None:
        super().__init__()
        self.rdb1, self.rdb2, self.rdb3 = DenseBlock(), DenseBlock(), DenseBlock()

    def forward(self, x: Tensor) -> Tensor:
        return torch.add(x, self.rdb3(self.rdb2(self.rdb1(x))), alpha=RESIDUAL)


class Rrdb(nn.Module):
    """16,697,987 parameters at x4 RGB, 16,734,915 at x8."""

    def __init__(self, scale: int, channels: int) -> None:
        super().__init__()
        self.stages = round(math.log2(scale))
        self.conv_first = nn.Conv2d(channels, FEATURES, 3, padding=1)
        self.body = nn.Sequential(*(ResidualInResidual() for _ in range(BLOCKS)))
        self.conv_body = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)
        for k in range(1, self.stages + 1):
            self.add_module(f"conv_up{k}", nn.Conv2d(FEATURES, FEATURES, 3, padding=1))
        self.conv_hr = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)
        self.conv_last = nn.Conv2d(FEATURES, channels, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        first = self.conv_first(images)
        x = first + self.conv_body(self.body(first))
        for k in range(1, self.stages + 1):
            larger = functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = _leaky(self.get_submodule(f"conv_up{k}")(larger))
        out: Tensor = self.conv_last(_leaky(self.conv_hr(x)))
        return out
