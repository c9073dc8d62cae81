"""The table of costs: multiplications against counts by hand, bad arguments."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from lprfast.model import ModelContract
from lprfast.onnx_file.costs import macs
from training.export import to_onnx
from training.ocr.model import build_model
from training.synth import CHARSET


def load_tool() -> Any:
    """``bench`` is no package."""
    path = Path(__file__).parent.parent / "bench" / "model_costs.py"
    spec = importlib.util.spec_from_file_location("model_costs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


model_costs = load_tool()


def exported(arch: str, height: int, width: int) -> bytes:
    contract = ModelContract(name=arch, charset=CHARSET, input_height=height, input_width=width)
    return to_onnx(build_model(arch, len(CHARSET) + 1, height).eval(), contract).SerializeToString()


def test_a_reader_behind_a_locator_by_hand() -> None:
    locator = (
        9 * 1 * 16 * (16 * 64)
        + 9 * 16 * 32 * (8 * 32)
        + 9 * 32 * 48 * (4 * 16)
        + 9 * 48 * 64 * (4 * 8)
        + (64 * 4 * 8) * 48
        + 48 * 8
    )
    grid = (32 * 128) * 4 * 2
    reader = (
        25 * 1 * 32 * (16 * 64)
        + 9 * 32 * 64 * (8 * 32)
        + 2 * 9 * 64 * 64 * (8 * 32)
        + 9 * 64 * 128 * (4 * 32)
        + 9 * 128 * 128 * (2 * 32)
        + 2 * 128 * 128 * 32
    )
    lstm = 32 * 2 * 4 * 96 * (128 + 96)
    head = 32 * 2 * 96 * 79
    assert len(CHARSET) + 1 == 79
    found = macs(exported("aligned_slim", 64, 256))
    assert found == locator + grid + reader + lstm + head == 53_553_536


def test_a_reader_of_convolutions_by_hand() -> None:
    stem = 9 * 32 * (16 * 64) + 9 * 32 * 64 * (8 * 32)
    middle = 2 * 9 * 64 * 64 * (8 * 32) + 9 * 64 * 128 * (4 * 32) + 2 * 9 * 128 * 128 * (4 * 32)
    rest = 4 * 128 * 160 * 32 + 3 * 5 * 160 * 160 * 32 + 160 * 79 * 32
    assert macs(exported("conv", 32, 128)) == stem + middle + rest


@pytest.mark.parametrize("transposed", [0, 1])
def test_a_gemm_counts_once(transposed: int) -> None:
    shape = [3, 1] if transposed else [1, 3]
    nodes = [
        helper.make_node("Reshape", ["images", "shape"], ["row"]),
        helper.make_node("Gemm", ["row", "weights"], ["answer"], transA=transposed),
    ]
    constants = {"shape": np.int64(shape), "weights": np.zeros((3, 5), np.float32)}
    graph = helper.make_graph(
        nodes,
        "gemm",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 3])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, ["N", 5])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    assert macs(proto.SerializeToString()) == 15


def test_an_unknown_shape_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lprfast.onnx_file.costs.run_shapes", lambda *arguments: {})
    with pytest.raises(ValueError, match="is not known"):
        macs(exported("conv", 32, 128))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["unicorn"], "no bundled model is called 'unicorn'"),
        (["none.onnx"], "none.onnx: no such file"),
        (["default", "--rounds", "0"], "--rounds: expected 1 or more, got 0"),
    ],
)
def test_bad_arguments_end_with_a_message(arguments: list[str], message: str, capsys: Any) -> None:
    assert model_costs.main(arguments) == 2
    assert message in capsys.readouterr().err
