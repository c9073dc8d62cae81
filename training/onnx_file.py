"""ONNX files of trained networks: made by torch, and written whole or not at all."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

OPSET = 17


class ParityError(RuntimeError):
    """The written file does not answer as the trained model does."""


def from_torch(
    model: nn.Module,
    example: Tensor,
    output: str,
    free: Mapping[str, Mapping[int, str]],
    metadata: dict[str, str],
) -> onnx.ModelProto:
    """The network in evaluation mode as ONNX with its metadata; its input is called ``images``.

    Args:
        free: of input and output the axes that may have any length, by their names.
    """
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The exporter that needs no other package announces its end, and notes what is fixed: it is meant.
        warnings.simplefilter("ignore")
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            model.eval(),
            (example,),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=[output],
            dynamic_axes={name: dict(axes) for name, axes in free.items()},
        )
        proto = onnx.load(path)
    onnx.checker.check_model(proto)
    onnx.helper.set_model_props(proto, metadata)
    return proto


def replace_metadata(proto: onnx.ModelProto, metadata: dict[str, str]) -> None:
    """Leaves ``metadata`` in place of what the file said of itself."""
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, metadata)


@contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of ``out`` when the block ends; an error leaves ``out`` as it
    was. Makes its folder."""
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(out.name + ".partial")
    try:
        yield partial
        os.replace(partial, out)
    finally:
        partial.unlink(missing_ok=True)


def check_new(source: Path, out: Path, program: str) -> None:
    """Raises ValueError unless ``source`` is a file, and ``out`` another path that is no folder."""
    if not source.is_file():
        raise ValueError(f"{source}: no such file; expected an ONNX model written by {program}")
    if out.is_dir() or out.resolve() == source.resolve():
        raise ValueError(
            f"--out {out}: expected the path of a new ONNX file, got a folder or the model itself"
        )


def difference(path: Path, got: NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference of what the file answers from what torch does.

    Raises:
        ParityError: their shapes differ.
    """
    if got.shape != expected.shape:
        raise ParityError(f"{path.name}: the file answers the shape {got.shape}, torch {expected.shape}")
    return float(np.abs(got - expected).max())
