"""From a model's name to what the core's reader is made of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from lprfast import _core
from lprfast.formats.prior import LayoutPrior, layout_prior
from lprfast.model import ModelContract
from lprfast.models import Task, model_names, model_path


def find_model(
    model: str | os.PathLike[str] | bytes, precision: str | None, task: Task = "ocr"
) -> tuple[str | bytes, str]:
    """What the session is opened from, and what error messages call it.

    Raises:
        ModelError: ``model`` is a name, and neither a file's nor that of a bundled model of the task.
        ValueError: there is no such precision.
    """
    if precision not in (None, "fp32", "int8"):
        raise ValueError(f"precision: expected 'fp32', 'int8' or None, got {precision!r}")
    if isinstance(model, bytes):
        return model, "<bytes>"
    if isinstance(model, str) and model in model_names(task):
        path = model_path(model, precision, task)
    elif isinstance(model, str) and not model.endswith(".onnx") and not os.path.exists(model):
        path = model_path(model, task=task)  # raises: neither a bundled model nor a file
    else:
        path = Path(model)
    return str(path), str(path)


def wrong_precision(asked: str | None, name: str, found: str) -> str:
    """What an error says of a file whose weights are not as asked."""
    return (
        f"precision: {asked} was asked for, but {name} holds {found} weights; leave precision out, or give a "
        "model that comes in it (see 'lprfast models')"
    )


def calibration_options(contract: ModelContract) -> dict[str, Any]:
    """The arguments of the core's reader for a calibrated confidence; none without a calibration."""
    names = ("features", "weights", "bias")
    return {f"calibration_{name}": contract.calibration[name] for name in names if contract.calibration}


def model_layouts(contract: ModelContract, name: str) -> LayoutPrior | None:
    """The plates that the model file says to expect; ModelError where it names what there is not."""
    try:
        return layout_prior(contract.layouts) if contract.layouts else None
    except ValueError as error:
        raise _core.ModelError(f"{name}: metadata key 'layouts': {error}") from None
