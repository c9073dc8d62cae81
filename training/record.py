"""What a model file says of the run that made it, whatever was trained."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from lprfast import _core
from training.ocr.labels import label_file_name
from training.ocr.model import parameter_count
from training.settings import Settings


def run_record(settings: Settings, state: dict[str, Any], model: nn.Module) -> dict[str, Any]:
    """The part of a training record that readers and SR networks share; label files by folder and name, not
    by where they lay. ``state``: the checkpoint."""
    values = settings.to_dict()
    return {
        "arch": values["arch"],
        "parameters": parameter_count(model),
        "data": ["synthetic", *map(label_file_name, values["data"])],
        "data_share": values["data_share"] if values["data"] else 0.0,
        "steps": state["step"],
        "minutes": round(state["minutes"], 1),
        "images": state["images"],
        "batch": values["batch"],
        "learning_rate": values["lr"],
        "seed": values["seed"],
        "validation": state["scores"],
        **versions(),
    }


def versions() -> dict[str, str]:
    """What wrote the file."""
    return {"torch": torch.__version__, "lprfast": _core.version}
