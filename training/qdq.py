"""Static int8 of an ONNX graph, as pairs of QuantizeLinear and DequantizeLinear (QDQ).

int8 weights per output channel, uint8 activations whose ranges come from calibration images. Of a reader the
stem stays fp32, because a convolution of one input channel is slower in int8 and one of few gains nothing,
and so does the last layer, which costs little and whose answers would be coarse. Weights take 7 of their 8
bits, because AVX2 without VNNI adds pairs of products in 16 bits.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process

CALIBRATION_BATCH = 20
MAX_PAIR = 128  # 255 * 128 = 32640 still fits the 16 bits in which AVX2 adds two products
LAYERS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
QUANTISED = (*LAYERS, "Relu", "Add")  # lprfast/onnx_file/edge_operators.py says what else lies between them
METHODS = {
    "minmax": quantization.CalibrationMethod.MinMax,
    "percentile": quantization.CalibrationMethod.Percentile,
}

Images = NDArray[np.float32]


class QuantizeError(RuntimeError):
    """The int8 model is not as good, or not as safe, as it must be."""


class _Batches(quantization.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, name: str, images: Images) -> None:
        starts = range(0, len(images), CALIBRATION_BATCH)
        self._batches: Iterator[dict[str, Images]] = iter(
            [{name: images[start : start + CALIBRATION_BATCH]} for start in starts]
        )

    def get_next(self) -> dict[str, Images] | None:
        return next(self._batches, None)


def quantize(
    proto: onnx.ModelProto, images: Images, method: str, lstm: str, stem: int, last: bool = False
) -> onnx.ModelProto:
    """Convolutions and matrix products to int8 by the ranges that ``images [N, C, h, w]`` show.

    ``method`` and ``lstm``: see ``training.quantize.Recipe``; ``stem``: how many of the first convolutions
    stay fp32, 0 or more; ``last``: the last convolution and the last layer become int8 too.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain, static, dynamic = (
            str(Path(folder) / f"{name}.onnx") for name in ("plain", "static", "dynamic")
        )
        # Without it two layers that share one constant keep one of them in fp32. It moves the weights of
        # what it is given into a file, so that is a copy.
        quant_pre_process(copy.deepcopy(proto), plain, skip_symbolic_shape=True)
        proto = onnx.load(plain)
        quantization.quantize_static(
            proto,
            static,
            _Batches(proto.graph.input[0].name, images),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=_kept_in_fp32(proto, stem, last),
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=METHODS[method],
        )
        if lstm != "dynamic":
            return onnx.load(static)
        quantization.quantize_dynamic(
            static,
            dynamic,
            op_types_to_quantize=["LSTM"],
            per_channel=True,
            reduce_range=True,
            weight_type=quantization.QuantType.QInt8,
        )
        return onnx.load(dynamic)


def _kept_in_fp32(proto: onnx.ModelProto, stem: int, last: bool) -> list[str]:
    """The first ``stem`` convolutions; unless ``last``, the last one and the last layer; additions of a
    constant: its bias; and all that finds the line: a corner that is off by its rounding cuts characters."""
    constants = {tensor.name for tensor in proto.graph.initializer}
    layers = [node for node in proto.graph.node if node.op_type in LAYERS]
    biases = [
        node for node in proto.graph.node if node.op_type == "Add" and not constants.isdisjoint(node.input)
    ]
    finding = _finding(proto)
    convolutions = [node for node in layers if node.op_type == "Conv" and node.name not in finding]
    # The last convolution feeds the LSTM: in int8 a slim reader behind a locator read next to nothing.
    ends = () if last else (*convolutions[stem:][-1:], *layers[-1:])
    kept = (*convolutions[:stem], *ends, *biases)
    return [*sorted(finding), *(node.name for node in kept)]


def _finding(proto: onnx.ModelProto) -> set[str]:
    """Names of the nodes that find the line and cut it out, all before the reader's first layer; none in
    models without a locator. The cutting out is what gathers."""
    nodes = list(proto.graph.node)
    last = max((k for k, node in enumerate(nodes) if node.op_type == "GatherElements"), default=-1)
    first = next((k for k in range(last + 1, len(nodes)) if nodes[k].op_type in LAYERS), 0)
    return {node.name for node in nodes[:first]} if last >= 0 else set()


def worst_pairs(proto: onnx.ModelProto) -> dict[str, int]:
    """For each int8 layer the largest ``|w_i| + |w_j|`` of two weights of one output.

    Which inputs the processor pairs depends on the layout that the runtime chooses; all pairs are covered.
    """
    constants = {tensor.name: tensor for tensor in proto.graph.initializer}
    sources = {
        node.output[0]: node.input[0] for node in proto.graph.node if node.op_type == "DequantizeLinear"
    }
    found = {}
    for node in proto.graph.node:
        inputs = (1, 2) if node.op_type == "DynamicQuantizeLSTM" else (1,)
        if node.op_type not in (*LAYERS, "DynamicQuantizeLSTM"):
            continue
        for place in inputs:
            tensor = constants.get(sources.get(node.input[place], node.input[place]))
            if tensor is not None and tensor.data_type == onnx.TensorProto.INT8:
                found[f"{node.name}, input {place}"] = _worst_pair(node, numpy_helper.to_array(tensor))
    return found


def _worst_pair(node: onnx.NodeProto, weights: NDArray[np.int8]) -> int:
    sizes = np.abs(weights.astype(np.int64))
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    if node.op_type == "ConvTranspose":  # [inputs, outputs, ...]
        sizes = np.swapaxes(sizes, 0, 1)
    if node.op_type in ("Conv", "ConvTranspose") or transposed:
        per_output = sizes.reshape(len(sizes), -1)
    else:
        per_output = np.swapaxes(sizes, -1, -2).reshape(-1, sizes.shape[-2])  # [..., inputs, outputs]
    return int(np.sort(per_output, axis=1)[:, -2:].sum(axis=1).max())


def check_pairs(proto: onnx.ModelProto) -> None:
    """Raises QuantizeError if a processor without VNNI could saturate, or if nothing was quantised."""
    pairs = worst_pairs(proto)
    if not pairs:
        raise QuantizeError("the model has no convolution or matrix product that could be quantised")
    for name, pair in pairs.items():
        if pair > MAX_PAIR:
            raise QuantizeError(
                f"{name}: two weights of one output add up to {pair}, expected at most {MAX_PAIR}: "
                "a processor with AVX2 and without VNNI would saturate"
            )
