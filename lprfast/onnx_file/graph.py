"""A model file's graph as plain values: nodes, weights, inputs; read without the onnx package."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lprfast._core import ModelError
from lprfast.onnx_file.protobuf import BYTES, Value, WireError, delimited, fields, signed, varints

# Numbers of fields in onnx.proto3 (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3, Apache-2.0).
_MODEL_OPSET, _MODEL_GRAPH, _MODEL_PROPERTY = 8, 7, 14
_GRAPH_NODE, _GRAPH_WEIGHT, _GRAPH_INPUT, _GRAPH_OUTPUT = 1, 5, 11, 12
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 1, 2, 4, 5, 7
_ATTRIBUTE_NAME, _ATTRIBUTE_INT, _ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS = 1, 3, 5, 6, 11
_TENSOR_DIMS, _TENSOR_TYPE, _TENSOR_NAME = 1, 2, 8

_DEEPEST = 16  # graphs within graphs
_MOST_NODES = 200_000


@dataclass(frozen=True, slots=True)
class Tensor:
    """A weight: its shape and ONNX element type (1 float32, 2 uint8, 3 int8, 6 int32, 7 int64)."""

    shape: tuple[int, ...]
    element_type: int

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Node:
    """One operator: names of its inputs and outputs, whole-number attributes, and graphs within it."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    integers: Mapping[str, int]
    graphs: tuple[Graph, ...] = ()
    constant: Tensor | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in order, weights by name, inputs that are no weights with their shapes (text: a free axis)."""

    nodes: tuple[Node, ...]
    weights: Mapping[str, Tensor]
    inputs: Mapping[str, tuple[int | str, ...]]

    def all_nodes(self) -> Iterator[Node]:
        """Every node, those of graphs within nodes too."""
        for node in self.nodes:
            yield node
            for graph in node.graphs:
                yield from graph.all_nodes()


@dataclass(frozen=True, slots=True)
class Model:
    """A model file: its graph, its metadata, and the opset of the ONNX operators."""

    graph: Graph
    metadata: Mapping[str, str]
    opset: int


def read_model(data: bytes, source: str = "model") -> Model:
    """The model of an ONNX file's bytes.

    Raises:
        ModelError: they are no ONNX model, cut off, or nested too deeply; the message begins with ``source``.
    """
    try:
        return _model(memoryview(data))
    except WireError as error:
        raise _damaged(source, error) from None


def _damaged(source: str, error: WireError) -> ModelError:
    return ModelError(f"{source}: not an ONNX model, or damaged: {error}")


def with_outputs(data: bytes, names: list[str]) -> bytes:
    """The model with these tensors of its graph as further outputs.

    A second part of a message field adds to the first, so nothing is taken apart.
    """
    outputs = b"".join(delimited(_GRAPH_OUTPUT, delimited(1, name.encode())) for name in names)
    return data + delimited(_MODEL_GRAPH, outputs)


def output_names(data: bytes, source: str = "model") -> set[str]:
    """Names of the graph's outputs.

    Raises:
        ModelError: as ``read_model``, which does not look at them.
    """
    try:
        parts = [value for number, _, value in fields(memoryview(data)) if number == _MODEL_GRAPH]
        return {
            _text(entry, 1)
            for part in parts
            for number, _, entry in fields(_bytes(part))
            if number == _GRAPH_OUTPUT
        }
    except WireError as error:
        raise _damaged(source, error) from None


def _model(data: memoryview) -> Model:
    graph = bytearray()
    metadata: dict[str, str] = {}
    opset = 0
    for number, _, value in fields(data):
        if number == _MODEL_GRAPH:
            graph += _bytes(value)
        elif number == _MODEL_PROPERTY:
            metadata[_text(value, 1)] = _text(value, 2)
        elif number == _MODEL_OPSET and _text(value, 1) in ("", "ai.onnx"):
            opset = next((v for n, _, v in fields(_bytes(value)) if n == 2 and isinstance(v, int)), 0)
    if not graph:
        raise WireError("it has no graph")
    return Model(_graph(memoryview(graph), 0), metadata, opset)


def _graph(message: memoryview, depth: int) -> Graph:
    if depth > _DEEPEST:
        raise WireError("graphs within graphs, too many")
    nodes: list[Node] = []
    weights: dict[str, Tensor] = {}
    inputs: dict[str, tuple[int | str, ...]] = {}
    for number, _, value in fields(message):
        if number == _GRAPH_NODE:
            nodes.append(_node(_bytes(value), depth))
            if len(nodes) > _MOST_NODES:
                raise WireError(f"more than {_MOST_NODES} nodes")
        elif number == _GRAPH_WEIGHT:
            weights[_text(value, _TENSOR_NAME)] = _tensor(_bytes(value))
        elif number == _GRAPH_INPUT:
            inputs[_text(value, 1)] = _input_shape(_bytes(value))
    for node in nodes:
        if node.constant is not None and node.outputs:
            weights[node.outputs[0]] = node.constant
    return Graph(tuple(nodes), weights, {n: shape for n, shape in inputs.items() if n not in weights})


def _node(message: memoryview, depth: int) -> Node:
    inputs, outputs = [], []
    operator = domain = ""
    integers: dict[str, int] = {}
    graphs: list[Graph] = []
    constant = None
    for number, _, value in fields(message):
        if number == _NODE_INPUT:
            inputs.append(_string(value))
        elif number == _NODE_OUTPUT:
            outputs.append(_string(value))
        elif number == _NODE_OPERATOR:
            operator = _string(value)
        elif number == _NODE_DOMAIN:
            domain = _string(value)
        elif number == _NODE_ATTRIBUTE:
            constant = _attribute(_bytes(value), depth, integers, graphs) or constant
    name = operator if domain in ("", "ai.onnx") else f"{domain}.{operator}"
    constant = constant if name == "Constant" else None
    return Node(name, tuple(inputs), tuple(outputs), integers, tuple(graphs), constant)


def _attribute(
    message: memoryview, depth: int, integers: dict[str, int], graphs: list[Graph]
) -> Tensor | None:
    """Adds the attribute to those of its node; a tensor is answered."""
    name = _text(message, _ATTRIBUTE_NAME)
    tensor = None
    for number, _, value in fields(message):
        if number == _ATTRIBUTE_INT and isinstance(value, int):
            integers[name] = signed(value)
        elif number == _ATTRIBUTE_TENSOR:
            tensor = _tensor(_bytes(value))
        elif number in (_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS):
            graphs.append(_graph(_bytes(value), depth + 1))
    return tensor if name == "value" else None


def _tensor(message: memoryview) -> Tensor:
    shape: list[int] = []
    element_type = 0
    for number, _, value in fields(message):
        if number == _TENSOR_DIMS:
            shape += varints(value)
        elif number == _TENSOR_TYPE and isinstance(value, int):
            element_type = value
    if any(length < 0 for length in shape):
        raise WireError("a weight of negative size")
    return Tensor(tuple(shape), element_type)


def _input_shape(message: memoryview) -> tuple[int | str, ...]:
    """Of a ValueInfoProto: type (2), tensor_type (1), shape (2), dims (1) of a value (1) or a name (2)."""
    place = message
    for number in (2, 1, 2):
        found = [value for n, kind, value in fields(place) if n == number and kind == BYTES]
        if not found:
            return ()
        place = _bytes(found[-1])
    shape: list[int | str] = []
    for number, _, value in fields(place):
        if number == 1:
            parts = {n: v for n, _, v in fields(_bytes(value))}
            length = parts.get(1)
            shape.append(
                signed(length) if isinstance(length, int) else _string(parts.get(2, memoryview(b"")))
            )
    return tuple(shape)


def _bytes(value: Value) -> memoryview:
    if isinstance(value, int):
        raise WireError("a number where a message is expected")
    return value


def _string(value: Value) -> str:
    return bytes(_bytes(value)).decode("utf-8", "replace")


def _text(value: Value, number: int) -> str:
    """Field ``number`` of a message as text, the last one; "" without it."""
    found = [v for n, kind, v in fields(_bytes(value)) if n == number and kind == BYTES]
    return _string(found[-1]) if found else ""
