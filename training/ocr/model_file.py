"""Another contract for a model file whose network stays as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx

from lprfast.model import ModelContract
from training.onnx_file import replace_metadata, written_whole


def write_contract(source: Path, out: Path, changes: dict[str, Any], prove: Callable[[Path], None]) -> None:
    """Writes ``source`` with these fields of its contract changed; ``out`` appears once they are proved.

    Args:
        source: ONNX file of ``training/export.py``.
        out: may be ``source``.
        changes: fields of ``ModelContract``.
        prove: is given the written file under another name, and raises where it does not hold what it should.

    Raises:
        ModelError: the contract contradicts itself; and what ``prove`` raises. ``out`` is then as it was.
    """
    proto = onnx.load(source)
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    contract = replace(ModelContract.from_metadata(metadata, source.name), **changes)
    metadata.update(contract.to_metadata())
    replace_metadata(proto, metadata)
    with written_whole(out) as partial:
        partial.write_bytes(proto.SerializeToString())
        prove(partial)


def check_out(out: Path) -> None:
    """Raises ValueError if no file could be written there; before the work, not after it."""
    if out.is_dir():
        raise ValueError(f"--out {out}: expected the path of an ONNX file to write, got a folder")
    if not out.absolute().parent.is_dir():
        raise ValueError(f"--out {out}: no such folder: {out.absolute().parent}")
    if not os.access(out.absolute().parent, os.W_OK):
        raise ValueError(f"--out {out}: the folder cannot be written to")
