"""Validation: exact match and character error rate of greedy reads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lprfast.evaluation.metrics import Score, score
from training.ocr.data import ValidationSet
from training.ocr.text import Codec


@torch.inference_mode()
def log_posteriors(model: nn.Module, images: Tensor, batch: int = 256) -> Tensor:
    """Answers of ``model`` for ``images [N, 1, h, w]``, float32 ``[N, T, K]`` on the CPU."""
    device = next(model.parameters()).device
    starts = range(0, len(images), batch)
    return torch.cat([model(images[start : start + batch].to(device)).cpu() for start in starts])


def evaluate(model: nn.Module, codec: Codec, data: ValidationSet) -> Score:
    """Reads ``data`` with ``model``, which must be in evaluation mode."""
    reads = codec.greedy(log_posteriors(model, data.images).numpy())
    return score(zip(reads, data.texts, strict=True))
