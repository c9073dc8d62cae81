"""Super-resolution beside reading, one thread: ``taskset -c 0 python bench/bench_sr.py`` prints a table.

The network has the shape of SRVGGNetCompact with 42 thousand parameters (1 channel, six 3 x 3 convolutions of
32, LeakyReLU, x4 by DepthToSpace, plus the input enlarged by nearest neighbours) and random weights: what it
costs, not what it draws. Ways of quantising take turns in processor time of the one thread; ratios are
medians over the rounds.
"""

from __future__ import annotations

import copy
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization

import lprfast
from lprfast import _core
from lprfast._ort_library import ort_library_path

CROPS = 15  # of one vehicle
SIZE = (24, 80)
SCALE, FEATURES, LAYERS = 4, 32, 6
ROUNDS = 60

Images = npt.NDArray[np.float32]


def compact(activation: str = "LeakyRelu") -> onnx.ModelProto:
    """41,936 parameters."""
    rng = np.random.default_rng(0)
    widths = [1, *[FEATURES] * (LAYERS - 1), SCALE * SCALE]
    nodes, weights, name = [], {}, "images"
    for i, (before, after) in enumerate(itertools.pairwise(widths)):
        gain = np.sqrt(2 / (9 * before)) * (1 if i + 1 < LAYERS else 0.1)
        weights[f"w{i}"] = (rng.standard_normal((after, before, 3, 3)) * gain).astype(np.float32)
        weights[f"b{i}"] = np.zeros(after, np.float32)
        nodes.append(helper.make_node("Conv", [name, f"w{i}", f"b{i}"], [f"c{i}"], f"conv{i}", pads=[1] * 4))
        name = f"c{i}"
        if i + 1 < LAYERS:
            alpha = {"alpha": 0.1} if activation == "LeakyRelu" else {}
            nodes.append(helper.make_node(activation, [name], [f"a{i}"], f"act{i}", **alpha))
            name = f"a{i}"
    weights["scales"] = np.float32([1, 1, SCALE, SCALE])
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    nodes += [
        helper.make_node("DepthToSpace", [name], ["detail"], "shuffle", blocksize=SCALE, mode="CRD"),
        helper.make_node("Resize", ["images", "", "scales"], ["base"], "nearest", **nearest),
        helper.make_node("Add", ["detail", "base"], ["upscaled"], "add"),
    ]
    graph = helper.make_graph(
        nodes,
        "compact",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["N", 1, "H", "W"])],
        [helper.make_tensor_value_info("upscaled", TensorProto.FLOAT, ["N", 1, "h", "w"])],
        [numpy_helper.from_array(value, key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    contract = lprfast.SrContract(name="compact", scale=SCALE)
    helper.set_model_props(model, contract.to_metadata())
    return model


class _Once(quantization.CalibrationDataReader):  # type: ignore[misc]
    def __init__(self, images: Images) -> None:
        self._left = iter([{"images": images}])

    def get_next(self) -> dict[str, Images] | None:
        return next(self._left, None)


def quantised(model: onnx.ModelProto, operators: Sequence[str]) -> onnx.ModelProto:
    """Static QDQ, per channel, 7-bit weights, as training/quantize.py does it for readers."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "int8.onnx")
        quantization.quantize_static(
            copy.deepcopy(model),
            path,
            _Once(images(16, seed=1)),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=list(operators),
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
        return onnx.load(path)


def images(count: int, seed: int = 0) -> Images:
    return np.random.default_rng(seed).random((count, 1, *SIZE)).astype(np.float32)


def models() -> dict[str, onnx.ModelProto]:
    """fp32 first."""
    leaky, relu = compact(), compact("Relu")
    rest = ["DepthToSpace", "Resize", "Add"]
    return {
        "fp32": leaky,
        "fp32, ReLU": relu,
        # LeakyReLU between two quantised convolutions is quantised with them, named or not.
        "int8": quantised(leaky, ["Conv"]),
        "int8, all": quantised(leaky, ["Conv", "LeakyRelu", *rest]),
        "int8, ReLU in its place": quantised(relu, ["Conv", "Relu"]),
        "int8, ReLU, all": quantised(relu, ["Conv", "Relu", *rest]),
    }


def session(model: onnx.ModelProto) -> _core.Session:
    return _core.Session(model.SerializeToString(), ort_library_path())


def in_turns(ways: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of processor time of each way in each round, after three rounds to warm up."""
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(-3, rounds):
        for name, way in ways.items():
            start = time.thread_time()
            way()
            if number >= 0:
                spent[name].append(time.thread_time() - start)
    return spent


def table(spent: Mapping[str, list[float]], crops: int) -> list[str]:
    """The lines; the first way is what the others are compared with."""
    first = next(iter(spent.values()))
    return [
        f"| {name} | {statistics.median(times) / crops * 1e3:.2f} | "
        f"{statistics.median(a / b for a, b in zip(first, times, strict=True)):.2f} |"
        for name, times in spent.items()
    ]


def main() -> None:
    protos = models()
    for count in (1, CROPS):
        ways = {name: partial(session(one).run, images(count)) for name, one in protos.items()}
        print(f"\n| {count} x {SIZE[0]} x {SIZE[1]} | ms per crop | fp32 / it |\n|---|---|---|")
        print("\n".join(table(in_turns(ways, ROUNDS), count)))
    print(f"\n| one vehicle of {CROPS} crops | ms per crop | reading / it |\n|---|---|---|")
    print("\n".join(table(in_turns(vehicle_ways(protos), ROUNDS), CROPS)))


def vehicle_ways(protos: Mapping[str, onnx.ModelProto]) -> dict[str, Callable[[], Any]]:
    crops = [np.round(image[0] * 255).astype(np.uint8) for image in images(CROPS)]
    int8 = protos["int8"].SerializeToString()
    fp32 = protos["fp32"].SerializeToString()
    ways: dict[str, Callable[[], Any]] = {
        "reading": partial(lprfast.PlateReader(threads=1).read_many, crops),
        "SR fp32": partial(lprfast.SuperResolver(fp32, threads=1).upscale_many, crops),
        "SR int8": partial(lprfast.SuperResolver(int8, threads=1).upscale_many, crops),
        "SR int8 and reading": partial(lprfast.PlateReader(threads=1, sr=int8).read_many, crops),
    }
    return ways


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_lprfast_upscale(benchmark: Any, precision: str) -> None:
    model = compact() if precision == "fp32" else quantised(compact(), ["Conv"])
    resolver = lprfast.SuperResolver(model.SerializeToString(), threads=1)
    batch = images(CROPS)
    crops = [np.round(image[0] * 255).astype(np.uint8) for image in batch]
    truth = np.round(session(compact()).run(batch)[:, 0].clip(0, 1) * 255)
    benchmark.group = f"enlarging {CROPS} crops"
    answers = benchmark(resolver.upscale_many, crops)
    found = np.stack([answer.image for answer in answers])
    # Crops are rounded to 8 bits, which moves each value by half a level; int8 by a few more.
    assert np.abs(found - truth).mean() < (1 if precision == "fp32" else 4)


if __name__ == "__main__":
    main()
