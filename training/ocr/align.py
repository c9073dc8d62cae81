"""Reading behind a locator: find the line of text in the crop, cut it out level, read that.

A detector's box is loose, tilted, or holds a header and a frame: a reader that sees the whole box spends its
32 rows on what is no text. The locator is shown where the text is (synthetic plates know it), unlike a
spatial transformer (Jaderberg et al., 2015) that has to guess it from the reader's loss.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

# Shares of the line's width and height that are seen around it: room for the locator's errors.
MARGINS = (0.08, 0.15)
CORNER_WEIGHT = 5.0
CORNER_BETA = 0.02  # of the crop's side; larger errors count linearly


class Aligned(nn.Module):
    """A reader of lines behind a locator.

    Takes ``[N, 1, 2h, 2w]``; answers the reader's ``[N, T, K]`` and the corners of the line, ``[N, 4, 2]``
    from the top left clockwise, as shares of the crop's width and height.
    """

    weights: Tensor

    def __init__(
        self, locate: nn.Sequential, read: nn.Module, height: int, width: int, rows: int | None = None
    ) -> None:
        """``rows``: height of what is cut out and read, ``h`` unless given."""
        super().__init__()
        self.locate = locate
        self.read = read
        self.source = (2 * height, 2 * width)
        self.size = (rows or height, width)
        self.register_buffer("weights", _corner_weights(*self.size), persistent=False)

    def forward(self, images: Tensor, hints: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``hints [N, 4, 2]``: corners to read at, in place of the located ones where they are not NaN."""
        corners = self._located(functional.avg_pool2d(images, 2))
        used = corners.detach()
        if hints is not None:
            used = torch.where(hints.isnan(), used, hints)
        return self.read(self.cut_out(images, used)), corners

    def _located(self, images: Tensor) -> Tensor:
        *features, last = self.locate
        for layer in features:
            images = layer(images)
        # bfloat16 has 8 bits: a corner would be off by up to a pixel.
        with torch.autocast(images.device.type, enabled=False):
            corners: Tensor = last(images.float())
        return corners.view(-1, 4, 2)

    def cut_out(self, images: Tensor, corners: Tensor) -> Tensor:
        """The quadrilateral and its margins as a rectangle ``[N, 1, h, w]``, bilinear, the border repeated.

        Four gathers instead of ``grid_sample``, which ONNX Runtime takes three times as long for.
        """
        tall, wide = self.source
        with torch.autocast(images.device.type, enabled=False):
            x, left = self._positions(corners[:, :, 0].float(), wide)
            y, top = self._positions(corners[:, :, 1].float(), tall)
            pixels, at = images.float().flatten(1), (top * wide + left).long()
            upper = _between(pixels.gather(1, at), pixels.gather(1, at + 1), x - left)
            lower = _between(pixels.gather(1, at + wide), pixels.gather(1, at + (wide + 1)), x - left)
            return _between(upper, lower, y - top).view(-1, 1, *self.size)

    def _positions(self, corners: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Where the points ``[N, h * w]`` lie on one axis in pixels, and the pixel before each that has a
        next one."""
        points = torch.matmul(corners * size - 0.5, self.weights).clamp(0, size - 1)
        return points, points.floor().clamp(max=size - 2)


class TextOnly(nn.Module):
    """A network without its corners: what is exported."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Log-posteriors ``[N, T, K]``."""
        return answers_of(self.model(images))[0]


def answers_of(output: Tensor | tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor | None]:
    """Log-posteriors and, from a network with a locator, corners."""
    return output if isinstance(output, tuple) else (output, None)


def corner_loss(found: Tensor, truth: Tensor) -> Tensor:
    """Smooth L1 over the corners that are known, ``truth [N, 4, 2]`` being NaN elsewhere; 0 if none is."""
    known = ~truth.isnan()
    target = torch.where(known, truth, found.detach())
    loss = functional.smooth_l1_loss(found, target, beta=CORNER_BETA, reduction="sum")
    return CORNER_WEIGHT * loss / known.sum().clamp(min=1)


def _between(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    return first + (second - first) * share


def _corner_weights(height: int, width: int) -> Tensor:
    """Share of each corner in each point of the cut, ``[4, h * w]``: bilinear, margins outside 0-1."""
    across = _shares(width, MARGINS[0])[None, :].expand(height, -1)
    down = _shares(height, MARGINS[1])[:, None].expand(-1, width)
    parts = [(1 - across) * (1 - down), across * (1 - down), across * down, (1 - across) * down]
    return torch.stack(parts).reshape(4, height * width)


def _shares(count: int, margin: float) -> Tensor:
    return (torch.arange(count) + 0.5) / count * (1 + 2 * margin) - margin
