"""Validation: PSNR, and whether a frozen reader reads what was enlarged."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from lprfast.evaluation import image_quality
from lprfast.evaluation.metrics import score
from lprfast.prepare import prepare
from training.sr.data import ValidationSet, planes
from training.sr.pairs import Image, Pair
from training.sr.reader import FrozenReader

Scores = dict[str, float]
PERFECT = 100.0  # dB, of equal images


def psnr(a: Image, b: Image, *, luma_only: bool = False) -> float:
    """``image_quality.psnr`` in dB, but at most 100, so that means over pictures stay finite."""
    return min(PERFECT, image_quality.psnr(a, b, luma_only=luma_only))


@torch.inference_mode()
def enlarge(model: nn.Module, low: Image) -> Image:
    """What the network makes of one crop, gray or BGR, uint8 of ``scale`` times its size."""
    device = next(iter(model.parameters()), torch.zeros(0)).device
    images = torch.from_numpy(planes(low)[None]).to(device).float() / 255
    out = (model(images)[0] * 255).round().clamp(0, 255).byte().cpu().numpy()
    return np.asarray(out[0] if low.ndim == 2 else np.ascontiguousarray(out[::-1].transpose(1, 2, 0)))


def evaluate(data: ValidationSet, reader: FrozenReader, enlarged: Callable[[Pair], Image]) -> Scores:
    """``psnr`` (mean, dB) of the pairs made large by ``enlarged``; ``exact`` (0-1) and ``cer`` of their
    reads, over the pairs whose text is known; ``n``."""
    images = [enlarged(pair) for pair in data.pairs]
    values = [
        psnr(image, pair.high)
        for image, pair in zip(images, data.pairs, strict=True)
        if image.shape == pair.high.shape
    ]
    scores = {"n": float(len(images)), **read_scores(data.pairs, images, reader)}
    return {"psnr": float(np.mean(values)), **scores} if values else scores


def read_scores(pairs: Sequence[Pair], images: Sequence[Image], reader: FrozenReader) -> Scores:
    """Exact match and character error rate of the reads of ``images``."""
    known = [(pair.text, image) for pair, image in zip(pairs, images, strict=True) if pair.text]
    if not known:
        return {"exact": 0.0, "cer": 1.0}
    height, width = reader.size
    inputs: NDArray[np.float32] = prepare([image for _, image in known], height=height, width=width)
    device = next(reader.parameters()).device
    texts = reader.read(torch.from_numpy(inputs).to(device))
    result = score(zip(texts, (text for text, _ in known), strict=True))
    return {"exact": result.exact_match, "cer": result.cer}


def baselines(data: ValidationSet, reader: FrozenReader) -> dict[str, Scores]:
    """What has to be beaten: bicubic enlargement, the small crop as it is, and the large original."""

    def bicubic(pair: Pair) -> Image:
        size = (pair.high.shape[1], pair.high.shape[0])
        return np.asarray(cv2.resize(pair.low, size, interpolation=cv2.INTER_CUBIC), np.uint8)

    return {
        "bicubic": evaluate(data, reader, bicubic),
        "none": evaluate(data, reader, lambda pair: pair.low),
        "original": evaluate(data, reader, lambda pair: pair.high),
    }
