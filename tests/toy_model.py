"""A reader whose answer can be worked out by hand: each time step reads the mean gray of its 4 pixel columns.

Class k answers to the gray level ``LEVEL * k + LEVEL / 2``; the nearest class wins, its neighbours are
``exp(-SHARPNESS * LEVEL**2)`` less likely. So a crop of 32 x 128 pixels spells a text, one class per step.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from lprfast import ModelContract

LEVEL = 6
SHARPNESS = 0.5
STEPS = 32
CHARSET = tuple("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def contract(**changes: object) -> ModelContract:
    values: dict[str, object] = {
        "name": "toy",
        "charset": CHARSET,
        "mean": 0.0,
        "scale": 1.0,
        "resize_kernel": "bilinear",
        "output": "logits",
    }
    return ModelContract(**{**values, **changes})  # type: ignore[arg-type]


def model_bytes(metadata: dict[str, str] | None = None, *, classes: int = len(CHARSET) + 1) -> bytes:
    """The toy reader as ONNX bytes, with the metadata of :func:`contract` unless others are given."""
    centres = (np.arange(classes, dtype=np.float32) * LEVEL + LEVEL / 2).reshape(1, 1, classes)
    constants = {
        "centres": centres,
        "sharpness": np.float32([-SHARPNESS]),
        "columns": np.int64([-1, STEPS, 4]),
        "last": np.int64([2]),
    }
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["row_means"], axes=[1, 2], keepdims=0),
        helper.make_node("Reshape", ["row_means", "columns"], ["by_step"]),
        helper.make_node("ReduceMean", ["by_step"], ["levels"], axes=[2], keepdims=1),
        helper.make_node("Sub", ["levels", "centres"], ["distance"]),
        helper.make_node("Mul", ["distance", "distance"], ["squared"]),
        helper.make_node("Mul", ["squared", "sharpness"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 1, 32, 4 * STEPS])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", STEPS, classes])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, contract().to_metadata() if metadata is None else metadata)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def crop_of(classes: Sequence[int]) -> npt.NDArray[np.uint8]:
    """The 32 x 128 gray crop whose time steps show these classes, the rest blank (class 0)."""
    steps = np.zeros(STEPS, dtype=np.uint8)
    steps[: len(classes)] = classes
    row = np.repeat(steps * LEVEL + LEVEL // 2, 4).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(row, (32, 4 * STEPS)))


def crop_of_text(text: str) -> npt.NDArray[np.uint8]:
    """A crop that spells the text: each character for two steps, then a blank."""
    classes: list[int] = []
    for symbol in text:
        label = CHARSET.index(symbol) + 1
        classes += [label, label, 0]
    return crop_of(classes)


def metadata_without(key: str) -> dict[str, str]:
    return {name: value for name, value in contract().to_metadata().items() if name != key}


def metadata_with(**changes: str) -> dict[str, str]:
    return {**contract().to_metadata(), **changes}


def charset_json(symbols: Sequence[str]) -> str:
    return json.dumps(list(symbols), ensure_ascii=False)
