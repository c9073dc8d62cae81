"""What a model file costs: parameters and multiply-accumulates, from its graph and one run."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lprfast import _core
from lprfast._core import ModelError
from lprfast._ort_library import ort_library_path
from lprfast.onnx_file.graph import Graph, Node, output_names, read_model, with_outputs

COUNTED = ("Conv", "ConvTranspose", "LSTM", "com.microsoft.DynamicQuantizeLSTM", "MatMul", "Gemm")

_NUMBERS_OF_WEIGHTS = (1, 2, 3, 6, 10, 11, 16)  # float32, uint8, int8, int32, float16, float64, bfloat16

Shapes = Mapping[str, Sequence[int]]


def parameters(graph: Graph) -> int:
    """Elements of all weights, once each: no steps of quantising, no factors of resizing, no shapes."""
    steps = {
        name
        for node in graph.all_nodes()
        if node.operator in ("QuantizeLinear", "DequantizeLinear", "Resize")
        for name in node.inputs[1:]
    }
    graphs = [graph, *(inner for node in graph.all_nodes() for inner in node.graphs)]
    weights = [(name, tensor) for one in graphs for name, tensor in one.weights.items()]
    return sum(
        tensor.size
        for name, tensor in weights
        if name not in steps and tensor.element_type in _NUMBERS_OF_WEIGHTS
    )


def macs(data: bytes, size: Sequence[int] | None = None, source: str = "model") -> int:
    """Multiply-accumulates per crop of convolutions, LSTMs and matrix products.

    Args:
        data: an ONNX file's bytes.
        size: height and width of the input where the model leaves them free.
        source: begins error messages.

    Raises:
        ModelError: no ONNX model, or one that cannot be run; a tensor's shape does not show in a run.
        ValueError: the model leaves its size free and none is given.
        OrtError: ONNX Runtime cannot be had.
    """
    graph = read_model(data, source).graph
    shapes = run_shapes(data, size, source)
    return sum(node_macs(node, shapes, source) for node in graph.nodes)


def node_macs(node: Node, shapes: Shapes, source: str = "model") -> int:
    """Those of one node; 0 for an operator that is none of ``COUNTED``."""
    if node.operator not in COUNTED:
        return 0
    for name in (*node.inputs[:2], node.outputs[0]):
        if name not in shapes:
            raise ModelError(f"{source}: {node.operator}: the shape of {name!r} is not known")
    first, weights, answer = (shapes[name] for name in (*node.inputs[:2], node.outputs[0]))
    if node.operator == "Conv":
        return math.prod(weights) * math.prod(answer[2:])
    if node.operator == "ConvTranspose":
        return math.prod(weights) * math.prod(first[2:])
    if node.operator in ("MatMul", "Gemm"):
        return math.prod(answer) * first[0 if node.integers.get("transA") else -1]
    # LSTM: both matrices at each step
    return first[0] * sum(math.prod(shapes[name]) for name in node.inputs[1:3])


def run_shapes(data: bytes, size: Sequence[int] | None = None, source: str = "model") -> Shapes:
    """The shape of every tensor in a run of one crop. Arguments and errors as for :func:`macs`."""
    graph = read_model(data, source).graph
    if len(graph.inputs) != 1:
        raise ModelError(f"{source}: expected a model of one input, this one has {len(graph.inputs)}")
    ((name, declared),) = graph.inputs.items()
    shape = input_size(declared, size, source)
    names = [output for node in graph.nodes for output in node.outputs if output]
    old = output_names(data, source)
    new = [name for name in names if name not in old]
    try:
        found = _core.ort_shapes(ort_library_path(), with_outputs(data, new), name, shape, names)
    except ModelError as error:
        raise ModelError(f"{source}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{source}: the size to count for: {error}") from None
    weights = {key: tensor.shape for key, tensor in graph.weights.items()}
    return {**weights, name: tuple(shape), **found}


def input_size(declared: Sequence[int | str], size: Sequence[int] | None, source: str) -> list[int]:
    """The shape of one crop's input: the first axis is 1, free last ones are ``size``."""
    shape: list[int] = [1]
    wanted: list[int | None] = [None] * len(declared)
    if size is not None and len(declared) > 2:
        wanted[-2:] = size
    for axis, (length, given) in enumerate(zip(declared, wanted, strict=True)):
        if axis == 0:
            continue
        value = length if isinstance(length, int) and length > 0 else given
        if value is None:
            raise ValueError(
                f"{source}: the model leaves axis {axis} of its input {list(declared)} free; state "
                "height and width to count for"
            )
        shape.append(value)
    return shape
