"""Tiny super-resolution models whose answer can be worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from lprfast import SrContract


def sr_contract(**changes: Any) -> SrContract:
    return SrContract(**{"name": "tiny", "scale": 4, "channels": 1, **changes})


def nearest_weights(scale: int, channels: int) -> npt.NDArray[np.float32]:
    """A 1 x 1 convolution before DepthToSpace (CRD): each pixel into its scale x scale square."""
    weights = np.zeros((channels * scale * scale, channels, 1, 1), np.float32)
    for channel in range(channels):
        weights[channel * scale * scale : (channel + 1) * scale * scale, channel] = 1
    return weights


def sr_model(
    scale: int = 4,
    channels: int = 1,
    *,
    weights: npt.NDArray[np.float32] | None = None,
    metadata: dict[str, str] | None = None,
    shape: tuple[str | int, ...] | None = None,
    gain: float = 1.0,
) -> bytes:
    """Convolution and DepthToSpace; nearest upsampling times ``gain`` unless there are weights."""
    kernel = nearest_weights(scale, channels) * np.float32(gain) if weights is None else weights
    pad = kernel.shape[-1] // 2
    nodes = [
        helper.make_node("Conv", ["images", "weights"], ["features"], name="conv", pads=[pad] * 4),
        helper.make_node("DepthToSpace", ["features"], ["upscaled"], blocksize=scale, mode="CRD"),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape or ("N", channels, "H", "W"))],
        [helper.make_tensor_value_info("upscaled", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(kernel, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    given = sr_contract(scale=scale, channels=channels).to_metadata() if metadata is None else metadata
    helper.set_model_props(model, given)
    return bytes(model.SerializeToString())


def nearest(crop: npt.NDArray[np.uint8], scale: int) -> npt.NDArray[np.uint8]:
    """What the model with its own weights answers."""
    return crop.repeat(scale, axis=0).repeat(scale, axis=1)


def checked(model: bytes) -> bytes:
    """The same bytes, after onnx's own checker."""
    onnx.checker.check_model(onnx.load_from_string(model))
    return model
