"""What every loss takes and answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_GRADIENT = 1e-8  # a shorter one is that of a batch that nobody can read


class Batch(NamedTuple):
    """``low`` float32 0-1 ``[N, C, h, w]``, ``high [N, C, s h, s w]``, the texts ("" where unknown), and
    ``sizes`` int64 ``[N, 2]``: height and width of each ``high`` before it was padded to the batch's."""

    low: Tensor
    high: Tensor
    texts: list[str]
    sizes: Tensor


class SrLoss(nn.Module):
    """A loss of enlarged images. ``parts`` holds the last value of each term, for the log."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, float] = {}

    def forward(self, upscaled: Tensor, batch: Batch) -> Tensor:
        """The loss to descend, a scalar."""
        raise NotImplementedError

    def trained(self) -> Iterable[nn.Parameter]:
        """What the loss learns together with the network, at the network's rate."""
        return ()

    def learnt_weights(self) -> Iterable[nn.Parameter]:
        """The weights of its terms where it learns them together with the network, at a rate of their own."""
        return ()

    def learn(self, upscaled: Tensor, batch: Batch) -> None:
        """Called after each step of the network, ``upscaled`` detached: what the loss learns for itself."""

    def note(self, **terms: Tensor | float) -> None:
        """Keeps values for the log."""
        self.parts = {
            name: float(value.detach() if isinstance(value, Tensor) else value)
            for name, value in terms.items()
        }


class PixelLoss(SrLoss):
    """Mean absolute (``l1``) or mean squared (``mse``, eq. 14 of the plate paper) difference."""

    def __init__(self, kind: str = "l1") -> None:
        super().__init__()
        self.kind = kind

    def forward(self, upscaled: Tensor, batch: Batch) -> Tensor:
        return pixel_loss(self.kind, upscaled, batch)


def pixel_loss(kind: str, upscaled: Tensor, batch: Batch) -> Tensor:
    """``l1`` or ``mse`` over all pixels and channels, but those that were only padded."""
    difference = functional.l1_loss if kind == "l1" else functional.mse_loss
    return mean_inside(difference(upscaled, batch.high, reduction="none"), batch.sizes)


def mean_inside(values: Tensor, sizes: Tensor) -> Tensor:
    """The mean of ``[N, C, h, w]`` over the upper left ``sizes[n]`` (height, width) of each n, which may be
    nothing of some; a scalar."""
    channels, height, width = values.shape[1:]
    heights, widths = sizes.to(values.device).T[:, :, None]
    rows = torch.arange(height, device=values.device) < heights
    columns = torch.arange(width, device=values.device) < widths
    inside = rows[:, None, :, None] & columns[:, None, None, :]
    if bool(inside.all()):
        return values.mean()
    mean: Tensor = (values * inside).sum() / (inside.sum() * channels).clamp(min=1)
    return mean


class GradientBalance(nn.Module):
    """The factor by which a term's gradient at the enlarged image is ``ratio`` times the first term's.

    Losses of different units cannot be weighed by their values: a CTC loss of 2 may push the pixels a
    thousand times as hard as an L1 of 0.05, or not at all. The factor is averaged over steps
    (``momentum``), and bounded, because the gradient of a plate that is read right vanishes. A batch whose
    second gradient is nothing, such as one without a known text, says nothing of the factor and leaves it.
    """

    factor: Tensor

    def __init__(self, ratio: float = 1.0, momentum: float = 0.95, most: float = 10.0) -> None:
        super().__init__()
        self.ratio, self.momentum, self.most = ratio, momentum, most
        self.register_buffer("factor", torch.tensor(float("nan")))

    def forward(self, first: Tensor, term: Tensor, at: Tensor) -> Tensor:
        """The factor for ``term``, without a gradient; ``at`` is the image both were worked out from."""
        if at.requires_grad and self.training:
            a, b = (_norm_of_gradient(loss, at) for loss in (first, term))
            if float(b) >= LEAST_GRADIENT:
                now = (self.ratio * a / b).clamp(max=self.most)
                kept = now if bool(self.factor.isnan()) else self.factor.lerp(now, 1 - self.momentum)
                self.factor.copy_(kept)
        return torch.nan_to_num(self.factor)

    def value(self) -> float:
        """The factor as it is now; 0 as long as no batch had a second gradient."""
        return float(torch.nan_to_num(self.factor))


def _norm_of_gradient(loss: Tensor, at: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(loss, at, retain_graph=True)
    out: Tensor = gradient.norm()
    return out
