"""Who may include and import whom: the rules of CONTRIBUTING.md, read from the code."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

MAY_INCLUDE = {
    "core": {"core"},
    "image": {"core", "image"},
    "ctc": {"core", "ctc"},
    "ort": {"core", "ort"},
    "vote": {"core", "ctc", "vote"},
    "pipeline": {"core", "image", "ctc", "ort", "vote", "pipeline"},
    "bindings": {"core", "image", "ctc", "ort", "vote", "pipeline", "bindings"},
}


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*["<]([^">]+)[">]', path.read_text(encoding="utf-8"), re.MULTILINE)


def sources(area: str) -> list[Path]:
    return [path for path in (ROOT / "csrc" / area).iterdir() if path.suffix in (".hpp", ".cpp")]


def imported_modules(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def test_every_area_has_a_rule() -> None:
    assert {path.name for path in (ROOT / "csrc").iterdir() if path.is_dir()} == set(MAY_INCLUDE)


@pytest.mark.parametrize("area", sorted(MAY_INCLUDE))
def test_areas_include_only_what_they_may(area: str) -> None:
    files = sources(area)
    assert files
    for path in files:
        for name in includes(path):
            top = name.split("/")[0]
            if top in MAY_INCLUDE:
                assert top in MAY_INCLUDE[area], f"{path.relative_to(ROOT)} includes {name}"


@pytest.mark.parametrize("area", sorted(set(MAY_INCLUDE) - {"bindings"}))
def test_only_the_bindings_see_python(area: str) -> None:
    for path in sources(area):
        bad = [name for name in includes(path) if name.startswith(("pybind11", "Python.h", "numpy"))]
        assert not bad, f"{path.relative_to(ROOT)} includes {bad}"


def test_the_package_imports_neither_training_nor_heavy_libraries() -> None:
    for path in (ROOT / "lprfast").rglob("*.py"):
        bad = imported_modules(path) & {"training", "torch", "cv2", "onnx", "onnxruntime"}
        assert not bad, f"{path.relative_to(ROOT)} imports {bad}"


def test_a_wrong_include_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "bad.cpp"
    file.write_text('#include "vote/decide.hpp"\n  #  include <pybind11/numpy.h>\n', encoding="utf-8")
    assert includes(file) == ["vote/decide.hpp", "pybind11/numpy.h"]
