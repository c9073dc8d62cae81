"""One step of an optimiser, the same for every trainer."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from torch import Tensor, nn
from torch.optim import Optimizer


def descend(
    loss: Tensor, optimizer: Optimizer, clipped: Iterable[nn.Parameter], clip: float, place: tuple[int, Path]
) -> float:
    """Steps down ``loss`` and returns its value.

    Args:
        clipped: parameters whose gradient is cut to the norm ``clip``.
        place: number of the step and folder of the run, for the message.

    Raises:
        ValueError: the loss or the gradient's norm is not finite; nothing was changed.
    """
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = float(nn.utils.clip_grad_norm_(clipped, clip))
    value = float(loss.detach())
    if not (math.isfinite(value) and math.isfinite(norm)):
        number, out = place
        raise ValueError(
            f"step {number}: the loss is {value:g} and the norm of its gradient {norm:g}, expected finite "
            f"numbers; the last checkpoint in {out} is as it was; try a lower --lr, or --precision fp32"
        )
    optimizer.step()
    return value
