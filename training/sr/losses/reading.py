"""Losses that ask a frozen reader: how sure it is, and whether it reads the plate."""

from __future__ import annotations

from torch import Tensor

from training.sr.losses.terms import Batch, GradientBalance, SrLoss, pixel_loss
from training.sr.reader import FrozenReader

CONFIDENCE_WEIGHT = 0.1


class ConfidenceLoss(SrLoss):
    """``L1 + 0.1 * L_conf``, ``L_conf = -mean_t max_k log p_t(k)``: the engineering note's loss.

    The note does not say how it computes a confidence; this is the mean over time steps of the reader's best
    log-posterior. No label enters: it rewards **sure** reads, right or wrong. A blurred 8 that is made a
    clear 3 is as good as one made a clear 8, and an image that reads as nothing at all (blanks everywhere,
    surely) is best. It is here to be compared; use :class:`ReadingLoss`.
    """

    def __init__(self, reader: FrozenReader, weight: float = CONFIDENCE_WEIGHT, pixel: str = "l1") -> None:
        super().__init__()
        self.reader, self.weight, self.pixel = reader, weight, pixel

    def forward(self, upscaled: Tensor, batch: Batch) -> Tensor:
        first = pixel_loss(self.pixel, upscaled, batch)
        unsure = confidence_loss(self.reader(upscaled, batch.sizes))
        self.note(pixel=first, unsure=unsure)
        return first + self.weight * unsure


def confidence_loss(log_posteriors: Tensor) -> Tensor:
    """``-mean max_k log p`` of ``[N, T, K]``."""
    return -log_posteriors.amax(-1).mean()


class ReadingLoss(SrLoss):
    """``pixel + lambda * CTC(reader(SR), text)``, the gradient going through the frozen reader to the pixels.

    ``weight``: lambda; None sets it so that both gradients at the image are equally long, times ``ratio``.
    """

    def __init__(
        self, reader: FrozenReader, weight: float | None = None, ratio: float = 1.0, pixel: str = "l1"
    ) -> None:
        super().__init__()
        self.reader, self.weight, self.pixel = reader, weight, pixel
        self.balance = GradientBalance(ratio)

    def forward(self, upscaled: Tensor, batch: Batch) -> Tensor:
        first = pixel_loss(self.pixel, upscaled, batch)
        ctc = self.reader.ctc(self.reader(upscaled, batch.sizes), batch.texts).mean()
        weight = self.balance(first, ctc, upscaled) if self.weight is None else self.weight
        self.note(pixel=first, ctc=ctc, weight=weight)
        return first + weight * ctc
