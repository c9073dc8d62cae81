"""What a model file is made of: against the onnx package, by hand, and on damaged files."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sr_models import sr_contract, sr_model
from test_cli import run
from toy_model import model_bytes

from lprfast import ModelError, OrtError
from lprfast.models import model_path
from lprfast.onnx_file.check import check_model, quantised_nodes
from lprfast.onnx_file.costs import macs, node_macs, parameters
from lprfast.onnx_file.edge_operators import EDGE_NOTES, EDGE_OPERATORS
from lprfast.onnx_file.graph import Graph, Node, read_model, with_outputs


def quantised_model(second_operator: str = "Conv") -> bytes:
    """DequantizeLinear, Conv of 3 x 3 from 1 to 8, Relu, QuantizeLinear; then a float operator."""
    constants: dict[str, Any] = {
        "scale": np.float32(0.1),
        "zero": np.uint8(0),
        "weights8": np.ones((8, 1, 3, 3), np.int8),
        "zero8": np.int8(0),
        "last": np.ones((4, 8, 1, 1), np.float32),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["images", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["x"]),
        helper.make_node("DequantizeLinear", ["weights8", "scale", "zero8"], ["w"]),
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("QuantizeLinear", ["r", "scale", "zero"], ["rq"]),
        helper.make_node("DequantizeLinear", ["rq", "scale", "zero"], ["rx"]),
        helper.make_node("Conv", ["rx", "last"], ["d"]),
        helper.make_node("DepthToSpace", ["d"], ["upscaled"], blocksize=2, mode="CRD"),
    ]
    graph = helper.make_graph(
        nodes,
        "quantised",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 1, "H", "W"])],
        [helper.make_tensor_value_info("upscaled", TensorProto.FLOAT, ["N", 1, "h", "w"])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, sr_contract(scale=2, precision="int8").to_metadata())
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def write(folder: Path, data: bytes, name: str = "model.onnx") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["default", "accurate"])
def test_the_graph_is_what_the_onnx_package_reads(name: str) -> None:
    data = model_path(name).read_bytes()
    truth = onnx.load_from_string(data)
    found = read_model(data)
    assert [(n.operator, n.inputs, n.outputs) for n in found.graph.nodes] == [
        (n.op_type, tuple(n.input), tuple(n.output)) for n in truth.graph.node
    ]
    assert found.metadata == {entry.key: entry.value for entry in truth.metadata_props}
    assert found.opset == next(o.version for o in truth.opset_import if o.domain == "")
    initializers = {t.name: (tuple(t.dims), t.data_type) for t in truth.graph.initializer}
    constants = {node.outputs[0] for node in found.graph.nodes if node.operator == "Constant"}
    assert {
        key: (t.shape, t.element_type) for key, t in found.graph.weights.items() if key not in constants
    } == initializers
    assert list(found.graph.inputs) == [i.name for i in truth.graph.input if i.name not in initializers]


def test_subgraphs_and_attributes() -> None:
    branch = helper.make_graph(
        [helper.make_node("Sigmoid", ["x"], ["s"])],
        "branch",
        [],
        [helper.make_tensor_value_info("s", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.zeros((2, 3), np.float32), "inner")],
    )
    nodes = [
        helper.make_node("If", ["condition"], ["y"], then_branch=branch, else_branch=branch),
        helper.make_node("Thing", ["y"], ["z"], domain="my.own", axis=-2),
    ]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", 1, ["N", 3])], [])
    found = read_model(helper.make_model(graph).SerializeToString()).graph
    assert [node.operator for node in found.all_nodes()] == ["If", "Sigmoid", "Sigmoid", "my.own.Thing"]
    assert found.nodes[1].integers == {"axis": -2}
    assert found.inputs == {"x": ("N", 3)}
    assert parameters(found) == 12


def test_macs_by_hand() -> None:
    # 24 x 80: 3 x 3 from 1 to 8 channels, then 1 x 1 from 8 to 4.
    assert macs(quantised_model(), (24, 80)) == 24 * 80 * (9 * 8 + 8 * 4)
    assert macs(sr_model(4), (10, 20)) == 200 * 16
    with pytest.raises(ValueError, match=r"leaves axis 2 of its input .* free"):
        macs(sr_model(4))
    shapes = {"x": (1, 6, 5, 7), "w": (6, 3, 4, 4), "y": (1, 3, 10, 14), "v": (7, 2), "z": (1, 6, 5, 2)}
    transposed = Node("ConvTranspose", ("x", "w"), ("y",), {})
    assert node_macs(transposed, shapes) == 35 * 6 * 3 * 16
    assert node_macs(Node("MatMul", ("x", "v"), ("z",), {}), shapes) == 60 * 7
    assert node_macs(Node("Relu", ("x",), ("y",), {}), shapes) == 0


def test_a_quantised_model_by_hand(tmp_path: Path) -> None:
    found = check_model(write(tmp_path, quantised_model()))
    uses = {use.name: use for use in found.operators}
    assert {name: use.count for name, use in uses.items()} == {
        "Conv": 2,
        "DepthToSpace": 1,
        "DequantizeLinear": 3,
        "QuantizeLinear": 2,
        "Relu": 1,
    }
    assert (uses["Conv"].quantised, uses["DepthToSpace"].quantised, found.has_qdq) == (1, 0, True)
    assert found.quantised_macs == pytest.approx(72 / (72 + 32))
    assert found.parameters == 72 + 32  # neither scales nor zero points
    assert (found.task, found.contract_error, found.opset) == ("sr", "", 13)
    assert (found.declared_shape, found.input_shape) == (("N", 1, "H", "W"), (1, 1, 24, 80))
    assert (found.free_axes, found.not_on_edge, found.not_quantising) == (("H", "W"), (), ())


def test_a_reader_of_a_fixed_size(tmp_path: Path) -> None:
    found = check_model(write(tmp_path, model_bytes()))
    assert (found.task, found.free_axes, found.input_shape) == ("ocr", (), (1, 1, 32, 128))
    assert {use.name: use.edge for use in found.operators}["Sub"]
    assert found.not_quantising == ("Mul", "ReduceMean", "Sub")
    assert (found.macs, found.quantised_macs) == (0, 0.0)


def test_metadata_that_are_no_contract_are_told(tmp_path: Path) -> None:
    found = check_model(write(tmp_path, sr_model(4, metadata={"task": "sr"})))
    assert "'contract_version' is missing" in found.contract_error
    assert check_model(write(tmp_path, sr_model(4, metadata={}))).task == ""


def test_damaged_files_are_model_errors(tmp_path: Path) -> None:
    whole = sr_model(4)
    cuts = [whole[:size] for size in range(len(whole))]
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = np.frombuffer(whole, np.uint8).copy()
        damaged[rng.integers(0, len(whole), 3)] = rng.integers(0, 256, 3)
        cuts.append(damaged.tobytes())
    messages = [message for data in cuts if (message := _refusal(data))]
    assert len(messages) > 100
    assert all(message.startswith("cut: not an ONNX model, or damaged: ") for message in messages)
    for data in (b"", b"PNG no model", whole[: len(whole) // 2], b"\x3a\x00"):
        with pytest.raises(ModelError, match=r"model\.onnx"):
            check_model(write(tmp_path, data))
    with pytest.raises(ModelError, match="cannot be read"):
        check_model(tmp_path / "none.onnx")


def _refusal(data: bytes) -> str:
    """Why the bytes are refused, "" where they are not; any other error fails the test."""
    try:
        read_model(data, "cut")
    except ModelError as error:
        return str(error)
    return ""


def test_graphs_nested_without_end_are_refused() -> None:
    graph = b""
    for _ in range(40):  # an attribute (5) with a graph (6) in a node (1)
        for number in (6, 5, 1):
            graph = bytes([number << 3 | 2]) + _length(len(graph)) + graph
    with pytest.raises(ModelError, match="graphs within graphs, too many"):
        read_model(b"\x3a" + _length(len(graph)) + graph)


def _length(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128, value >> 7])


def test_a_model_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    # 3 channels declared, 1 in the weights.
    path = write(tmp_path, sr_model(4, shape=("N", 3, "H", "W")))
    with pytest.raises(ModelError, match=r"model\.onnx: the model cannot be"):
        check_model(path)


def test_with_outputs_is_what_the_onnx_package_understands() -> None:
    changed = onnx.load_from_string(with_outputs(sr_model(4), ["features"]))
    assert [output.name for output in changed.graph.output] == ["upscaled", "features"]


def test_notes_are_of_operators_that_are_spelled_right() -> None:
    known = {schema.name for schema in onnx.defs.get_all_schemas()}
    assert known >= EDGE_OPERATORS
    assert known >= set(EDGE_NOTES)


def test_free_axes_by_any_spelling(tmp_path: Path) -> None:
    """A name, no name, and -1, as some exporters write it."""
    shape = ("N", 1, -1, "")
    found = check_model(write(tmp_path, sr_model(4, shape=shape)))
    assert found.input_shape == (1, 1, 24, 80)
    assert found.free_axes == ("axis 2", "axis 3")


def test_long_chains_are_walked() -> None:
    """Longer than Python's stack: QuantizeLinear at the end makes all of it integers."""

    def chain(last: str) -> Graph:
        names = [f"x{number}" for number in range(5000)]
        nodes = [Node("DequantizeLinear", ("q",), ("x",), {}), Node("MaxPool", ("x",), (names[0],), {})]
        nodes += [Node("Relu", (a,), (b,), {}) for a, b in itertools.pairwise(names)]
        return Graph((*nodes, Node(last, (names[-1],), ("y",), {})), {}, {})

    assert [node.operator for node in quantised_nodes(chain("QuantizeLinear"))] == ["MaxPool"]
    assert quantised_nodes(chain("Sigmoid")) == []


