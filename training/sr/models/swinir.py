"""SwinIR (Liang et al., 2021), the large form: six groups of six layers, 180 features, windows of 8.

The names in the state dict are those of the published files; the tables that these hold beside the weights
(``relative_position_index``, ``attn_mask``) are not read: they are worked out here for each size of image.
What those files take are images less the mean colour of their training set; here nothing is taken off.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.sr.models.shuffle import shuffled
from training.sr.models.start import keep_signal

WIDTH = 180
HEADS = 6
WINDOW = 8
GROUPS = 6
LAYERS = 6
RATIO = 2  # hidden features of the feed-forward layers over WIDTH
HIDDEN = 64  # features while enlarging
MASKED = -100.0


def windows(x: Tensor) -> Tensor:
    """``[N, h, w, C]`` to ``[N * windows, WINDOW * WINDOW, C]``; h and w are multiples of WINDOW."""
    number, height, width, features = x.shape
    x = x.view(number, height // WINDOW, WINDOW, width // WINDOW, WINDOW, features)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, WINDOW * WINDOW, features)


def joined(x: Tensor, number: int, height: int, width: int) -> Tensor:
    """The reverse of ``windows``."""
    x = x.view(number, height // WINDOW, width // WINDOW, WINDOW, WINDOW, x.shape[-1])
    return x.permute(0, 1, 3, 2, 4, 5).reshape(number, height, width, x.shape[-1])


def shift_mask(x: Tensor) -> Tensor:
    """After a roll by half a window: 0 where two pixels of a window were neighbours, else ``MASKED``.

    ``x [N, h, w, C]``; the answer is ``[windows, WINDOW^2, WINDOW^2]``.
    """

    def zone(places: Tensor, size: int) -> Tensor:
        return (places >= size - WINDOW).to(x.dtype) + (places >= size - WINDOW // 2).to(x.dtype)

    height, width = x.shape[1], x.shape[2]
    rows = zone(torch.arange(height, device=x.device), height)
    columns = zone(torch.arange(width, device=x.device), width)
    zones = windows((rows[:, None] * 3 + columns[None, :])[None, :, :, None])[:, :, 0]
    return (zones[:, :, None] != zones[:, None, :]).to(x.dtype) * MASKED


def relative_index() -> Tensor:
    """Which row of the bias table two pixels of a window share: ``[WINDOW^2, WINDOW^2]``."""
    steps = torch.arange(WINDOW)
    places = torch.stack(torch.meshgrid(steps, steps, indexing="ij")).flatten(1)
    apart = places[:, :, None] - places[:, None, :] + (WINDOW - 1)
    return apart[0] * (2 * WINDOW - 1) + apart[1]


class Attention(nn.Module):
    """Self-attention within windows, with a learnt bias for each distance."""

    index: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.relative_position_bias_table = nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, HEADS))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        self.register_buffer("index", relative_index(), persistent=False)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """``x [B, WINDOW^2, WIDTH]``; ``mask [windows, WINDOW^2, WINDOW^2]``."""
        size = WINDOW * WINDOW
        query, key, value = (
            self.qkv(x).view(-1, size, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        )
        scores = (query * (WIDTH // HEADS) ** -0.5) @ key.transpose(-2, -1)
        bias = self.relative_position_bias_table[self.index.flatten()].view(size, size, HEADS)
        scores = scores + bias.permute(2, 0, 1)[None]
        if mask is not None:
            count = mask.shape[0]
            scores = (scores.view(-1, count, HEADS, size, size) + mask[None, :, None]).view(
                -1, HEADS, size, size
            )
        out: Tensor = self.proj((scores.softmax(-1) @ value).transpose(1, 2).reshape(-1, size, WIDTH))
        return out


class FeedForward(nn.Module):
    """Two linear layers around a GELU."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(WIDTH, RATIO * WIDTH), nn.Linear(RATIO * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(functional.gelu(self.fc1(x)))
        return out


class Layer(nn.Module):
    """Attention within windows, every other time within windows moved by half, and a feed-forward layer."""

    def __init__(self, shifted: bool) -> None:
        super().__init__()
        self.shift = WINDOW // 2 if shifted else 0
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn, self.mlp = Attention(), FeedForward()

    def forward(self, x: Tensor) -> Tensor:
        """``[N, h, w, WIDTH]`` to the same."""
        number, height, width, _ = x.shape
        inner, mask = self.norm1(x), None
        if self.shift:
            inner = torch.roll(inner, (-self.shift, -self.shift), (1, 2))
            mask = shift_mask(inner)
        inner = joined(self.attn(windows(inner), mask), number, height, width)
        if self.shift:
            inner = torch.roll(inner, (self.shift, self.shift), (1, 2))
        x = x + inner
        return torch.add(x, self.mlp(self.norm2(x)))


class _Group(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        # The published names have a module between the group and its layers.
        self.residual_group = nn.Module()
        self.residual_group.blocks = nn.ModuleList(Layer(bool(k % 2)) for k in range(LAYERS))
        self.conv = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        inner = x
        for layer in self.residual_group.get_submodule("blocks").children():
            inner = layer(inner)
        return torch.add(x, self.conv(inner.permute(0, 3, 1, 2)).permute(0, 2, 3, 1))


class SwinIR(nn.Module):
    """RGB: 11,752,487 parameters at x2, 11,900,199 at x4, 12,047,911 at x8."""

    def __init__(self, scale: int, channels: int) -> None:
        super().__init__()
        self.scale = scale
        self.conv_first = nn.Conv2d(channels, WIDTH, 3, padding=1)
        self.patch_embed = nn.ModuleDict({"norm": nn.LayerNorm(WIDTH)})
        self.layers = nn.Sequential(*(_Group() for _ in range(GROUPS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.conv_after_body = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.conv_before_upsample = nn.Sequential(nn.Conv2d(WIDTH, HIDDEN, 3, padding=1), nn.LeakyReLU())
        self.upsample = shuffled(HIDDEN, scale)
        self.conv_last = nn.Conv2d(HIDDEN, channels, 3, padding=1)
        keep_signal(self, rectified="conv_before_upsample", branches=r"layers|conv_after_body")

    def forward(self, images: Tensor) -> Tensor:
        height, width = images.shape[2], images.shape[3]
        # Windows need multiples of 8: the edge is repeated, and what was added cut off again.
        padded = functional.pad(images, (0, -width % WINDOW, 0, -height % WINDOW), mode="replicate")
        first = self.conv_first(padded)
        tokens = self.patch_embed["norm"](first.permute(0, 2, 3, 1))
        deep = self.norm(self.layers(tokens)).permute(0, 3, 1, 2)
        x = self.upsample(self.conv_before_upsample(first + self.conv_after_body(deep)))
        out: Tensor = self.conv_last(x)
        return out[:, :, : height * self.scale, : width * self.scale]
