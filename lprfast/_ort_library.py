"""Finds the shared library of the user's own ONNX Runtime, without importing ``onnxruntime``.

Importing it would load a second copy of ONNX Runtime into the process, and start its telemetry.
"""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

from lprfast._core import OrtError

OVERRIDE = "LPRFAST_ORT_LIBRARY"

# libonnxruntime_providers_*.so and the module of the Python package lie beside it and are not it.
_LIBRARY_NAME = re.compile(r"libonnxruntime\.so(\.\d+)*|libonnxruntime(\.\d+)*\.dylib|onnxruntime\.dll")


def ort_library_path() -> str:
    """Absolute path of the ONNX Runtime library that lprfast loads.

    The environment variable ``LPRFAST_ORT_LIBRARY`` names it; unset or empty, the installed ``onnxruntime``
    package is searched. Also sets ``ORT_DISABLE_TELEMETRY=1`` unless the variable is set, because ONNX
    Runtime reads it while it loads.

    Raises:
        OrtError: the named file does not exist, no library was found, or several were; they are listed.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    override = os.environ.get(OVERRIDE)
    if override:
        path = Path(override).expanduser().absolute()
        if not path.is_file():
            raise OrtError(
                f"{OVERRIDE} is '{override}', which is not a file; let it name ONNX Runtime's shared library"
            )
        return str(path)
    folders = _package_folders()
    if not folders:
        raise OrtError(
            "ONNX Runtime is not installed: run 'pip install onnxruntime', or let "
            f"{OVERRIDE} name its shared library"
        )
    return str(_only_library(folders))


def installed_ort_wheels() -> list[tuple[str, str]]:
    """Name and version of every installed distribution that provides the package ``onnxruntime``.

    More than one (say onnxruntime and onnxruntime-gpu) means that they overwrote one another's files.
    """
    import importlib.metadata  # slow to import, and only the doctor and errors ask

    names = importlib.metadata.packages_distributions().get("onnxruntime", [])
    return [(name, importlib.metadata.version(name)) for name in sorted(set(names))]


def _package_folders() -> list[Path]:
    """Folders of the package, found but not imported."""
    try:
        spec = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):  # a half-removed or replaced module
        return []
    locations = spec.submodule_search_locations if spec is not None else None
    return [Path(location).absolute() for location in locations or []]


def _only_library(folders: list[Path]) -> Path:
    found = {
        path.resolve(): path  # a link beside its target is one library
        for folder in folders
        for path in sorted((folder / "capi").glob("*onnxruntime*"))
        if _LIBRARY_NAME.fullmatch(path.name)
    }
    if len(found) == 1:
        return next(iter(found.values()))
    wheels = ", ".join(f"{name} {version}" for name, version in installed_ort_wheels()) or "none"
    where = ", ".join(str(folder / "capi") for folder in folders)
    if not found:
        raise OrtError(
            f"no ONNX Runtime library in {where} (installed: {wheels}); wheels carry it from 1.19.2 on: "
            f"run 'pip install --upgrade onnxruntime', or let {OVERRIDE} name it"
        )
    listed = ", ".join(str(path) for path in found.values())
    raise OrtError(
        f"more than one ONNX Runtime library: {listed} (installed: {wheels}); uninstall all of them and "
        f"install one again, or let {OVERRIDE} name the one to use"
    )