def test_one_user_in_floating_point_is_enough() -> None:
    nodes = [
        Node("DequantizeLinear", ("q",), ("x",), {}),
        Node("MaxPool", ("x",), ("p",), {}),
        Node("Relu", ("p",), ("r",), {}),
        Node("QuantizeLinear", ("r",), ("y",), {}),
        Node("Sigmoid", ("p",), ("z",), {}),
    ]
    assert quantised_nodes(Graph(tuple(nodes), {}, {})) == []
    assert quantised_nodes(Graph(tuple(nodes[:4]), {}, {})) == [nodes[1]]


def test_damaged_outputs_are_named(tmp_path: Path) -> None:
    """A graph (7) with an output (12) whose name (1) is cut off, after a whole model."""
    path = write(tmp_path, sr_model(4) + b"\x3a\x04\x62\x02\x0a\x09")
    with pytest.raises(ModelError, match=r"model\.onnx: not an ONNX model, or damaged: field 1 is cut off"):
        check_model(path)


# The command


def test_models_check(tmp_path: Path) -> None:
    path = write(tmp_path, quantised_model())
    result = run("models", "check", path, model_path("default"))
    assert result.exit_code == 0
    for words in (
        f"{path}: task sr, opset 13",
        "104 parameters; 0.2 million multiply-accumulates for one crop of 1 x 1 x 24 x 80",
        "free axes of the input: H, W",
        "int8: quantised; 69.2% of the multiplications are between integers",
        "NPU: every operator is on the list",
        "NPU: not on the list of what they take: ",
    ):
        assert words in result.stdout
    document = json.loads(run("models", "check", path, "--json", "--size", "8x16").stdout)
    assert document["models"][0]["input_shape"] == [1, 1, 8, 16]
    assert document["models"][0]["not_on_edge"] == []


