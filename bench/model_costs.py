"""What readers cost, as a Markdown table: ``taskset -c 0 python bench/model_costs.py MODEL.onnx...``

Microseconds of processor time per crop in batches of 16 on one thread. The models take turns, so that a
machine that slows down slows all of them; a ratio is the median over the rounds of reference / model. The
reference is the CRNN of 1.1M parameters (``training/ocr/model.py``) in fp32 with random weights.
"""

from __future__ import annotations

import argparse
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
from lprfast.onnx_file.costs import macs
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
        cost = (
            f"{statistics.median(spent):.0f} | {ratio:.2f} | {shown} | {macs(path.read_bytes()) / 1e6:.1f}M"
        )
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
