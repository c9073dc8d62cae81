"""SRCNN (Dong et al., 2014), the form 9-5-5 with 64 and 32 features, on a bicubic enlargement."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.sr.models.bicubic import enlarged
from training.sr.models.start import keep_signal


class Srcnn(nn.Module):
    """57,281 parameters in gray, 69,251 in RGB, at any scale."""

    def __init__(self, scale: int, channels: int) -> None:
        super().__init__()
        self.scale = scale
        self.conv1 = nn.Conv2d(channels, 64, 9, padding=4)
        self.conv2 = nn.Conv2d(64, 32, 5, padding=2)
        self.conv3 = nn.Conv2d(32, channels, 5, padding=2)
        keep_signal(self, rectified=r"conv[12]")

    def forward(self, images: Tensor) -> Tensor:
        x = torch.relu(self.conv1(enlarged(images, self.scale)))
        out: Tensor = self.conv3(torch.relu(self.conv2(x)))
        return out