def test_models_check_takes_bundled_names() -> None:
    result = run("models", "check", "compact_42k", "default")
    assert result.exit_code == 0
    assert "compact_42k.onnx: task sr" in result.stdout
    assert "default.onnx: task ocr" in result.stdout


def test_models_check_names_what_is_wrong(tmp_path: Path) -> None:
    good, bad = write(tmp_path, sr_model(4)), write(tmp_path, b"nothing", "bad.onnx")
    result = run("models", "check", bad, good)
    assert (result.exit_code, "bad.onnx" in result.stderr, "DepthToSpace" in result.stdout) == (1, True, True)
    assert run("models", "check", bad).exit_code == 2
    result = run("models", "check", good, "--size", "9999x9999")
    assert (result.exit_code, "at most 4194304 values" in result.stderr) == (2, True)
    assert "HEIGHTxWIDTH" in run("models", "check", good, "--size", "24").stderr
    assert "--json stands after check" in run("models", "--json", "check", good).stderr


def test_models_check_without_a_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> str:
        raise OrtError("ONNX Runtime cannot be found")

    monkeypatch.setattr("lprfast.onnx_file.costs.ort_library_path", absent)
    path = write(tmp_path, sr_model(4))
    result = run("models", "check", path)
    assert result.exit_code == 2
    assert f"{path}: ONNX Runtime cannot be found" in result.stderr


def test_factors_of_resizing_are_no_parameters() -> None:
    nodes = [
        helper.make_node("Resize", ["x", "", "factors"], ["large"]),
        helper.make_node("Mul", ["large", "gain"], ["y"]),
    ]
    weights = [
        numpy_helper.from_array(np.ones(4, np.float32), "factors"),
        numpy_helper.from_array(np.ones((1, 3, 1, 1), np.float32), "gain"),
        numpy_helper.from_array(np.ones(9, np.int64), "shape"),
    ]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", 1, ["N", 3, 2, 2])], [], weights
    )
    assert parameters(read_model(helper.make_model(graph).SerializeToString()).graph) == 3
