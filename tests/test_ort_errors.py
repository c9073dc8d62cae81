"""Broken models, wrong calls, devices and libraries that cannot be had: which error, and what it says."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from onnx import helper
from ort_models import FLOAT32, INT64, conv_model, images, model_bytes, run_python

from lprfast._core import ModelError, OrtError, Session, ort_info
from lprfast._ort_library import ort_library_path

LIBRARY = ort_library_path()


@pytest.fixture(scope="module")
def conv() -> Session:
    return Session(conv_model(), LIBRARY)


# ---- what a broken model or a wrong call raises


@pytest.mark.parametrize("data", [b"", b"junk", bytes(1000), b"\xff" * 1000, b"PK\x03\x04 a zip file"])
def test_junk(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"model of {len(data)} bytes: .*ONNX Runtime"):
        Session(data, LIBRARY)
    path = tmp_path / "junk.onnx"
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"model '.*junk\.onnx': .*ONNX Runtime"):
        Session(str(path), LIBRARY)


def test_truncated_anywhere() -> None:
    data = conv_model()
    graph_end = data.index(b"charset")  # cut later and the graph is whole, with some of the metadata
    for end in [*range(0, graph_end - 10, 7), graph_end]:
        with pytest.raises(ModelError):
            Session(data[:end], LIBRARY)


def test_damaged_bytes_never_raise_another_error() -> None:
    data = conv_model()
    rng = np.random.default_rng(11)
    for position, value in zip(rng.integers(0, len(data), 300), rng.integers(0, 256, 300), strict=True):
        damaged = bytearray(data)
        damaged[position] = value
        with contextlib.suppress(ModelError):  # much damage goes unnoticed
            Session(bytes(damaged), LIBRARY)


def test_error_that_quotes_bytes_that_are_no_text() -> None:
    with pytest.raises(ModelError, match="�elu"):
        Session(conv_model().replace(b"Relu", b"\xfaelu"), LIBRARY)


@pytest.mark.parametrize(
    ("name", "reason"), [("missing ó.onnx", "there is no such file"), ("", "it is not a file")]
)
def test_missing_file(tmp_path: Path, name: str, reason: str) -> None:
    path = tmp_path / name
    with pytest.raises(ModelError) as caught:
        Session(str(path), LIBRARY)
    assert str(caught.value) == f"model '{path}': {reason}"


def test_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match="it is not a file"):
        Session(str(tmp_path / "pipe"), LIBRARY)


@pytest.mark.parametrize("shape", [(2, 1, 8, 17), (2, 8, 16), (1, 2, 1, 8, 16), ()])
def test_wrong_input_shape(conv: Session, shape: tuple[int, ...]) -> None:
    with pytest.raises(OrtError, match=r"(?s)running on an input of shape \[.*Got.*Expected.*error 2"):
        conv.run(np.zeros(shape, np.float32))
    assert conv.run(images(1)).shape == (1, 4, 8, 16)


@pytest.mark.parametrize(
    ("array", "error", "got"),
    [
        (images(1).astype(np.float64), TypeError, "float64 array of shape"),
        (images(1).astype(">f4"), TypeError, "float32|>f4"),
        (images(2)[:, :, ::2], ValueError, "not in C order"),
        (images(1).tolist(), TypeError, "list"),
        (None, TypeError, "NoneType"),
    ],
)
def test_wrong_array(conv: Session, array: object, error: type[Exception], got: str) -> None:
    with pytest.raises(error, match=f"array: expected a float32 array .*{got}"):
        conv.run(array)


def _two_inputs() -> bytes:
    inputs = [("left", FLOAT32, [1, 3]), ("right", FLOAT32, ["n", 3])]
    return model_bytes(
        [helper.make_node("Add", ["left", "right"], ["y"])], inputs, [("y", FLOAT32, ["n", 3])]
    )


def _two_outputs() -> bytes:
    nodes = [helper.make_node("Neg", ["x"], ["y"]), helper.make_node("Shape", ["x"], ["z"])]
    return model_bytes(nodes, [("x", FLOAT32, [2])], [("y", FLOAT32, [2]), ("z", INT64, [1])])


def _integer_input() -> bytes:
    node = helper.make_node("Cast", ["x"], ["y"], to=FLOAT32)
    return model_bytes([node], [("x", INT64, ["n"])], [("y", FLOAT32, ["n"])])


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            _two_inputs(),
            r"one float32 input, this one has 2: 'left' float32 \[1, 3\], 'right' float32 \[-1, 3\]",
        ),
        (_two_outputs(), r"one float32 output, this one has 2: 'y' float32 \[2\], 'z' int64 \[1\]"),
        (_integer_input(), r"one float32 input, this one has 1: 'x' int64 \[-1\]"),
    ],
)
def test_model_that_is_not_one_to_one(model: bytes, expected: str) -> None:
    with pytest.raises(ModelError, match=expected):
        Session(model, LIBRARY)


@pytest.mark.parametrize("threads", [0, -1, 257])
def test_threads_out_of_range(threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads: expected 1 to 256, got {threads}"):
        Session(conv_model(), LIBRARY, threads=threads)


def test_model_of_another_type() -> None:
    with pytest.raises(TypeError, match="int"):
        Session(3, LIBRARY)


# ---- devices


@pytest.mark.parametrize("device", ["", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda:99999", "cpu:0"])
def test_unknown_device(device: str) -> None:
    with pytest.raises(ValueError, match=f"device: expected 'cpu', 'cuda' or 'cuda:N', got '{device}'"):
        Session(conv_model(), LIBRARY, device=device)


CUDA_ERRORS = """
    import json, sys
    from lprfast._core import OrtError, Session, ort_info
    library, messages = sys.argv[1], []
    def attempt(device):
        try:
            Session(b"never looked at", library, device=device)
        except OrtError as error:
            messages.append(str(error))
    attempt("cuda")
    sys.modules["onnxruntime"] = sys
    attempt("cuda:1")
    print(json.dumps([messages, ort_info(library)["providers"]]))
