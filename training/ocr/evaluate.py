"""Validation: exact match and character error rate of greedy reads."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from training.ocr.data import ValidationSet
from training.ocr.text import Codec, edit_distance


@dataclass(frozen=True)
class Score:
    """``exact``: share of texts read without error. ``cer``: edits over symbols of the truth."""

    count: int
    exact: float
    cer: float

    def to_dict(self) -> dict[str, float]:
        """Plain values."""
        return asdict(self)


@torch.inference_mode()
def log_posteriors(model: nn.Module, images: Tensor, batch: int = 256) -> Tensor:
    """Answers of ``model`` for ``images [N, 1, h, w]``, float32 ``[N, T, K]`` on the CPU."""
    device = next(model.parameters()).device
    starts = range(0, len(images), batch)
    return torch.cat([model(images[start : start + batch].to(device)).cpu() for start in starts])


def evaluate(model: nn.Module, codec: Codec, data: ValidationSet) -> Score:
    """Reads ``data`` with ``model``, which must be in evaluation mode."""
    reads = codec.greedy(log_posteriors(model, data.images).numpy())
    return score(reads, data.texts)


def score(reads: list[str], texts: list[str]) -> Score:
    """Compares reads with the truth, in order."""
    edits = sum(edit_distance(read, text) for read, text in zip(reads, texts, strict=True))
    right = sum(read == text for read, text in zip(reads, texts, strict=True))
    return Score(len(texts), right / len(texts), edits / max(1, sum(map(len, texts))))
