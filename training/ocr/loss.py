"""What training makes small: CTC loss of the text, distance of the corners."""

from __future__ import annotations

import functools

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.ocr.align import Aligned, answers_of, corner_loss
from training.ocr.data import Batch


def batch_loss(
    model: nn.Module, batch: Batch, device: torch.device, precision: str, weights: Tensor | None = None
) -> Tensor:
    """CTC loss per symbol, averaged over the batch. The network may run in bf16, the loss always in fp32.

    ``weights``, float32 ``[N]``: how much each image counts; all the same without them.
    """
    images = batch.images.to(device, torch.float32, non_blocking=True)
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        answers, corners = answers_of(model(images, *_hints(model, batch, device)))
    steps = torch.full((len(images),), answers.shape[1], dtype=torch.int64)
    loss = functools.partial(
        functional.ctc_loss,
        answers.transpose(0, 1), batch.targets.to(device), steps, batch.lengths, zero_infinity=True,
    )  # fmt: skip
    if weights is None:
        total = loss()
    else:
        per_symbol = loss(reduction="none") / batch.lengths.clamp(min=1).to(device)
        total = (per_symbol * weights.to(device)).mean()
    if corners is None or batch.corners is None:
        return total
    return total + corner_loss(corners, batch.corners.to(device))


def _hints(model: nn.Module, batch: Batch, device: torch.device) -> tuple[Tensor, ...]:
    """What a network with a locator takes beside the images; others take nothing."""
    located = isinstance(getattr(model, "module", model), Aligned)
    return (batch.hints.to(device),) if located and batch.hints is not None else ()
