"""Writes a trained SR network as one ONNX file: ``python -m training.sr.export --help``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from lprfast import _core
from lprfast._ort_library import ort_library_path
from lprfast.sr_contract import SrContract
from training.export import OPSET, ParityError
from training.ocr.labels import label_file_name
from training.ocr.model import parameter_count
from training.sr.checkpoint import load_checkpoint, network_of
from training.sr.config import Config

TOLERANCE = 1e-4  # of an output in 0-1: a fortieth of a gray level
# Crops of plates: low and wide, odd sides, less than one window of the networks that have windows.
SIZES = ((1, 12, 37), (3, 7, 5), (2, 16, 24))
PARITY_SEED = 7


def export_checkpoint(checkpoint: Path, out: Path, name: str) -> dict[str, str]:
    """Writes the averaged weights of ``checkpoint`` to ``out`` and returns the file's metadata.

    Raises:
        ValueError: the checkpoint cannot be used, or ``out`` cannot be written.
        ParityError: lprfast reads the file otherwise than torch answers; no file is left.
    """
    if out.is_dir():
        raise ValueError(f"--out {out}: expected the path of an ONNX file to write, got a folder")
    state = load_checkpoint(checkpoint)
    config, model = Config.from_dict(state["config"]), network_of(state)
    record = training_record(state, model)
    metadata = SrContract(name, config.scale, config.channels, training=record).to_metadata()  # type: ignore[arg-type]
    try:
        write_checked(to_onnx(model, config.channels, metadata), model, config.channels, out)
    except OSError as error:
        raise ValueError(f"--out {out}: cannot be written: {error.strerror or error}") from None
    return metadata


def training_record(state: dict[str, Any], model: nn.Module) -> dict[str, Any]:
    """What the model file says of its training; label files by folder and name, not by where they lay."""
    config = Config.from_dict(state["config"])
    return {
        "arch": config.arch,
        "parameters": parameter_count(model),
        "loss": config.loss,
        "loss_settings": config.loss_settings(),
        "reader": Path(config.reader).name,
        "data": ["synthetic", *map(label_file_name, config.data)],
        "data_share": config.data_share if config.data else 0.0,
        "degradation": config.degradation,
        "widths": list(config.widths),
        "steps": state["step"],
        "minutes": round(state["minutes"], 1),
        "images": state["images"],
        "batch": config.batch,
        "learning_rate": config.lr,
        "seed": config.seed,
        "validation": state["scores"],
        "torch": torch.__version__,
        "lprfast": _core.version,
    }


def to_onnx(model: nn.Module, channels: int, metadata: dict[str, str]) -> onnx.ModelProto:
    """The network as ONNX with its metadata: number, height and width of the images are free."""
    example = torch.rand(2, channels, 12, 20)
    free = {0: "batch", 2: "height", 3: "width"}
    larger = {0: "batch", 2: "height_out", 3: "width_out"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter announces its end; see training/export.py
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            model.eval(),
            (example,),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["upscaled"],
            dynamic_axes={"images": free, "upscaled": larger},
        )
        proto = onnx.load(path)
    onnx.checker.check_model(proto)
    onnx.helper.set_model_props(proto, metadata)
    return proto


def write_checked(proto: onnx.ModelProto, model: nn.Module, channels: int, out: Path) -> None:
    """Writes ``proto`` to ``out`` if lprfast's session answers as ``model`` does.

    Raises:
        ParityError: it does not; ``out`` is left as it was.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    try:
        partial.write_bytes(proto.SerializeToString())
        check_parity(partial, model, channels)
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)


def check_parity(path: Path, model: nn.Module, channels: int) -> float:
    """Compares the file, run by lprfast, with ``model`` at several sizes; the largest difference.

    Raises:
        ParityError: a shape differs, or a value by more than 1e-4.
    """
    session = _core.Session(str(path), ort_library_path())
    rng = np.random.default_rng(PARITY_SEED)
    worst = 0.0
    for number, height, width in SIZES:
        images = rng.random((number, channels, height, width), np.float32)
        expected = answers(model, images)
        got = session.run(images)
        if got.shape != expected.shape:
            raise ParityError(f"{path.name}: the file answers the shape {got.shape}, torch {expected.shape}")
        worst = max(worst, float(np.abs(got - expected).max()))
    if not worst <= TOLERANCE:
        raise ParityError(f"{path.name}: values differ from torch's by {worst:.2g}, more than {TOLERANCE:g}")
    return worst


@torch.inference_mode()
def answers(model: nn.Module, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """What ``model`` makes of ``images [N, C, h, w]``, in evaluation mode."""
    return np.asarray(model.eval()(torch.from_numpy(images)).numpy())


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: the file stands, 1: parity failed, 2: an argument cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m training.sr.export", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="best_psnr.pt, best_exact.pt or last.pt of a run")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument("--name", default="lprfast-sr", help="name stored in the file (default %(default)s)")
    given = parser.parse_args(arguments)
    try:
        metadata = export_checkpoint(given.checkpoint, given.out, given.name)
    except ValueError as error:
        print(f"export: {error}", file=sys.stderr)
        return 2
    except ParityError as error:
        print(f"export: {error}; nothing was written", file=sys.stderr)
        return 1
    print(f"{given.out}: {metadata['name']}, x{metadata['scale']}, {metadata['channels']} channels")
    return 0


if __name__ == "__main__":
    sys.exit(main())
