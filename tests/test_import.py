"""What importing lprfast does and does not do."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import lprfast
from lprfast import _core

ROOT = Path(__file__).resolve().parent.parent


def run(code: str, **environment: str) -> str:
    import os

    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
        cwd=ROOT / "docs",
    )
    return result.stdout.strip()


def test_import_leaves_heavy_modules_out() -> None:
    code = (
        "import sys, lprfast; lprfast.PlateReader().read_many([]);"
        "print([m for m in ('onnxruntime', 'torch', 'cv2', 'click', 'rich') if m in sys.modules])"
    )
    assert run(code) == "[]"


def test_telemetry_is_switched_off_unless_the_user_says_otherwise() -> None:
    code = "import os, lprfast; lprfast.PlateReader(); print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert run(code) == "1"
    assert run(code, ORT_DISABLE_TELEMETRY="0") == "0"


def test_version_has_one_home() -> None:
    line = next(
        line
        for line in (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
        if "version =" in line
    )
    assert lprfast.__version__ == line.split('"')[1]


def test_a_checkout_without_the_module_says_what_to_run(tmp_path: Path) -> None:
    package = tmp_path / "lprfast"
    package.mkdir()
    (package / "__init__.py").write_text((ROOT / "lprfast" / "__init__.py").read_text(encoding="utf-8"))
    result = subprocess.run(
        [sys.executable, "-S", "-c", "import lprfast"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0
    assert "pip install" in result.stderr


def stub() -> ast.Module:
    return ast.parse((ROOT / "lprfast" / "_core.pyi").read_text(encoding="utf-8"))


def stub_names(body: list[ast.stmt]) -> set[str]:
    names: set[str] = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def public_names(thing: object) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def test_the_stub_names_what_the_module_has() -> None:
    assert stub_names(stub().body) == public_names(_core)


@pytest.mark.parametrize(
    "node", [n for n in stub().body if isinstance(n, ast.ClassDef)], ids=lambda n: n.name
)
def test_stub_classes_name_what_the_classes_have(node: ast.ClassDef) -> None:
    compiled = getattr(_core, node.name)
    if issubclass(compiled, Exception):
        return
    assert {name for name in stub_names(node.body) if not name.startswith("_")} == public_names(compiled)


@pytest.mark.parametrize(
    "node", [n for n in stub().body if isinstance(n, ast.FunctionDef)], ids=lambda n: n.name
)
def test_stub_arguments_are_those_of_the_function(node: ast.FunctionDef) -> None:
    # pybind11 writes the signature, with the argument names, into the first line of the docstring.
    signature = (getattr(_core, node.name).__doc__ or "").splitlines()[0]
    arguments = [
        argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
    ]
    positions = [signature.find(f"{name}:") for name in arguments]
    assert -1 not in positions, f"{arguments} are not those of {signature}"
    assert positions == sorted(positions)
    inside = signature[signature.index("(") + 1 : signature.rindex(") ->")]
    assert inside.count(":") == len(arguments), signature
