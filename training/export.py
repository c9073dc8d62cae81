"""Writes a trained reader as one ONNX file that lprfast runs: ``python training/export.py --help``."""

from __future__ import annotations

import argparse
import sys
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
from training.command_line import run_export
from training.ocr.align import TextOnly
from training.ocr.checkpoint import averaged_model, load_checkpoint
from training.ocr.config import Config
from training.ocr.evaluate import log_posteriors
from training.ocr.labels import Crop
from training.ocr.text import Codec
from training.onnx_file import ParityError, difference, from_torch, written_whole
from training.record import run_record
from training.synth import CHARSET, PlateGenerator

TOLERANCE = 1e-4  # largest difference of a probability
PARITY_CROPS = 64
PARITY_SEED = 7


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
    """What the model file says of its training."""
    config = Config.from_dict(state["config"])
    common = run_record(config, state, model)
    return {
        **common,
        "init": config.init,
        # A model that starts from another one has also learnt what that one learnt.
        "data": list(dict.fromkeys([*common["data"], *config.init_data])),
        "balance": config.balance,
        "confusion": Path(config.confusion).name if config.confusion else None,
        "repeat": config.repeat,
        "precision": config.precision,
        "multi_scale": list(config.multi_scale),
        "widths": Path(config.widths).name if config.widths else None,
    }


def to_onnx(model: nn.Module, contract: ModelContract) -> onnx.ModelProto:
    """The network as ONNX with the contract in its metadata: T fixed, any batch, batch norms folded."""
    example = torch.zeros(2, 1, contract.input_height, contract.input_width)
    free = {"images": {0: "batch"}, "log_posteriors": {0: "batch"}}
    return from_torch(TextOnly(model), example, "log_posteriors", free, contract.to_metadata())


def write_checked(proto: onnx.ModelProto, model: nn.Module, codec: Codec, out: Path) -> None:
    """Writes ``proto`` to ``out`` if lprfast reads it as ``model`` answers.

    Raises:
        ParityError: it does not; ``out`` is left as it was.
    """
    with written_whole(out) as partial:
        partial.write_bytes(proto.SerializeToString())
        check_parity(partial, model, codec)


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
    apart = difference(path, np.exp(got), np.exp(expected))
    if not apart <= TOLERANCE:
        raise ParityError(f"{path.name}: probabilities differ from torch's by {apart:.2g}, more than 1e-4")
    _compare_texts(path, crops, expected, codec)
    return apart


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

    def export() -> str:
        contract = export_checkpoint(given.checkpoint, given.out, given.name)
        return f"{given.out}: {contract.name}, {len(contract.charset)} symbols"

    return run_export(export)


if __name__ == "__main__":
    sys.exit(main())
