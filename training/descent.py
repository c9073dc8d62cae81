"""One step of an optimiser, the same for every trainer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


def descend(
    loss: Tensor, optimizer: Optimizer, clipped: Iterable[nn.Parameter], clip: float, place: tuple[int, Path]
) -> float:
    """Steps down ``loss`` and returns its value.

    Args:
        clipped: those of the optimiser's parameters whose gradient is cut to the norm ``clip``.
        place: number of the step and folder of the run, for the message.

    Raises:
        ValueError: the loss or the norm of its gradient at all the optimiser's parameters is not finite; none
            of them was changed.
    """
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm, value = _gradient_norm(optimizer), float(loss.detach())
    if not (math.isfinite(value) and math.isfinite(norm)):
        number, out = place
        raise ValueError(
            f"step {number}: the loss is {value:g} and the norm of its gradient {norm:g}, expected finite "
            f"numbers; the last checkpoint in {out} is as it was; try a lower --lr, or --precision fp32"
        )
    nn.utils.clip_grad_norm_(clipped, clip)
    optimizer.step()
    return value


def _gradient_norm(optimizer: Optimizer) -> float:
    """The L2 norm over all that the optimiser holds, which may be more than is clipped: a loss's encoder."""
    held = [parameter.grad for group in optimizer.param_groups for parameter in group["params"]]
    return float(torch.stack([grad.norm() for grad in held if grad is not None]).norm())
