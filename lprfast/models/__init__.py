"""The models that come with the package, an ONNX file each: readers here, super-resolution in ``sr``.

A model that is run in int8 has a twin beside it, ``NAME-fp32.onnx``: the same weights before quantising.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from lprfast._core import ModelError

Task = Literal["ocr", "sr"]

_FOLDER = Path(__file__).resolve().parent
_TWIN = "-fp32"
TASKS: dict[Task, str] = {"ocr": "reader", "sr": "super-resolution model"}  # as in the models' metadata

DEFAULT_MODEL = "default"


def model_names(task: Task = "ocr") -> list[str]:
    """Names of the bundled models of a task, the default first; fp32 twins have no name of their own."""
    files = {path.stem for path in _folder(task).glob("*.onnx")}
    names = sorted(name for name in files if name.removesuffix(_TWIN) not in files - {name})
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def model_path(name: str, precision: str | None = None, task: Task = "ocr") -> Path:
    """The file of a bundled model: with ``precision="fp32"`` its fp32 twin, where it has one.

    Raises:
        ModelError: there is no such model of this task; the message lists those there are.
    """
    if name not in model_names(task):
        raise ModelError(_unknown(name, task))
    twin = _folder(task) / f"{name}{_TWIN}.onnx"
    return twin if precision == "fp32" and twin.is_file() else _folder(task) / f"{name}.onnx"


def _folder(task: Task) -> Path:
    return _FOLDER if task == "ocr" else _FOLDER / task


def _unknown(name: str, task: Task) -> str:
    what, known = TASKS[task], ", ".join(model_names(task)) or "none"
    for other, kind in TASKS.items():
        if other != task and name in model_names(other):
            return f"{name!r} is a bundled {kind}; a {what} is expected here (bundled ones: {known})"
    words = "model: no bundled model" if task == "ocr" else f"no bundled {what}"
    return f"{words} is called {name!r} (there are: {known}), and no file either"
