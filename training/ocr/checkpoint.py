"""Checkpoints: written whole or not at all, read without running code from the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.ocr.config import Config
from training.ocr.model import build_model
from training.ocr.text import Codec

FORMAT = 1
CHECKPOINT = "last.pt"  # in the folder of a run: what it goes on with
_KINDS: dict[str, Any] = {
    "config": dict,
    "charset": list,
    "model": dict,
    "ema": dict,
    "optimizer": dict,
    "step": int,
    "images": int,
    "minutes": (int, float),
    "scores": dict,
    "rng": torch.Tensor,
}


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes ``state`` (tensors, plain values); a kill at any moment leaves the old or the new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        torch.save({"format": FORMAT, **state}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def read_state(path: Path, program: str) -> dict[str, Any]:
    """Reads to the CPU what ``save_checkpoint`` wrote for ``program``, such as ``train_ocr.py``.

    Raises:
        ValueError: the file is missing, is not a checkpoint, of another format, or damaged.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such checkpoint; {program} writes last.pt into its --out folder")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch names no error type for a broken file, and its message has many lines
        raise ValueError(
            f"{path}: expected a checkpoint of training/{program} (last.pt), "
            "got a file of another kind or a damaged one"
        ) from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path}: not a checkpoint of format {FORMAT} of training/{program}")
    return state


def check_kinds(state: dict[str, Any], kinds: dict[str, Any]) -> None:
    """Raises ValueError unless ``state`` has every key with a value of its kind."""
    for key, kind in kinds.items():
        if not isinstance(state.get(key), kind):
            got = type(state[key]).__name__ if key in state else "nothing"
            raise ValueError(f"{key!r}: expected {getattr(kind, '__name__', 'a number')}, got {got}")


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint to the CPU; all that a run, an export or ``--init`` takes from it is there and fits.

    Raises:
        ValueError: the file is missing, is not a checkpoint of this program, of another format, or damaged.
    """
    state = read_state(path, "train_ocr.py")
    try:
        _check(state)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: the checkpoint is incomplete or damaged: {error}") from None
    return state


def averaged_model(state: dict[str, Any], key: str = "ema") -> nn.Module:
    """The network of a checkpoint with its averaged weights (``key`` "model": with the last ones).

    Raises:
        ValueError: the weights are not those of the architecture and charset that the checkpoint states.
    """
    config, symbols = Config.from_dict(state["config"]), len(state["charset"])
    model = build_model(config.arch, symbols + 1, config.input[0])
    try:
        model.load_state_dict(state[key])
    except (RuntimeError, AttributeError):  # names every key, on many lines
        raise ValueError(
            f"{key!r} does not hold the weights of {config.arch} with {symbols} symbols"
        ) from None
    return model


def _check(state: dict[str, Any]) -> None:
    check_kinds(state, _KINDS)
    if not all(isinstance(symbol, str) for symbol in state["charset"]):
        raise ValueError("'charset': expected a list of symbols")
    if not isinstance(state["config"].get("arch"), str):
        raise ValueError("'config': expected the name of the architecture as 'arch'")
    Config.from_dict(state["config"])
    Codec(state["charset"])
    for key in ("model", "ema"):
        averaged_model(state, key)
