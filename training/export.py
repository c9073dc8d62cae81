"""Writes a trained reader as one ONNX file that lprfast runs: ``python training/export.py --help``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

import lprfast
from lprfast import _core
from lprfast._ort_library import ort_library_path
from lprfast.formats.groups import WORLD
from lprfast.model import ModelContract
from lprfast.prepare import prepare
from training.ocr.align import TextOnly
from training.ocr.checkpoint import averaged_model, load_checkpoint
from training.ocr.config import Config
from training.ocr.evaluate import log_posteriors
from training.ocr.labels import Crop, label_file_name
from training.ocr.model import parameter_count
from training.ocr.text import Codec
from training.synth import CHARSET, PlateGenerator

OPSET = 17
TOLERANCE = 1e-4  # largest difference of a probability
PARITY_CROPS = 64
PARITY_SEED = 7


class ParityError(RuntimeError):
    """The written file does not answer as the trained model does."""


def export_checkpoint(checkpoint: Path, out: Path, name: str) -> ModelContract:
    """Writes the averaged weights of ``checkpoint`` to ``out`` and returns the contract stored in the file.

    The file appears in its place only after lprfast has read it back and answered as torch does.

    Raises:
        ValueError: the checkpoint cannot be used, or ``out`` cannot be written.
        ParityError: the answers differ; no file is left.
    """
    if out.is_dir():
        raise ValueError(f"--out {out}: expected the path of an ONNX file to write, got a folder")
    state = load_checkpoint(checkpoint)
    codec = Codec(state["charset"])
    model = averaged_model(state)
    height, width = Config.from_dict(state["config"]).input
    contract = ModelContract(
        name=name, charset=codec.charset, input_height=height, input_width=width, two_line="halves",
        layouts=_expected_layouts(codec), training=training_record(state, model),
    )  # fmt: skip
    try:
        write_checked(to_onnx(model.eval(), contract), model, codec, out)
    except OSError as error:
        raise ValueError(f"--out {out}: cannot be written: {error.strerror or error}") from None
    return contract


def _expected_layouts(codec: Codec) -> tuple[str, ...]:
    """Those that were drawn. A reader of another alphabet is for plates that they may not know."""
    return (WORLD,) if set(codec.charset) <= set(CHARSET) else ()


def training_record(state: dict[str, Any], model: nn.Module) -> dict[str, Any]:
    """What the model file says of its training; label files by folder and name, not by where they lay."""
    config = Config.from_dict(state["config"])
    return {
        "arch": config.arch,
        "parameters": parameter_count(model),
        "init": config.init,
        # A model that starts from another one has also learnt what that one learnt.
        "data": list(dict.fromkeys(["synthetic", *map(label_file_name, config.data), *config.init_data])),
        "data_share": config.data_share if config.data else 0.0,
        "balance": config.balance,
        "confusion": Path(config.confusion).name if config.confusion else None,
        "steps": state["step"],
        "minutes": round(state["minutes"], 1),
        "images": state["images"],
        "batch": config.batch,
        "repeat": config.repeat,
        "learning_rate": config.lr,
        "precision": config.precision,
        "seed": config.seed,
        "multi_scale": list(config.multi_scale),
        "widths": Path(config.widths).name if config.widths else None,
        "validation": state["scores"],
        "torch": torch.__version__,
        "lprfast": _core.version,
    }


def to_onnx(model: nn.Module, contract: ModelContract) -> onnx.ModelProto:
    """The network as ONNX with the contract in its metadata: T fixed, any batch, batch norms folded."""
    model = TextOnly(model).eval()
    example = torch.zeros(2, 1, contract.input_height, contract.input_width)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter that needs no other package announces its end, and notes that T is fixed: it is meant.
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            model,
            (example,),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["log_posteriors"],
            dynamic_axes={"images": {0: "batch"}, "log_posteriors": {0: "batch"}},
        )
        proto = onnx.load(path)
    onnx.checker.check_model(proto)
    onnx.helper.set_model_props(proto, contract.to_metadata())
    return proto


def write_checked(proto: onnx.ModelProto, model: nn.Module, codec: Codec, out: Path) -> None:
    """Writes ``proto`` to ``out`` if lprfast reads it as ``model`` answers.

    Raises:
        ParityError: it does not; ``out`` is left as it was.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    try:
        partial.write_bytes(proto.SerializeToString())
        check_parity(partial, model, codec)
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)


def check_parity(path: Path, model: nn.Module, codec: Codec) -> float:
    """Compares the file, run by lprfast, with ``model`` on synthetic crops; returns the largest difference.

    Raises:
        ParityError: a probability differs by more than 1e-4, or the contract, the shape or a text differs.
    """
    generator = PlateGenerator(PARITY_SEED)
    crops = [generator.sample().crop for _ in range(PARITY_CROPS)]
    session = _core.Session(str(path), ort_library_path())
    contract = ModelContract.from_metadata(session.metadata, source=path.name)
    images = prepare(crops, height=contract.input_height, width=contract.input_width)
    expected = log_posteriors(model, torch.from_numpy(images)).numpy()
    if contract.charset != codec.charset:
        raise ParityError(f"{path.name}: the charset in the file is not the checkpoint's")
    got = session.run(images)
    if got.shape != expected.shape:
        raise ParityError(f"{path.name}: the file answers the shape {got.shape}, torch {expected.shape}")
    difference = float(np.abs(np.exp(got) - np.exp(expected)).max())
    if not difference <= TOLERANCE:
        raise ParityError(
            f"{path.name}: probabilities differ from torch's by {difference:.2g}, more than 1e-4"
        )
    _compare_texts(path, crops, expected, codec)
    return difference


def _compare_texts(path: Path, crops: list[Crop], expected: NDArray[np.float32], codec: Codec) -> None:
    """The same through the public reader, which also resizes and decodes; no text is left out as unlikely."""
    reads = lprfast.PlateReader(model=path, min_confidence=0.0, layouts=None).read_many(crops)
    best = np.sort(np.exp(expected), axis=2)
    clear = (best[:, :, -1] - best[:, :, -2]).min(axis=1) > 2 * TOLERANCE  # elsewhere rounding may decide
    for number, (read, text) in enumerate(zip(reads, codec.greedy(expected), strict=True)):
        # What was read in two parts read empty as a whole.
        whole = "" if read.lines == 2 else read.text
        if clear[number] and whole != text:
            raise ParityError(f"{path.name}: crop {number} is read {read.text!r}, by torch {text!r}")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: the file stands, 1: parity failed, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="last.pt of a run")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--name", default="lprfast-ocr", help="name stored in the file (default %(default)s)")
    given = parser.parse_args(arguments)
    try:
        contract = export_checkpoint(given.checkpoint, given.out, given.name)
    except ValueError as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    except ParityError as error:
        print(f"export: {error}; nothing was written", file=sys.stderr)
        return 1
    print(f"{given.out}: {contract.name}, {len(contract.charset)} symbols")
    return 0


if __name__ == "__main__":
    sys.exit(main())
