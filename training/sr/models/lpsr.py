"""The plate network of Sendjasni and Larabi (arXiv 2501.01483), by its text where text and code differ.

The authors' released code is another network (30 dense blocks, 7.2 M parameters at x4). The text leaves open
what a block holds; three convolutions and the scalar alpha, 0.2 at the start, are taken from that code and
give the 2 M parameters that the paper states. Equation numbers are the paper's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from training.sr.models.start import keep_signal

FEATURES = 64
BLOCKS = 8
CONVS = 3
REDUCTION = 16
ALPHA = 0.2


class DenseBlock(nn.Module):
    """``x + alpha * last``: each convolution sees all that came before it in the block (eq. 6, 7)."""

    def __init__(self, features: int, convs: int) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Conv2d(features * (k + 1), features, 3, padding=1) for k in range(convs)
        )
        self.alpha = nn.Parameter(torch.tensor(ALPHA))

    def forward(self, x: Tensor) -> Tensor:
        seen = [x]
        for conv in self.convs:
            seen.append(torch.relu(conv(torch.cat(seen, 1))))
        return x + self.alpha * seen[-1]


class ChannelAttention(nn.Module):
    """Each channel times a share that the means of all channels decide (eq. 8-11)."""

    def __init__(self, features: int, reduction: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(features, features // reduction, 1)
        self.excite = nn.Conv2d(features // reduction, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        means = x.mean((2, 3), keepdim=True)
        return x * torch.sigmoid(self.excite(torch.relu(self.squeeze(means))))


class Lpsr(nn.Module):
    """1,971,919 parameters at x8 RGB, 1,969,613 gray, 1,906,319 at x4 RGB."""

    def __init__(self, scale: int, channels: int) -> None:
        super().__init__()
        self.head = nn.Conv2d(channels, FEATURES, 3, padding=1)  # eq. 5
        self.blocks = nn.Sequential(*(DenseBlock(FEATURES, CONVS) for _ in range(BLOCKS)))
        self.attention = ChannelAttention(FEATURES, REDUCTION)
        # A kernel that the stride divides puts as many weights on every pixel: no chequers (eq. 12).
        stages = ((nn.ConvTranspose2d(FEATURES, FEATURES, 4, 2, 1), nn.ReLU()) for _ in range(_log2(scale)))
        self.enlarge = nn.Sequential(*(layer for stage in stages for layer in stage))
        self.tail = nn.Conv2d(FEATURES, channels, 3, padding=1)  # eq. 13
        keep_signal(self, rectified=r"convs|squeeze|enlarge")

    def forward(self, images: Tensor) -> Tensor:
        out: Tensor = self.tail(self.enlarge(self.attention(self.blocks(self.head(images)))))
        return out


def _log2(scale: int) -> int:
    return round(math.log2(scale))
