"""One step of an optimiser, the same for every trainer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

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
    clipped = list(clipped)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    cut = float(nn.utils.clip_grad_norm_(clipped, clip))
    norm, value = math.hypot(cut, _norm_of_others(optimizer, clipped)), float(loss.detach())
    if not (math.isfinite(value) and math.isfinite(norm)):
        number, out = place
        raise ValueError(
            f"step {number}: the loss is {value:g} and the norm of its gradient {norm:g}, expected finite "
            f"numbers; the last checkpoint in {out} is as it was; try a lower --lr, or --precision fp32"
        )
    optimizer.step()
    return value


def _norm_of_others(optimizer: Optimizer, clipped: Sequence[nn.Parameter]) -> float:
    """The L2 norm of the gradient at what the optimiser holds beside ``clipped``: a loss's encoder, say."""
    known = {id(parameter) for parameter in clipped}
    held = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return math.hypot(
        *(float(each.grad.norm()) for each in held if id(each) not in known and each.grad is not None)
    )
