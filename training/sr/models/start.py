"""A start for convolutions that passes a signal on at its size.

Normal weights of variance gain^2 / fan-in, with a gain of sqrt(2) before a rectifier (He et al., 2015), and
no bias. torch's own start divides the deviation by sqrt(3) at every layer, by sqrt(6) with a rectifier: of
LPSR's input a thousandth reaches its output, and after 2,000 steps at x8 it still answered gray
(docs/results.md).
"""

from __future__ import annotations

import math
import re

import torch
from torch import nn

BRANCH = 0.1  # of what is added to a shortcut, so that the sum of many does not grow


@torch.no_grad()
def keep_signal(model: nn.Module, rectified: str = "", branches: str = "") -> None:
    """Draws the weights of every convolution of ``model`` anew, in place; other layers are left alone.

    Args:
        model: the network.
        rectified: expression that finds the names of the convolutions that a rectifier follows; "": none.
        branches: of those whose answer is added to a shortcut; "": none.
    """
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            gain = math.sqrt(2) if rectified and re.search(rectified, name) else 1.0
            if branches and re.search(branches, name):
                gain *= BRANCH
            nn.init.normal_(layer.weight, std=gain / math.sqrt(_fan_in(layer)))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _fan_in(layer: nn.Conv2d | nn.ConvTranspose2d) -> float:
    """Products that are added up to one value; a transposed convolution's stride shares its kernel out."""
    products = layer.in_channels // layer.groups * math.prod(layer.kernel_size)
    return products / math.prod(layer.stride) if isinstance(layer, nn.ConvTranspose2d) else products
