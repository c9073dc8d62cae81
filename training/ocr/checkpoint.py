"""Checkpoints: written whole or not at all, read without running code from the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

FORMAT = 1


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Writes ``state`` (tensors, plain values); a kill at any moment leaves the old or the new file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        torch.save({"format": FORMAT, **state}, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint to the CPU.

    Raises:
        ValueError: the file is missing, is not a checkpoint of this program, or is of another format.
    """
    if not path.is_file():
        raise ValueError(f"{path}: no such checkpoint; train_ocr.py writes last.pt into its --out folder")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch names no error type for a broken file
        raise ValueError(f"{path}: not a checkpoint that can be read: {error}") from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise ValueError(f"{path}: not a checkpoint of format {FORMAT} of training/train_ocr.py")
    return state
