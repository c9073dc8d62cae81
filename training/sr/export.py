"""Writes a trained SR network as one ONNX file: ``python -m training.sr.export --help``."""

from __future__ import annotations

import argparse
import sys
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
from training.command_line import run_export
from training.onnx_file import ParityError, difference, from_torch, written_whole
from training.record import run_record, versions
from training.sr.checkpoint import load_checkpoint, network_of
from training.sr.config import Config
from training.sr.models import CHANNELS, SCALES, build_model

TOLERANCE = 1e-4  # of an output in 0-1: a fortieth of a gray level
# Crops of plates: low and wide, odd sides, less than one window of the networks that have windows.
SIZES = ((1, 12, 37), (3, 7, 5), (2, 16, 24))
PARITY_SEED = 7
UNTRAINED = ("bicubic",)


def export_checkpoint(checkpoint: Path, out: Path, name: str) -> dict[str, str]:
    """Writes the averaged weights of ``checkpoint`` to ``out`` and returns the file's metadata.

    Raises:
        ValueError: the checkpoint cannot be used, or ``out`` cannot be written.
        ParityError: lprfast reads the file otherwise than torch answers; no file is left.
    """
    state = load_checkpoint(checkpoint)
    config, model = Config.from_dict(state["config"]), network_of(state)
    return _export(model, config.scale, config.channels, training_record(state, model), out, name)


def export_untrained(arch: str, scale: int, channels: int, out: Path, name: str) -> dict[str, str]:
    """Writes a network that has nothing to train (``bicubic``); returns the file's metadata.

    Raises:
        ValueError: ``out`` cannot be written.
        ParityError: lprfast reads the file otherwise than torch answers; no file is left.
    """
    record = {"arch": arch, "parameters": 0, **versions()}
    return _export(build_model(arch, scale, channels), scale, channels, record, out, name)


def _export(
    model: nn.Module, scale: int, channels: int, record: dict[str, Any], out: Path, name: str
) -> dict[str, str]:
    if out.is_dir():
        raise ValueError(f"--out {out}: expected the path of an ONNX file to write, got a folder")
    metadata = SrContract(name, scale, channels, training=record).to_metadata()  # type: ignore[arg-type]
    try:
        write_checked(to_onnx(model, channels, metadata), model, channels, out)
    except OSError as error:
        raise ValueError(f"--out {out}: cannot be written: {error.strerror or error}") from None
    return metadata


def training_record(state: dict[str, Any], model: nn.Module) -> dict[str, Any]:
    """What the model file says of its training."""
    config = Config.from_dict(state["config"])
    return {
        **run_record(config, state, model),
        "loss": config.loss,
        "loss_settings": config.loss_settings(),
        "reader": Path(config.reader).name,
        "degradation": config.degradation,
        "widths": list(config.widths),
        "patch": config.patch,
        "one_line": config.one_line,
    }


def to_onnx(model: nn.Module, channels: int, metadata: dict[str, str]) -> onnx.ModelProto:
    """The network as ONNX with its metadata: number, height and width of the images are free."""
    free = {
        "images": {0: "batch", 2: "height", 3: "width"},
        "upscaled": {0: "batch", 2: "height_out", 3: "width_out"},
    }
    return from_torch(model, torch.rand(2, channels, 12, 20), "upscaled", free, metadata)


def write_checked(proto: onnx.ModelProto, model: nn.Module, channels: int, out: Path) -> None:
    """Writes ``proto`` to ``out`` if lprfast's session answers as ``model`` does.

    Raises:
        ParityError: it does not; ``out`` is left as it was.
    """
    with written_whole(out) as partial:
        partial.write_bytes(proto.SerializeToString())
        check_parity(partial, model, channels)


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
        worst = max(worst, difference(path, session.run(images), answers(model, images)))
    if not worst <= TOLERANCE:
        raise ParityError(f"{path.name}: values differ from torch's by {worst:.2g}, more than {TOLERANCE:g}")
    return worst


@torch.inference_mode()
def answers(model: nn.Module, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """What ``model`` makes of ``images [N, C, h, w]``, in evaluation mode."""
    return np.asarray(model.eval()(torch.from_numpy(images)).numpy())


def make_parser() -> argparse.ArgumentParser:
    """A checkpoint, or the name of a network that needs none."""
    parser = argparse.ArgumentParser(prog="python -m training.sr.export", description=__doc__)
    add = parser.add_argument
    add("checkpoint", type=Path, nargs="?", help="best_psnr.pt, best_exact.pt or last.pt of a run")
    add("--arch", choices=UNTRAINED, help="in place of a checkpoint: a network without weights")
    add("--scale", type=int, choices=SCALES, help="of --arch (default 4)")
    add("--channels", type=int, choices=CHANNELS, help="of --arch (default 1)")
    add("--out", type=Path, required=True, help="ONNX file to write")
    add("--name", help="name stored in the file (default lprfast-sr, or that of --arch)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: the file stands, 1: parity failed, 2: an argument cannot be used."""
    given = make_parser().parse_args(arguments)

    def export() -> str:
        if (given.checkpoint is None) == (given.arch is None):
            raise ValueError("expected a checkpoint or --arch bicubic: give one of them")
        if given.arch is None and (given.scale or given.channels):
            raise ValueError("--scale, --channels: a checkpoint has its own; leave them out")
        if given.arch is None:
            metadata = export_checkpoint(given.checkpoint, given.out, given.name or "lprfast-sr")
        else:
            size = (given.scale or 4, given.channels or 1)
            metadata = export_untrained(given.arch, *size, given.out, given.name or given.arch)
        return f"{given.out}: {metadata['name']}, x{metadata['scale']}, {metadata['channels']} channels"

    return run_export(export)


if __name__ == "__main__":
    sys.exit(main())
