"""The reader's networks: gray ``[N, 1, h, w]`` in, CTC log-posteriors ``[N, T, K]`` out, blank first.

What is read is halved in width twice and no more: the 32 steps of 128 pixels leave room for ten symbols and
their blanks. The convolution before the head takes whatever height is left. A network with a locator takes
the crop at twice the size of what it cuts out and reads, and answers the corners of that too.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.ocr.align import Aligned

INPUT_HEIGHT = 32
INPUT_WIDTH = 128
STEPS = INPUT_WIDTH // 4  # of every network at its own input size


def conv_bn(
    inputs: int,
    outputs: int,
    kernel: int | tuple[int, int] = 3,
    stride: int | tuple[int, int] = 1,
    padding: int | tuple[int, int] = 1,
) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """``relu(x + body(x))``: the body keeps the shape."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.body(x)
        return torch.relu(x + out)


def residual(channels: int) -> Residual:
    """Two 3x3 convolutions around a shortcut."""
    return Residual(
        nn.Sequential(
            conv_bn(channels, channels),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )
    )


def along_width(channels: int) -> Residual:
    """One 1x5 convolution around a shortcut: lets a symbol see its neighbours."""
    return Residual(
        nn.Sequential(
            nn.Conv2d(channels, channels, (1, 5), padding=(0, 2), bias=False),
            nn.BatchNorm2d(channels),
        )
    )


