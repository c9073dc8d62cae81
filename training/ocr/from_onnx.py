"""Back from the ONNX file that training/export.py wrote to a network that can be trained.

The exporter folds every batch norm into the convolution before it and packs an LSTM's weights in another
order; names are lost. So a fresh network of the architecture runs once to learn in which order its layers
work, and the n-th of them takes the weights of the n-th such node. Folded batch norms become the identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from lprfast import ModelError, _core
from lprfast._ort_library import ort_library_path
from lprfast.model import ModelContract
from training.ocr.evaluate import log_posteriors
from training.ocr.model import build_model

TOLERANCE = 1e-3  # of a log-posterior; another order of layers of equal shapes is far off
_SAME = ("blank", "mean", "scale", "resize_fit", "resize_kernel", "output")  # training knows no others

Array = NDArray[np.float32]


def network_from_onnx(path: Path) -> tuple[nn.Module, ModelContract]:
    """The network of an exported file in evaluation mode, answering as the file does, and its contract.

    Raises:
        ValueError: the file is no fp32 export of ``training/export.py`` or its architecture is not known.
    """
    try:
        proto = onnx.load(path)
        contract = ModelContract.from_metadata({p.key: p.value for p in proto.metadata_props}, path.name)
    except OSError as error:
        raise ValueError(f"{path}: cannot be opened: {error.strerror or error}") from None
    except ModelError as error:
        raise ValueError(str(error)) from None
    except Exception:  # protobuf's errors are of no public type
        raise ValueError(f"{path}: expected an ONNX file, got a file of another kind") from None
    _check_contract(path, contract)
    try:
        model = build_model(
            str(contract.training.get("arch")), contract.classes, contract.input_height
        ).eval()
        images = torch.randn(2, 1, contract.input_height, contract.input_width)
        model.load_state_dict(_weights(model, images, proto.graph))
    except ValueError as error:
        raise ValueError(f"{path}: the network cannot be rebuilt: {error}") from None
    answers = _core.Session(str(path), ort_library_path()).run(images.numpy())
    if not np.abs(answers - log_posteriors(model, images).numpy()).max() <= TOLERANCE:
        raise ValueError(f"{path}: the network cannot be rebuilt: it answers otherwise than the file")
    return model, contract


def _check_contract(path: Path, contract: ModelContract) -> None:
    if contract.precision != "fp32":
        raise ValueError(
            f"{path}: expected fp32 weights, got {contract.precision}: rounded weights are a bad start; "
            "give the fp32 file or the checkpoint that it was made from"
        )
    usual = ModelContract("usual", contract.charset)
    for key in _SAME:
        if getattr(contract, key) != getattr(usual, key):
            raise ValueError(
                f"{path}: {key} is {getattr(contract, key)!r}, training knows only {getattr(usual, key)!r}"
            )


class _Graph:
    """The nodes with weights of an ONNX graph, in order."""

    def __init__(self, graph: Any) -> None:
        self.constants = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
        self.nodes = list(graph.node)
        for node in self.nodes:  # the exporter keeps equal arrays once and refers to them
            if node.op_type == "Identity" and node.input[0] in self.constants:
                self.constants[node.output[0]] = self.constants[node.input[0]]

    def weighted(self) -> Iterator[tuple[str, list[Array | None]]]:
        """(kind, arrays) of every convolution, LSTM and linear layer: weights, then biases."""
        for node in self.nodes:
            given = [self.constants.get(name) for name in node.input]
            if node.op_type == "Conv":
                yield "Conv", [*given[1:], None][:2]
            elif node.op_type == "LSTM":
                yield "LSTM", given[1:4]
            elif node.op_type == "MatMul" and given[1] is not None:
                yield "Linear", [given[1].T, self._added(node.output[0])]
            elif node.op_type == "Gemm" and given[1] is not None:
                turned = any(a.name == "transB" and a.i for a in node.attribute)
                yield "Linear", [given[1] if turned else given[1].T, [*given, None][2]]

    def _added(self, name: str) -> Array | None:
        for node in self.nodes:
            if node.op_type == "Add" and name in node.input:
                return next((self.constants[i] for i in node.input if i in self.constants), None)
        return None


def _weights(model: nn.Module, images: Tensor, graph: Any) -> dict[str, Tensor]:
    source, state = _Graph(graph), model.state_dict()
    missing = {key for key in state if not key.endswith("num_batches_tracked")}
    nodes = source.weighted()

    def put(key: str, value: Array | None) -> None:
        if value is None or value.shape != tuple(state[key].shape):
            got = "nothing" if value is None else f"the shape {list(value.shape)}"
            raise ValueError(f"{key}: expected the shape {list(state[key].shape)}, got {got}")
        state[key] = torch.from_numpy(np.array(value, np.float32))
        missing.discard(key)

    names = {module: name for name, module in model.named_modules()}
    for layer, norm in _working_order(model, images):
        for key, value in _layer_weights(names[layer], layer, names[norm] if norm else "", norm, nodes):
            put(key, value)
    if next(nodes, None):
        raise ValueError("the file has more layers than the architecture")
    for key in sorted(missing):  # what is neither folded nor packed keeps its name
        put(key, source.constants.get(key))
    return state


def _layer_weights(
    name: str,
    layer: nn.Module,
    norm_name: str,
    norm: _BatchNorm | None,
    nodes: Iterator[tuple[str, list[Array | None]]],
) -> Iterator[tuple[str, Array | None]]:
    """(key, value) of one layer's parameters and of the batch norm after it."""

    def take(kind: str) -> list[Array | None]:
        got, arrays = next(nodes, ("nothing", []))
        if got != kind:
            raise ValueError(f"{name}: expected a node of the kind {kind}, got {got}")
        return arrays

    if isinstance(layer, nn.LSTM):
        for number in range(layer.num_layers):
            yield from _lstm(f"{name}.", number, take("LSTM"))
        return
    weight, bias = take("Conv" if isinstance(layer, _ConvNd) else "Linear")
    yield f"{name}.weight", weight
    if norm is not None:
        width = norm.num_features
        identity = {"weight": 1.0, "running_mean": 0.0, "running_var": 1.0 - norm.eps}
        for key, value in identity.items():
            yield f"{norm_name}.{key}", np.full(width, value, np.float32)
        yield f"{norm_name}.bias", np.zeros(width, np.float32) if bias is None else bias
        bias = np.zeros(width, np.float32)
    if layer.bias is not None:
        yield f"{name}.bias", bias


