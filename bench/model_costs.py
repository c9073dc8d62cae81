"""What readers cost, as a Markdown table: ``taskset -c 0 python bench/model_costs.py MODEL.onnx...``

Microseconds of processor time per crop in batches of 16 on one thread. The models take turns, so that a
machine that slows down slows all of them; a ratio is the median over the rounds of reference / model. The
reference is the CRNN of 1.1M parameters (``training/ocr/model.py``) in fp32 with random weights.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import onnx
import onnxruntime
import torch

from lprfast.model import ModelContract
from lprfast.models import model_path
from training.export import to_onnx
from training.ocr.model import build_model, parameter_count
from training.synth import CHARSET

BATCH = 16


def reference(folder: Path) -> Path:
    """The CRNN of 1.1M parameters, fp32, random weights."""
    torch.manual_seed(0)
    model = build_model("crnn", len(CHARSET) + 1).eval()
    training = {"parameters": parameter_count(model)}
    contract = ModelContract(name="crnn", charset=tuple(CHARSET), training=training)
    path = folder / "crnn.onnx"
    onnx.save(to_onnx(model, contract), path)
    return path


def macs(proto: onnx.ModelProto) -> int:
    """Multiply-accumulates per crop of convolutions, LSTMs and matrix products.

    Raises:
        ValueError: the shape of a tensor that is needed does not show in a run.
    """
    shapes = run_shapes(proto)
    total = 0
    for node in proto.graph.node:
        if node.op_type not in ("Conv", "LSTM", "DynamicQuantizeLSTM", "MatMul", "Gemm"):
            continue
        for name in (*node.input[:2], node.output[0]):
            if name not in shapes:
                raise ValueError(f"{node.name}: the shape of {name!r} is not known")
        first, weights, answer = (shapes[name] for name in (*node.input[:2], node.output[0]))
        if node.op_type == "Conv":
            total += math.prod(weights) * math.prod(answer[2:])
        elif node.op_type in ("MatMul", "Gemm"):
            transposed = any(a.name == "transA" and a.i for a in node.attribute)
            total += math.prod(answer) * first[0 if transposed else -1]
        else:  # both matrices at each step
            total += first[0] * sum(math.prod(shapes[name]) for name in node.input[1:3])
    return total


def run_shapes(proto: onnx.ModelProto) -> dict[str, list[int]]:
    """The shape of each tensor in a run of one crop; with a locator only a run shows them all."""
    shown = onnx.ModelProto()
    shown.CopyFrom(proto)
    names = [name for node in proto.graph.node for name in node.output if name]
    del shown.graph.output[:]
    shown.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(shown.SerializeToString(), options, ["CPUExecutionProvider"])
    entry = session.get_inputs()[0]
    size = [1, *entry.shape[1:]]
    found = session.run(names, {entry.name: np.zeros(size, np.float32)})
    shapes = {entry.name: size} | {tensor.name: list(tensor.dims) for tensor in proto.graph.initializer}
    return shapes | {name: list(value.shape) for name, value in zip(names, found, strict=True)}


def open_session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def measure(paths: list[Path], rounds: int) -> list[list[float]]:
    """Microseconds per crop of each model in each round."""
    sessions = [open_session(path) for path in paths]
    feeds = []
    for session in sessions:
        entry = session.get_inputs()[0]
        noise = np.random.default_rng(0).normal(size=(BATCH, *entry.shape[1:]))
        feeds.append({entry.name: noise.astype(np.float32)})
    times: list[list[float]] = [[] for _ in paths]
    for number in range(-2, rounds):  # two rounds to warm up
        for session, feed, spent in zip(sessions, feeds, times, strict=True):
            start = time.thread_time()
            session.run(None, feed)
            if number >= 0:
                spent.append((time.thread_time() - start) / BATCH * 1e6)
    return times


def table(paths: list[Path], times: list[list[float]]) -> list[str]:
    """The lines; the first model is the reference."""
    lines = [
        "| model | precision | us per crop | reference / it | parameters | MACs | file |",
        "|---|---|---|---|---|---|---|",
    ]
    for path, spent in zip(paths, times, strict=True):
        proto = onnx.load(path)
        contract = ModelContract.from_metadata({p.key: p.value for p in proto.metadata_props}, path.name)
        ratio = statistics.median(a / b for a, b in zip(times[0], spent, strict=True))
        parameters = contract.training.get("parameters")
        shown = f"{parameters:,}" if isinstance(parameters, int) else "not recorded"
        cost = f"{statistics.median(spent):.0f} | {ratio:.2f} | {shown} | {macs(proto) / 1e6:.1f}M"
        lines.append(f"| {path.stem} | {contract.precision} | {cost} | {path.stat().st_size / 1e6:.2f} MB |")
    return lines


def model_file(name: str) -> Path:
    """Raises ValueError if there is neither such a file nor a bundled model."""
    path = Path(name) if name.endswith(".onnx") else model_path(name)
    if not path.is_file():
        raise ValueError(f"{path}: no such file; expected an ONNX model or the name of a bundled one")
    return path


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: measured, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description="What readers cost beside the reference CRNN in fp32.")
    parser.add_argument("models", nargs="*", help="ONNX files or bundled models (default: default)")
    parser.add_argument("--rounds", type=int, default=60, help="(default %(default)s)")
    given = parser.parse_args(arguments)
    try:
        if given.rounds < 1:
            raise ValueError(f"--rounds: expected 1 or more, got {given.rounds}")
        models = [model_file(name) for name in given.models or ["default"]]
        with tempfile.TemporaryDirectory() as folder:
            paths = [reference(Path(folder)), *models]
            print("\n".join(table(paths, measure(paths, given.rounds))))
    except ValueError as error:
        print(f"model_costs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
