"""Finding ONNX Runtime's library, and files that are not it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from ort_models import run_python

import lprfast._core
from lprfast import _ort_library
from lprfast._core import OrtError, Session, ort_info
from lprfast._ort_library import installed_ort_wheels, ort_library_path


@pytest.fixture(autouse=True)
def _no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LPRFAST_ORT_LIBRARY", raising=False)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The capi folder, still empty, of a package that is found in place of the installed one."""
    folder = tmp_path / "onnxruntime"
    (folder / "capi").mkdir(parents=True)
    spec = ModuleSpec("onnxruntime", None, is_package=True)
    spec.submodule_search_locations = [str(folder)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    return folder / "capi"


def test_finds_the_installed_library() -> None:
    path = Path(ort_library_path())
    assert path.is_absolute()
    assert path.parent.name == "capi"
    assert [path] == list(path.parent.glob("libonnxruntime.*"))
    wheels = installed_ort_wheels()
    assert len(wheels) == 1
    assert wheels[0][0].startswith("onnxruntime")


def test_info() -> None:
    info = ort_info(ort_library_path())
    assert info["version"] == installed_ort_wheels()[0][1]
    assert info["build"].startswith("ORT Build Info")
    assert "CPUExecutionProvider" in info["providers"]


def test_onnxruntime_is_not_imported() -> None:
    code = """
        import sys
        from lprfast._ort_library import installed_ort_wheels, ort_library_path
        from lprfast._core import ort_info
        ort_info(ort_library_path()), installed_ort_wheels()
        print("onnxruntime" in sys.modules)
    """
    assert run_python(code) == "False\n"


def test_telemetry_is_off_unless_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for before, after in (("0", "0"), ("1", "1"), (None, "1")):
        if before is None:
            monkeypatch.delenv("ORT_DISABLE_TELEMETRY")
        else:
            monkeypatch.setenv("ORT_DISABLE_TELEMETRY", before)
        ort_library_path()
        assert os.environ["ORT_DISABLE_TELEMETRY"] == after


@pytest.mark.parametrize(
    "name", ["libonnxruntime.so.1.31.1", "libonnxruntime.1.22.0.dylib", "onnxruntime.dll"]
)
def test_other_files_of_the_wheel_are_passed_over(package: Path, name: str) -> None:
    for other in (
        "libonnxruntime_providers_shared.so",
        "libonnxruntime_providers_cuda.so",
        "onnxruntime_pybind11_state.cpython-311-x86_64-linux-gnu.so",
        "onnxruntime_providers_shared.dll",
        "libonnxruntime.so.1.31.1.sig",
    ):
        (package / other).touch()
    (package / name).touch()
    assert ort_library_path() == str(package / name)


def test_link_beside_its_target_is_one_library(package: Path) -> None:
    (package / "libonnxruntime.so.1.25.0").touch()
    (package / "libonnxruntime.so").symlink_to("libonnxruntime.so.1.25.0")
    assert Path(ort_library_path()).resolve() == package / "libonnxruntime.so.1.25.0"


def test_several_libraries_are_listed(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels = {"onnxruntime": ["onnxruntime", "onnxruntime-gpu", "onnxruntime"]}
    monkeypatch.setattr(_ort_library.importlib.metadata, "packages_distributions", lambda: wheels)
    monkeypatch.setattr(_ort_library.importlib.metadata, "version", lambda name: "1.2" + str(len(name)))
    assert installed_ort_wheels() == [("onnxruntime", "1.211"), ("onnxruntime-gpu", "1.215")]
    for name in ("libonnxruntime.so.1.30.0", "libonnxruntime.so.1.31.1"):
        (package / name).touch()
    with pytest.raises(OrtError) as caught:
        ort_library_path()
    message = str(caught.value)
    assert str(package / "libonnxruntime.so.1.30.0") in message
    assert str(package / "libonnxruntime.so.1.31.1") in message
    assert "onnxruntime 1.211, onnxruntime-gpu 1.215" in message


def test_package_without_a_library(package: Path) -> None:
    with pytest.raises(OrtError, match=r"no ONNX Runtime library in .*capi .*installed: .*1\.19\.2"):
        ort_library_path()


@pytest.mark.parametrize("missing", [lambda name: None, lambda name: importlib.util.find_spec("__main__.x")])
def test_nothing_installed(monkeypatch: pytest.MonkeyPatch, missing) -> None:
    finder = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: missing(name) if name == "onnxruntime" else finder(name)
    )
    with pytest.raises(
        OrtError, match="not installed: run 'pip install onnxruntime', or let LPRFAST_ORT_LIB"
    ):
        ort_library_path()


def test_override(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "żółw.so"
    monkeypatch.setenv("LPRFAST_ORT_LIBRARY", str(library))
    with pytest.raises(OrtError, match=r"LPRFAST_ORT_LIBRARY is '.*żółw\.so', which is not a file"):
        ort_library_path()
    library.touch()
    assert ort_library_path() == str(library)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LPRFAST_ORT_LIBRARY", "żółw.so")
    assert ort_library_path() == str(library)


# ---- files that are not ONNX Runtime


def _copy(source: str):
    return lambda path: shutil.copy(source, path)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "there is no such file"),
        (lambda path: path.mkdir(), "it is not a file"),
        (lambda path: path.touch(), "too short"),
        (lambda path: path.write_text("no library\n" * 100), "invalid ELF header"),
        (_copy("/bin/ls"), "cannot dynamically load"),
        (_copy(lprfast._core.__file__), "no function OrtGetApiBase"),
    ],
    ids=["missing", "folder", "empty", "text", "program", "another-library"],
)
def test_file_that_is_not_the_library(tmp_path: Path, make, reason: str) -> None:
    path = tmp_path / "żółw.so"
    make(path)
    for use in (lambda: ort_info(str(path)), lambda: Session(b"", str(path))):
        with pytest.raises(OrtError, match=reason) as caught:
            use()
        assert f"cannot use '{path}' as ONNX Runtime" in str(caught.value)
        assert "LPRFAST_ORT_LIBRARY" in str(caught.value)


@pytest.mark.parametrize("path", ["", "libc.so.6", "relative/libonnxruntime.so"])
def test_path_that_is_not_absolute(path: str) -> None:
    with pytest.raises(OrtError, match="expected an absolute path"):
        ort_info(path)


def test_path_with_a_null() -> None:
    with pytest.raises(ValueError, match="embedded null byte"):
        ort_info("/tmp/a\0b")
    with pytest.raises(ValueError, match="embedded null byte"):
        Session("/tmp/a\0b", ort_library_path())


def test_failure_does_not_stick(tmp_path: Path) -> None:
    path = tmp_path / Path(ort_library_path()).name
    with pytest.raises(OrtError, match="no such file"):
        ort_info(str(path))
    path.symlink_to(ort_library_path())
    assert ort_info(str(path))["version"] == ort_info(ort_library_path())["version"]
