"""Validation: exact match and character error rate of greedy reads."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lprfast.evaluation.metrics import Score, score
from training.ocr.align import answers_of
from training.ocr.data import ValidationSet
from training.ocr.text import Codec


@torch.inference_mode()
def log_posteriors(model: nn.Module, images: Tensor, batch: int = 256) -> Tensor:
    """Answers of ``model`` for ``images [N, 1, h, w]``, float32 ``[N, T, K]`` on the CPU."""
    device = next(model.parameters()).device
    starts = range(0, len(images), batch)
    answers = (answers_of(model(images[start : start + batch].to(device)))[0] for start in starts)
    return torch.cat([answer.cpu() for answer in answers])


def read(model: nn.Module, codec: Codec, data: ValidationSet) -> list[str]:
    """The texts that ``model``, which must be in evaluation mode, reads by best path."""
    return codec.greedy(log_posteriors(model, data.images).numpy())


def evaluate(model: nn.Module, codec: Codec, data: ValidationSet) -> Score:
    """Reads ``data`` with ``model`` and scores all of it."""
    return score(zip(read(model, codec, data), data.texts, strict=True))


def scores_of_groups(reads: Sequence[str], data: ValidationSet, column: str) -> dict[str, Score]:
    """The score of each plate type or region (``column``), in alphabetical order."""
    pairs: dict[str, list[tuple[str, str]]] = {}
    for text, label, group in zip(reads, data.texts, data.groups[column], strict=True):
        pairs.setdefault(group or "(none)", []).append((text, label))
    return {group: score(pairs[group]) for group in sorted(pairs)}
