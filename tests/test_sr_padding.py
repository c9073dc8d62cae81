"""Plates of several heights in one batch: what was only padded counts nowhere."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from test_sr_losses import make_reader
from torch import Tensor

from training.sr.losses.adversarial import AdversarialLoss
from training.sr.losses.lcofl import Lcofl
from training.sr.losses.reading import ConfidenceLoss, ReadingLoss
from training.sr.losses.ssim import ssim
from training.sr.losses.terms import Batch, PixelLoss

SIZES = ((8, 20), (12, 16), (12, 24))  # of three images of one padded batch


def padded_batch(channels: int) -> tuple[Batch, Tensor]:
    """Images of ``SIZES`` in 12 x 24, and what was made of them; noise where there was padded."""
    generator = torch.Generator().manual_seed(4)
    high, upscaled = (torch.rand(3, channels, 12, 24, generator=generator) for _ in range(2))
    return Batch(high[:, :, ::4, ::4], high, ["A0", "B", ""], torch.tensor(SIZES)), upscaled


def alone(batch: Batch, upscaled: Tensor, n: int) -> tuple[Batch, Tensor]:
    """One image of a padded batch, cut to its size."""
    height, width = SIZES[n]
    high = batch.high[n : n + 1, :, :height, :width]
    single = Batch(high[:, :, ::4, ::4], high, batch.texts[n : n + 1], batch.sizes[n : n + 1])
    return single, upscaled[n : n + 1, :, :height, :width]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", ["l1", "mse"])
def test_pixels_that_were_padded_do_not_count(kind: str, channels: int) -> None:
    batch, upscaled = padded_batch(channels)
    upscaled.requires_grad_()
    total = PixelLoss(kind)(upscaled, batch)
    pairs = [alone(batch, upscaled, n) for n in range(3)]
    singles = [float(PixelLoss(kind)(made, single).detach()) for single, made in pairs]
    assert float(total.detach()) == pytest.approx(np.average(singles, weights=[160, 192, 288]))
    (gradient,) = torch.autograd.grad(total, upscaled)
    for n, (height, width) in enumerate(SIZES):
        assert int((gradient[n] != 0).sum()) == channels * height * width
        assert float(gradient[n, :, height:].abs().sum() + gradient[n, :, :, width:].abs().sum()) == 0


def test_ssim_counts_the_windows_inside_each_image() -> None:
    batch, upscaled = padded_batch(1)
    whole = float(ssim(upscaled, batch.high, batch.sizes))
    pairs = [alone(batch, upscaled, n) for n in range(3)]
    singles = [float(ssim(made, single.high, single.sizes)) for single, made in pairs]
    assert whole == pytest.approx(np.average(singles, weights=[4 * 16, 8 * 12, 8 * 20]))


@pytest.mark.parametrize("name", ["confidence", "reading", "lcofl"])
def test_losses_that_read_do_not_see_what_was_padded(name: str) -> None:
    reader = make_reader()
    loss = {
        "confidence": ConfidenceLoss(reader),
        "reading": ReadingLoss(reader, weight=1.0),
        "lcofl": Lcofl(reader, weight=1.0),
    }[name]
    batch, upscaled = padded_batch(1)
    other = batch.high.clone()
    changed = upscaled.clone()
    for n, (height, width) in enumerate(SIZES):
        for images in (other, changed):
            images[n, :, height:] = 0.5
            images[n, :, :, width:] = 0.25
    assert float(loss(changed, batch._replace(high=other))) == pytest.approx(float(loss(upscaled, batch)))


def test_the_discriminators_opinion_of_padding_does_not_count() -> None:
    loss = AdversarialLoss(make_reader(), channels=1, adversarial=1.0, weight=0.0, features=8).eval()
    batch, upscaled = padded_batch(1)
    pixel = float(PixelLoss("l1")(upscaled, batch))
    with torch.no_grad():
        opinions = loss.discriminator(upscaled)
        judged = [opinions[n, :, :h, :w].flatten() for n, (h, w) in enumerate(SIZES)]
        expected = float((torch.cat(judged) - 1).square().mean())
        assert float(loss(upscaled, batch)) - pixel == pytest.approx(expected, rel=1e-4)