def _lstm(prefix: str, number: int, arrays: list[Array | None]) -> Iterator[tuple[str, Array]]:
    """ONNX stacks the gates as input, output, forget, cell; torch as input, forget, cell, output."""
    if any(array is None for array in arrays):
        raise ValueError(f"{prefix}weight_ih_l{number}: expected arrays of an LSTM, got none")
    for direction, values in enumerate(zip(*arrays, strict=True)):
        inputs, hidden, biases = values
        parts = {"weight_ih": inputs, "weight_hh": hidden}
        parts["bias_ih"], parts["bias_hh"] = np.split(biases, 2)
        for part, value in parts.items():
            i, o, f, c = np.split(value, 4)
            yield f"{prefix}{part}_l{number}{'_reverse' * direction}", np.concatenate([i, f, c, o])


@torch.no_grad()
def _working_order(model: nn.Module, images: Tensor) -> list[tuple[nn.Module, _BatchNorm | None]]:
    """The layers with weights in the order in which they work, each with the batch norm that follows it."""
    order: list[list[Any]] = []
    outputs: dict[int, tuple[int, Any]] = {}  # also keeps the outputs alive, so that no id comes twice

    def note(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if isinstance(module, _BatchNorm):
            if id(inputs[0]) in outputs:
                order[outputs[id(inputs[0])][0]][1] = module
        else:
            outputs[id(output)] = (len(order), output)
            order.append([module, None])

    kinds = (_ConvNd, nn.LSTM, nn.Linear, _BatchNorm)
    hooks = [m.register_forward_hook(note) for m in model.modules() if isinstance(m, kinds)]
    model(images)
    for hook in hooks:
        hook.remove()
    return [(layer, norm) for layer, norm in order]
