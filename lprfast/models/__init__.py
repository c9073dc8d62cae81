"""The models that come with the package: one ONNX file each, in this folder."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent

DEFAULT_MODEL = "default"


def model_names() -> list[str]:
    """Names of the bundled models, the default first."""
    names = sorted(path.stem for path in _FOLDER.glob("*.onnx"))
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def model_path(name: str) -> Path:
    """The file of a bundled model.

    Raises:
        ValueError: there is no such model; the message lists those there are.
    """
    path = _FOLDER / f"{name}.onnx"
    if name not in model_names():
        known = ", ".join(model_names()) or "none"
        raise ValueError(
            f"model: no bundled model is called {name!r} (there are: {known}), and no file either"
        )
    return path
