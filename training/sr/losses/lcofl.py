"""LCOFL (Nascimento et al., SIBGRAPI 2024) in a form that has a gradient, for a reader by CTC.

The released code reads a detached image and scores its texts: its classification and layout losses are
constants for the network, which learns from SSIM alone while the reader adapts to it. Here the posteriors
themselves enter. The paper's reader has a slot for each character; CTC has time steps. How much of step t
belongs to class k given the text (the occupancy ``G[t, k]`` of the forward-backward algorithm) takes the
place of the slots, held fixed while the posteriors move:

    L_C = -1/n sum_t sum_k w_k G[t, k] log p_t(k)
    L_P =  1/n sum_t (0.4 G[t, letters] p_t(digits) + 0.5 G[t, digits] p_t(letters))
    L_S = (1 - SSIM) / 2

With w = 1 the gradient of L_C is that of the CTC loss over n, the length of the text. w_k is 1 + strength
times the error rate of k, from ``lprfast eval --confusion``; the blank has 1.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from training.ocr.confusion import ConfusionWeights
from training.sr.losses.ssim import ssim
from training.sr.losses.terms import Batch, GradientBalance, SrLoss
from training.sr.reader import FrozenReader

DIGIT_FOR_LETTER = 0.4
LETTER_FOR_DIGIT = 0.5


class Lcofl(SrLoss):
    """``L_S + lambda (L_C + L_P)``; lambda 1 as published, or None: by gradient norms, times ``ratio``."""

    class_weights: Tensor
    digits: Tensor
    letters: Tensor

    def __init__(
        self,
        reader: FrozenReader,
        confusion: ConfusionWeights | None = None,
        weight: float | None = None,
        ratio: float = 1.0,
    ) -> None:
        super().__init__()
        self.reader, self.weight = reader, weight
        self.balance = GradientBalance(ratio)
        charset = reader.codec.charset
        rates = {} if confusion is None else confusion.rates
        strength = 0.0 if confusion is None else confusion.strength
        weights = [1.0, *(1 + strength * rates.get(symbol, 0.0) for symbol in charset)]
        self.register_buffer("class_weights", torch.tensor(weights), persistent=False)
        for name, kind in (("digits", str.isdigit), ("letters", str.isalpha)):
            mask = torch.tensor([False, *(kind(symbol) for symbol in charset)])
            self.register_buffer(name, mask, persistent=False)

    def forward(self, upscaled: Tensor, batch: Batch) -> Tensor:
        structure = (1 - ssim(upscaled, batch.high, batch.sizes)) / 2
        log_posteriors = self.reader(upscaled, batch.sizes)
        held, lengths = self._occupancy(log_posteriors, batch)
        characters = self.characters(log_posteriors, held, lengths)
        layout = self.layout(log_posteriors, held, lengths)
        read = characters + layout
        weight = self.balance(structure, read, upscaled) if self.weight is None else self.weight
        self.note(structure=structure, characters=characters, layout=layout, weight=weight)
        return structure + weight * read

    def _occupancy(self, log_posteriors: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        targets, lengths, usable = self.reader.targets(batch.texts, log_posteriors.shape[1])
        held = occupancy(log_posteriors, targets, lengths)
        return held * usable.to(held)[:, None, None], lengths.to(held).clamp(min=1)

    def characters(self, log_posteriors: Tensor, held: Tensor, lengths: Tensor) -> Tensor:
        """L_C of ``[N, T, K]``."""
        per_plate = (held * self.class_weights * log_posteriors).sum((1, 2))
        return -(per_plate / lengths).mean()

    def layout(self, log_posteriors: Tensor, held: Tensor, lengths: Tensor) -> Tensor:
        """L_P: the chance of a digit where the text has a letter, and the other way round."""
        chances = log_posteriors.exp()
        wrong = DIGIT_FOR_LETTER * held[:, :, self.letters].sum(2) * chances[:, :, self.digits].sum(2)
        wrong = wrong + LETTER_FOR_DIGIT * held[:, :, self.digits].sum(2) * chances[:, :, self.letters].sum(2)
        return (wrong.sum(1) / lengths).mean()


def occupancy(log_posteriors: Tensor, targets: Tensor, lengths: Tensor) -> Tensor:
    """``G[n, t, k]``: the chance that step t is class k, given that the steps spell the text; rows sum to 1.

    torch's gradient of the CTC loss is ``p - G`` (it goes through the softmax), which is solved for G. Zero
    where the text does not fit into the steps.
    """
    with torch.enable_grad():
        leaf = log_posteriors.detach().requires_grad_()
        steps = torch.full((len(leaf),), leaf.shape[1], dtype=torch.int64)
        losses = functional.ctc_loss(
            leaf.transpose(0, 1), targets.to(leaf.device), steps, lengths, reduction="none"
        )
        possible = losses.detach().isfinite()
        (gradient,) = torch.autograd.grad(losses[possible].sum(), leaf)
    held = (leaf.detach().exp() - gradient).clamp(0, 1)
    return torch.where(possible[:, None, None], held, torch.zeros_like(held))