"""


def _patched_library(folder: Path, old: bytes, new: bytes) -> Path:
    """A copy of the library with one string of the same length changed."""
    data = Path(LIBRARY).read_bytes()
    assert len(old) == len(new)
    assert old in data
    path = folder / Path(LIBRARY).name
    path.write_bytes(data.replace(old, new))
    return path


def test_cuda_where_the_library_has_none() -> None:
    messages, providers = json.loads(run_python(CUDA_ERRORS, LIBRARY))
    assert "CUDAExecutionProvider" not in providers
    for device, message in zip(("cuda", "cuda:1"), messages, strict=True):
        assert message.startswith(f"device '{device}': ONNX Runtime ")
        assert f"offers only {', '.join(providers)}; install onnxruntime-gpu" in message


def test_cuda_that_is_listed_but_does_not_start(tmp_path: Path) -> None:
    listed = _patched_library(tmp_path, b"\0AzureExecutionProvider\0", b"\0CUDAExecutionProvider\0\0")
    messages, providers = json.loads(run_python(CUDA_ERRORS, str(listed)))
    assert "CUDAExecutionProvider" in providers
    assert "'cuda': the CUDA and cuDNN libraries" in messages[0]
    assert "CUDA execution provider is not enabled in this build" in messages[0]
    assert "'cuda:1': the Python package onnxruntime is imported in this process" in messages[1]


def test_library_that_is_too_old(tmp_path: Path) -> None:
    version = ort_info(LIBRARY)["version"]
    old = "1.19." + "9" * (len(version) - 5)
    path = _patched_library(tmp_path, version.encode() + b"\0", old.encode() + b"\0")
    code = """
        import sys
        from lprfast._core import OrtError, ort_info
        try:
            ort_info(sys.argv[1])
        except OrtError as error:
            print(error)
    """
    assert f"its version is {old}, at least 1.20 is needed" in run_python(code, str(path))
