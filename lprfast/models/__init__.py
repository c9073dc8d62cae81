"""The models that come with the package, in this folder: one ONNX file each.

A model that is run in int8 has a twin beside it, ``NAME-fp32.onnx``: the same weights before quantising.
"""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent
_TWIN = "-fp32"

DEFAULT_MODEL = "default"


def model_names() -> list[str]:
    """Names of the bundled models, the default first; fp32 twins have no name of their own."""
    files = {path.stem for path in _FOLDER.glob("*.onnx")}
    names = sorted(name for name in files if name.removesuffix(_TWIN) not in files - {name})
    return sorted(names, key=lambda name: name != DEFAULT_MODEL)


def model_path(name: str, precision: str | None = None) -> Path:
    """The file of a bundled model: with ``precision="fp32"`` its fp32 twin, where it has one.

    Raises:
        ValueError: there is no such model; the message lists those there are.
    """
    if name not in model_names():
        known = ", ".join(model_names()) or "none"
        raise ValueError(
            f"model: no bundled model is called {name!r} (there are: {known}), and no file either"
        )
    twin = _FOLDER / f"{name}{_TWIN}.onnx"
    return twin if precision == "fp32" and twin.is_file() else _FOLDER / f"{name}.onnx"
