"""Checkpoints of SR runs: ``last.pt`` to go on with, ``best_psnr.pt`` and ``best_exact.pt`` to export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.ocr.checkpoint import check_kinds, read_state
from training.sr.config import Config
from training.sr.models import build_model

_KINDS: dict[str, Any] = {
    "config": dict,
    "ema": dict,
    "step": int,
    "images": int,
    "minutes": (int, float),
    "scores": dict,
}
_RESUMED: dict[str, Any] = {
    "model": dict,
    "loss": dict,
    "optimizer": dict,
    "best": dict,
    "rng": torch.Tensor,
}
# What published files of SwinIR hold beside the weights; our network works them out itself.
_TABLES = frozenset({"attn_mask", "relative_position_index"})


def load_checkpoint(path: Path, resume: bool = False) -> dict[str, Any]:
    """Reads a checkpoint to the CPU; ``resume``: with all that a run goes on with.

    Raises:
        ValueError: the file is missing, is not a checkpoint of ``train_sr.py``, or damaged.
    """
    state = read_state(path, "train_sr.py")
    try:
        check_kinds(state, {**_KINDS, **(_RESUMED if resume else {})})
        network_of(state)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: the checkpoint is incomplete or damaged: {error}") from None
    return state


def network_of(state: dict[str, Any]) -> nn.Module:
    """The network of a checkpoint with its averaged weights, in evaluation mode.

    Raises:
        ValueError: the weights are not those of the architecture that the checkpoint states.
    """
    config = Config.from_dict(state["config"])
    model = build_model(config.arch, config.scale, config.channels)
    load_weights(model, state["ema"], config.arch)
    return model.eval()


def load_weights(model: nn.Module, weights: dict[str, Tensor], what: str) -> None:
    """Strictly, with an error of one line.

    Raises:
        ValueError: a name or a shape differs.
    """
    expected = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    got = {name: tuple(value.shape) for name, value in weights.items()}
    if expected != got:
        name = next(n for n in {**expected, **got} if expected.get(n) != got.get(n))
        raise ValueError(
            f"the weights are not those of {what}: {name}: expected {expected.get(name, 'nothing')}, "
            f"got {got.get(name, 'nothing')}"
        )
    model.load_state_dict(weights)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The weights of ``--init``: a checkpoint of ``train_sr.py``, or a published state dict (``.pth``).

    Published files hold the weights under ``params_ema`` or ``params``, or as they are; tables that SwinIR's
    hold beside the weights are left out.

    Raises:
        ValueError: the file is missing or of another kind.
    """
    if not path.is_file():
        raise ValueError(f"--init {path}: no such file")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch names no error type for a broken file
        raise ValueError(f"--init {path}: expected a checkpoint or a state dict of weights") from None
    for key in ("ema", "params_ema", "params"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
            break
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"--init {path}: expected a checkpoint or a state dict of weights")
    return {name: value for name, value in state.items() if name.rpartition(".")[2] not in _TABLES}
