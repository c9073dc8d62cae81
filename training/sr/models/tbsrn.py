"""TBSRN (Chen et al., Scene Text Telescope, 2021): residual blocks with self-attention over all pixels.

As published, less what cannot serve here: the rectifier in front (what is rectified is no longer registered
with its input), recurrent layers that the published code builds and never
runs, and a position map of 16 x 64 that allows no other size: the same map is made for any size. What the
published code keeps are 3.51 M parameters at x8, these 1.42 M; the 12 M of the plate paper's table are not
explained by either.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 64
WIDTH = 2 * FEATURES  # what is found at a pixel, and where the pixel is
HEADS = 4
BLOCKS = 5


def positions(height: Tensor | int, width: Tensor | int, like: Tensor) -> Tensor:
    """Where each pixel is: ``[FEATURES, h, w]``, half of the channels for its column, half for its row.

    Sine and cosine of the coordinate over 10000^(2k / (FEATURES / 2)) alternate.
    """
    half = FEATURES // 2
    rates = torch.exp(torch.arange(0, half, 2, device=like.device) * (-math.log(10000.0) / half))

    def along(count: Tensor | int) -> Tensor:
        angles = torch.arange(count, device=like.device)[None, :] * rates[:, None]  # type: ignore[arg-type]
        return torch.stack([angles.sin(), angles.cos()], 1).flatten(0, 1).to(like.dtype)

    across = along(width)[:, None, :] + torch.zeros_like(like[0, :1, :, :1])
    down = along(height)[:, :, None] + torch.zeros_like(like[0, :1, :1, :])
    return torch.cat([across, down])


class Enhancer(nn.Module):
    """Attention over all pixels and a feed-forward layer, ``[N, FEATURES, h, w]`` to the same."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))
        self.join = nn.Linear(WIDTH, WIDTH)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH, eps=1e-6), nn.LayerNorm(WIDTH, eps=1e-6)
        self.forward1, self.forward2 = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, FEATURES)

    def forward(self, x: Tensor) -> Tensor:
        number, _, height, width = x.shape
        where = positions(height, width, x)[None].expand(number, -1, -1, -1)
        tokens = torch.cat([x, where], 1).flatten(2).transpose(1, 2)
        tokens = self.norm1(tokens + self._attended(tokens))
        tokens = self.norm2(tokens + self.forward2(torch.relu(self.forward1(tokens))))
        return self.last(tokens).transpose(1, 2).reshape(number, FEATURES, height, width)  # type: ignore[no-any-return]

    def _attended(self, tokens: Tensor) -> Tensor:
        number, count, _ = tokens.shape

        def heads(layer: nn.Module) -> Tensor:
            out: Tensor = layer(tokens).view(number, count, HEADS, WIDTH // HEADS).transpose(1, 2)
            return out

        seen = functional.scaled_dot_product_attention(heads(self.query), heads(self.key), heads(self.value))
        out: Tensor = self.join(seen.transpose(1, 2).reshape(number, count, WIDTH))
        return out


class ResidualBlock(nn.Module):
    """Two convolutions and the enhancer around a shortcut."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(FEATURES)
        self.conv2 = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(FEATURES)
        self.enhance = Enhancer()

    def forward(self, x: Tensor) -> Tensor:
        inner = self.bn2(self.conv2(functional.mish(self.bn1(self.conv1(x)))))
        return torch.add(x, self.enhance(inner))


class Tbsrn(nn.Module):
    """1,421,124 parameters at x8 RGB, 1,125,700 at x2; attention costs the square of the number of pixels."""

    def __init__(self, scale: int, channels: int) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(channels, FEATURES, 9, padding=4), nn.PReLU())
        self.body = nn.Sequential(*(ResidualBlock() for _ in range(BLOCKS)))
        self.conv_body = nn.Conv2d(FEATURES, FEATURES, 3, padding=1)
        self.bn_body = nn.BatchNorm2d(FEATURES)
        layers: list[nn.Module] = []
        for _ in range(round(math.log2(scale))):
            layers += [nn.Conv2d(FEATURES, 4 * FEATURES, 3, padding=1), nn.PixelShuffle(2), nn.Mish()]
        self.tail = nn.Sequential(*layers, nn.Conv2d(FEATURES, channels, 9, padding=4))

    def forward(self, images: Tensor) -> Tensor:
        first = self.head(images)
        x = first + self.bn_body(self.conv_body(self.body(first)))
        # The published network ends in tanh over colours of -1 to 1; over 0 to 1 nothing has to be bent.
        out: Tensor = self.tail(x)
        return out
