"""Tiny ONNX models for the tests, and a way to run code where no other test has been."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT32, INT64 = TensorProto.FLOAT, TensorProto.INT64

METADATA = {"charset": '["A", "Ż", "ó", "京"]', "empty": "", "ключ": "значение\nв две строки"}


def model_bytes(nodes, inputs, outputs, initializers=(), metadata=None) -> bytes:
    """A serialised model; inputs and outputs are (name, element type, shape)."""
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(*value) for value in inputs],
        [helper.make_tensor_value_info(*value) for value in outputs],
        [numpy_helper.from_array(array, name) for name, array in initializers],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    return model.SerializeToString()


def conv_model(channels: int = 4) -> bytes:
    """Two convolutions: x [batch, 1, 8, 16] -> y [batch, channels, 8, 16], with METADATA."""
    rng = np.random.default_rng(3)
    first = rng.standard_normal((channels, 1, 3, 3)).astype(np.float32)
    second = rng.standard_normal((channels, channels, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["x", "a"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Conv", ["r", "b"], ["y"], pads=[1, 1, 1, 1]),
    ]
    return model_bytes(
        nodes,
        [("x", FLOAT32, ["batch", 1, 8, 16])],
        [("y", FLOAT32, ["batch", channels, 8, 16])],
        [("a", first), ("b", second)],
        METADATA,
    )


def one_node_model(operator: str, output_shape, constants=(), **attributes) -> bytes:
    """x float32 [a, b] -> operator -> y float32 of ``output_shape``."""
    node = helper.make_node(operator, ["x", *(name for name, _ in constants)], ["y"], **attributes)
    return model_bytes([node], [("x", FLOAT32, ["a", "b"])], [("y", FLOAT32, output_shape)], constants)


def images(batch: int, seed: int = 0) -> np.ndarray:
    """float32 [batch, 1, 8, 16], what conv_model takes."""
    return np.random.default_rng(seed).standard_normal((batch, 1, 8, 16)).astype(np.float32)


def run_python(code: str, *arguments: str, env: dict[str, str | None] | None = None) -> str:
    """Standard output of ``code`` in a fresh interpreter, which must succeed; None unsets a variable."""
    root = str(Path(__file__).parents[1])
    variables = {**os.environ, "ORT_DISABLE_TELEMETRY": "1", "PYTHONPATH": root, **(env or {})}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def reference(model: Path, inputs: np.ndarray, folder: Path) -> np.ndarray:
    """What the Python package onnxruntime answers, in a process of its own."""
    np.save(folder / "in.npy", inputs)
    code = """
        import sys, numpy, onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
        numpy.save(sys.argv[3], session.run(None, {session.get_inputs()[0].name: numpy.load(sys.argv[2])})[0])
    """
    run_python(code, str(model), str(folder / "in.npy"), str(folder / "out.npy"))
    return np.load(folder / "out.npy")
