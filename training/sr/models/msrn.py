"""MSRN (Li et al., 2018): eight blocks that see the image through kernels of 3 and of 5 side by side."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.sr.models.shuffle import shuffled
from training.sr.models.start import keep_signal

FEATURES = 64
BLOCKS = 8


class MultiScaleBlock(nn.Module):
    """Two rounds of a 3x3 and a 5x5 path that exchange what they found, fused and added to the input."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.conv_3_1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv_3_2 = nn.Conv2d(2 * features, 2 * features, 3, padding=1)
        self.conv_5_1 = nn.Conv2d(features, features, 5, padding=2)
        self.conv_5_2 = nn.Conv2d(2 * features, 2 * features, 5, padding=2)
        self.confusion = nn.Conv2d(4 * features, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = torch.cat([torch.relu(self.conv_3_1(x)), torch.relu(self.conv_5_1(x))], 1)
        second = torch.cat([torch.relu(self.conv_3_2(first)), torch.relu(self.conv_5_2(first))], 1)
        return torch.add(x, self.confusion(second))


class Msrn(nn.Module):
    """RGB: 5,930,307 parameters at x2, 6,078,019 at x4, 6,225,731 at x8."""

    def __init__(self, scale: int, channels: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(channels, FEATURES, 3, padding=1)
        self.body = nn.ModuleList(MultiScaleBlock(FEATURES) for _ in range(BLOCKS))
        self.tail = nn.Sequential(
            nn.Conv2d(FEATURES * (BLOCKS + 1), FEATURES, 1),
            nn.Conv2d(FEATURES, FEATURES, 3, padding=1),
            shuffled(FEATURES, scale),
            nn.Conv2d(FEATURES, channels, 3, padding=1),
        )
        keep_signal(self, rectified=r"conv_[35]_", branches="confusion")

    def forward(self, images: Tensor) -> Tensor:
        found = [self.head(images)]
        for block in self.body:
            found.append(block(found[-1]))
        out: Tensor = self.tail(torch.cat(found, 1))
        return out
