"""What a model file is made of, and where it can run: behind ``lprfast models check``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lprfast._core import ModelError
from lprfast.model import ModelContract
from lprfast.onnx_file.costs import COUNTED, input_size, node_macs, parameters, run_shapes
from lprfast.onnx_file.edge_operators import EDGE_NOTES, EDGE_OPERATORS, INT8_OPERATORS
from lprfast.onnx_file.graph import Graph, Node, read_model
from lprfast.sr_contract import SrContract

# Of models that leave it free: height and width of a plate that is worth enlarging.
DEFAULT_SIZE = (24, 80)

_QUANTIZE, _DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"
_ACTIVATIONS = ("Relu", "Clip")  # a following one becomes part of an integer convolution's bounds


@dataclass(frozen=True, slots=True)
class OperatorUse:
    """One operator of a model.

    Attributes:
        name: as in ONNX; of other domains with the domain.
        count: nodes.
        macs: multiply-accumulates of these nodes for one crop.
        quantises: whether static quantising to 8 bits, as this project does it, takes it.
        quantised: nodes that have it, between DequantizeLinear and QuantizeLinear.
        edge: whether it is on the list of what NPUs take.
        note: what else to know of it, or "".
    """

    name: str
    count: int
    macs: int
    quantises: bool
    quantised: int
    edge: bool
    note: str


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """What a file holds.

    Attributes:
        path: of the file.
        task: ``ocr`` or ``sr``; "" where the metadata do not say.
        contract_error: why its metadata are no contract; "" where they are.
        opset: of the ONNX operators.
        parameters: elements of the weights.
        macs: multiply-accumulates for one crop of ``input_shape``.
        declared_shape: the input as the file declares it; text stands for a free axis.
        input_shape: what was run, one crop.
        free_axes: names or numbers of the axes that are not fixed, the batch's left out.
        operators: the most frequent first.
        quantised_macs: share of ``macs`` in integer arithmetic, 0-1.
        has_qdq: whether the file holds QuantizeLinear or DequantizeLinear.
    """

    path: str
    task: str
    contract_error: str
    opset: int
    parameters: int
    macs: int
    declared_shape: tuple[int | str, ...]
    input_shape: tuple[int, ...]
    free_axes: tuple[str, ...]
    operators: tuple[OperatorUse, ...]
    quantised_macs: float
    has_qdq: bool

    @property
    def not_on_edge(self) -> tuple[str, ...]:
        """Operators that are not on the list of what NPUs take."""
        return tuple(use.name for use in self.operators if not use.edge)

    @property
    def not_quantising(self) -> tuple[str, ...]:
        """Operators that stay in floating point when the model is quantised."""
        return tuple(use.name for use in self.operators if not use.quantises)

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "not_on_edge": self.not_on_edge, "not_quantising": self.not_quantising}


def check_model(path: Path, size: Sequence[int] = DEFAULT_SIZE) -> ModelCheck:
    """Looks into a model file, and runs it once on an empty crop.

    Args:
        path: of an ONNX file of one input.
        size: height and width of the crop where the model leaves them free.

    Raises:
        ModelError: the file cannot be read, is no ONNX model, or cannot be run.
        OrtError: ONNX Runtime cannot be had.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror or error}") from None
    source = str(path)
    model = read_model(data, source)
    shapes = run_shapes(data, size, source)
    graph = model.graph
    quantised = {id(node) for node in quantised_nodes(graph)}
    costs = {id(node): node_macs(node, shapes, source) for node in graph.nodes}
    total = sum(costs.values())
    (declared,) = graph.inputs.values()
    in_integers = sum(cost for key, cost in costs.items() if key in quantised)
    uses = _operators(graph, costs, quantised)
    return ModelCheck(
        path=source,
        task=model.metadata.get("task", ""),
        contract_error=_contract_error(model.metadata, source),
        opset=model.opset,
        parameters=parameters(graph),
        macs=total,
        declared_shape=declared,
        input_shape=tuple(input_size(declared, size, source)),
        free_axes=_free_axes(declared),
        operators=uses,
        quantised_macs=in_integers / total if total else 0.0,
        has_qdq=any(use.name in (_QUANTIZE, _DEQUANTIZE) for use in uses),
    )


def quantised_nodes(graph: Graph) -> list[Node]:
    """Nodes of integer arithmetic: operands from DequantizeLinear, answer to QuantizeLinear.

    Operands are the first input, and of convolutions and matrix products the second. The answer may pass a
    Relu or Clip on its way. ONNX Runtime makes one integer operator of such a group.
    """
    made_by = {name: node for node in graph.nodes for name in node.outputs}
    used_by: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            used_by.setdefault(name, []).append(node)

    # From the end: users stand after what they use, and a chain may be longer than Python's stack.
    to_integers: set[int] = set()
    for node in reversed(graph.nodes):
        users = [user for name in node.outputs for user in used_by.get(name, ())]
        if users and all(
            user.operator == _QUANTIZE or (user.operator in _ACTIVATIONS and id(user) in to_integers)
            for user in users
        ):
            to_integers.add(id(node))

    def from_integers(name: str) -> bool:
        maker = made_by.get(name)
        return maker is not None and maker.operator == _DEQUANTIZE

    return [
        node
        for node in graph.nodes
        if node.operator in INT8_OPERATORS
        and all(map(from_integers, node.inputs[: 2 if node.operator in COUNTED else 1]))
        and id(node) in to_integers
    ]


def _operators(graph: Graph, costs: Mapping[int, int], quantised: set[int]) -> tuple[OperatorUse, ...]:
    counts = Counter(node.operator for node in graph.all_nodes())
    return tuple(
        OperatorUse(
            name,
            count,
            sum(costs[id(node)] for node in graph.nodes if node.operator == name),
            name in INT8_OPERATORS or name in (_QUANTIZE, _DEQUANTIZE, "Constant", "Identity"),
            sum(node.operator == name and id(node) in quantised for node in graph.nodes),
            name in EDGE_OPERATORS,
            EDGE_NOTES.get(name, ""),
        )
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _free_axes(declared: Sequence[int | str]) -> tuple[str, ...]:
    """Named axes, and those of no name or of a length that is none (some exporters write -1)."""
    return tuple(
        length if isinstance(length, str) and length else f"axis {axis}"
        for axis, length in enumerate(declared)
        if axis and (isinstance(length, str) or length < 1)
    )


def _contract_error(metadata: Mapping[str, str], source: str) -> str:
    contract = SrContract if metadata.get("task") == "sr" else ModelContract
    try:
        contract.from_metadata(metadata, source)
    except ModelError as error:
        return str(error)
    return ""
