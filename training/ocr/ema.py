"""Exponential moving average of a model."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Ema:
    """A slow copy of a model: what is validated and exported.

    Batch-norm statistics are averaged like the weights: those of the fast model would not fit slow weights.
    The decay grows with the steps, ``min(decay, (1 + step) / (10 + step))``: the start is soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float = 0.998) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay = decay

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Moves the copy towards ``model``; ``step`` counts from 0."""
        share = 1.0 - min(self.decay, (1 + step) / (10 + step))
        slow, fast = self.model.state_dict(), model.state_dict()
        for name, value in slow.items():
            if value.is_floating_point():
                value.lerp_(fast[name], share)
            else:
                value.copy_(fast[name])