class LstmHead(nn.Module):
    """``[N, C, 1, T]`` through one bidirectional LSTM to log-posteriors ``[N, T, K]``."""

    def __init__(self, channels: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(channels, hidden, bidirectional=True)
        self.classify = nn.Linear(2 * hidden, classes)

    def forward(self, x: Tensor) -> Tensor:
        # Not squeeze: exported, it would ask at every run whether there is one row.
        sequence = x[:, :, 0].permute(2, 0, 1)
        out: Tensor = self.classify(self.lstm(sequence)[0])
        return out.float().log_softmax(-1).transpose(0, 1)


class ConvHead(nn.Module):
    """``[N, C, 1, T]`` to log-posteriors ``[N, T, K]`` by one 1x1 convolution."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.classify = nn.Conv2d(channels, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classify(x)
        return out[:, :, 0].transpose(1, 2).float().log_softmax(-1)


def crnn(classes: int, height: int = INPUT_HEIGHT) -> nn.Module:
    """The reference CRNN: 1,092,677 parameters at 37 classes."""
    return nn.Sequential(
        conv_bn(1, 32),
        nn.MaxPool2d(2),
        conv_bn(32, 64),
        nn.MaxPool2d(2),
        conv_bn(64, 128),
        conv_bn(128, 128),
        nn.MaxPool2d((2, 1)),
        conv_bn(128, 192),
        nn.MaxPool2d((2, 1)),
        conv_bn(192, 224, (height // 16, 3), 1, (0, 1)),
        LstmHead(224, 128, classes),
    )


def slim(classes: int, height: int = INPUT_HEIGHT) -> nn.Module:
    """A narrow CRNN: two thirds of the parameters and less than half the work of ``crnn``."""
    return nn.Sequential(
        conv_bn(1, 16),
        conv_bn(16, 32, 3, 2),
        conv_bn(32, 32),
        conv_bn(32, 64, 3, 2),
        residual(64),
        conv_bn(64, 128, 3, (2, 1)),
        conv_bn(128, 128, 3, (2, 1)),
        conv_bn(128, 192, (height // 16, 1), 1, 0),
        LstmHead(192, 128, classes),
    )


def swift(classes: int, height: int = INPUT_HEIGHT) -> nn.Module:
    """A strided stem instead of layers at full size: as fast as ``slim``, with twice the work at 4 rows."""
    return nn.Sequential(
        conv_bn(1, 32, 5, 2, 2),
        conv_bn(32, 64, 3, 2),
        residual(64),
        conv_bn(64, 128, 3, (2, 1)),
        residual(128),
        conv_bn(128, 192, 3, (2, 1)),
        conv_bn(192, 192, (height // 16, 1), 1, 0),
        LstmHead(192, 128, classes),
    )


def locator(height: int) -> nn.Sequential:
    """Where the text is: ``[N, 1, height, 4 height]`` to the four corners of its line, ``[N, 8]``."""
    last = nn.Linear(48, 8)
    # Starts where most lines are, so that the first reads see something.
    nn.init.normal_(last.weight, std=0.01)
    last.bias.data = torch.tensor([0.08, 0.25, 0.92, 0.25, 0.92, 0.75, 0.08, 0.75])
    return nn.Sequential(
        conv_bn(1, 16, 3, 2),
        conv_bn(16, 32, 3, 2),
        conv_bn(32, 48, 3, 2),
        conv_bn(48, 64, 3, (1, 2)),
        nn.Flatten(),
        nn.Linear(64 * (height // 8) * (height // 4), 48),
        nn.ReLU(inplace=True),
        last,
    )


def aligned(classes: int, height: int = 2 * INPUT_HEIGHT) -> nn.Module:
    """``swift`` behind a locator: sees the crop at twice the size and reads the line it finds there."""
    half = height // 2
    return Aligned(locator(half), swift(classes, half), half, 4 * half)


def aligned_slim(classes: int, height: int = 2 * INPUT_HEIGHT) -> nn.Module:
    """``aligned`` with half the work: what is read has been made level, so less net does."""
    half = height // 2
    return Aligned(locator(half), slim_reader(classes, half), half, 4 * half)


def aligned_tall(classes: int, height: int = 2 * INPUT_HEIGHT) -> nn.Module:
    """``aligned_slim`` that cuts the line out half as tall again, in whole multiples of 16 rows: 48 x 128."""
    half = height // 2
    rows = -(-half * 3 // 32) * 16
    return Aligned(locator(half), slim_reader(classes, rows), half, 4 * half, rows)


def aligned_conv(classes: int, height: int = 2 * INPUT_HEIGHT) -> nn.Module:
    """``conv`` behind a locator."""
    half = height // 2
    return Aligned(locator(half), conv(classes, half), half, 4 * half)


def slim_reader(classes: int, height: int) -> nn.Module:
    """What ``aligned_slim`` reads a levelled line with: ``swift`` with half the work."""
    return nn.Sequential(
        conv_bn(1, 32, 5, 2, 2),
        conv_bn(32, 64, 3, 2),
        residual(64),
        conv_bn(64, 128, 3, (2, 1)),
        conv_bn(128, 128, 3, (2, 1)),
        conv_bn(128, 128, (height // 16, 1), 1, 0),
        LstmHead(128, 96, classes),
    )


def conv(classes: int, height: int = INPUT_HEIGHT) -> nn.Module:
    """Convolutions only, strides instead of pooling: plain to quantise and to run on an NPU."""
    return nn.Sequential(
        conv_bn(1, 32, 3, 2),
        conv_bn(32, 64, 3, 2),
        residual(64),
        conv_bn(64, 128, 3, (2, 1)),
        residual(128),
        conv_bn(128, 160, (height // 8, 1), 1, 0),
        along_width(160),
        along_width(160),
        along_width(160),
        ConvHead(160, classes),
    )


ARCHITECTURES = {
    "crnn": crnn,
    "slim": slim,
    "swift": swift,
    "aligned": aligned,
    "aligned_slim": aligned_slim,
    "aligned_tall": aligned_tall,
    "aligned_conv": aligned_conv,
    "conv": conv,
}


def has_locator(arch: str) -> bool:
    """Whether a network finds the line of text first: it takes the crop at twice the size that it reads."""
    return arch.startswith("aligned")


def default_input(arch: str) -> tuple[int, int]:
    """Height and width of the input, in pixels, unless a run chooses another."""
    scale = 2 if has_locator(arch) else 1
    return scale * INPUT_HEIGHT, scale * INPUT_WIDTH


def time_steps(arch: str, size: tuple[int, int]) -> int:
    """CTC time steps that a network answers for an input of (height, width) pixels."""
    return size[1] // (8 if has_locator(arch) else 4)


def build_model(arch: str, classes: int, height: int | None = None) -> nn.Module:
    """Makes a fresh network with ``classes`` outputs, the blank included, for images of ``height`` pixels.

    Raises:
        ValueError: ``arch`` is not known, ``classes`` is under 2, or ``height`` is no
            multiple of 16, with a locator of 32.
    """
    if arch not in ARCHITECTURES:
        raise ValueError(f"arch: expected one of {', '.join(ARCHITECTURES)}, got {arch!r}")
    if classes < 2:
        raise ValueError(f"classes: expected the blank and at least one symbol, got {classes}")
    height = default_input(arch)[0] if height is None else height
    step = default_input(arch)[0] // 2
    if height < step or height % step:
        raise ValueError(f"height: expected a multiple of {step}, got {height}")
    return ARCHITECTURES[arch](classes, height)


def parameter_count(model: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(parameter.numel() for parameter in model.parameters())
