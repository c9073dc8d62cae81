"""What ``measure_sr.py`` compares, opened by name: ways of enlarging, and readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lprfast import PlateReader
from lprfast.evaluation.hashes import file_sha256
from lprfast.evaluation.sr_pipelines import distinct_names, named_readers, open_pipeline
from lprfast.onnx_file.costs import parameters
from lprfast.onnx_file.graph import read_model
from lprfast.sr_contract import SrContract
from training.sr.measures import Contender, PlateTexts

ORIGINAL = "original"


def open_contenders(texts: Sequence[str], scale: int, threads: int) -> list[Contender]:
    """``none``, ``original``, ``bicubicN`` or super-resolution models, each once.

    Raises:
        ValueError, OrtError: as ``open_pipeline``; one enlarges by another scale.
    """
    given = list(dict.fromkeys(texts))
    found = [_open(text, scale, threads) for text in given]
    names = distinct_names([[each.name for each in found], given])
    return [
        Contender(name, each.enlarge, each.original, each.parameters, each.facts)
        for name, each in zip(names, found, strict=True)
    ]


def _open(text: str, scale: int, threads: int) -> Contender:
    if text == ORIGINAL:
        return Contender(ORIGINAL, original=True)
    pipeline = open_pipeline(text, threads=threads)
    if pipeline.enlarge and pipeline.scale != scale:
        raise ValueError(
            f"--pipeline {text}: enlarges {pipeline.scale} times, expected {scale} as --scale says"
        )
    count = _trained_parameters(pipeline.file) if pipeline.file is not None else 0
    return Contender(pipeline.name, pipeline.enlarge, False, count, pipeline.facts)


def _trained_parameters(file: Path) -> int:
    """As the file's training record has them; the numbers of its graph, which holds folded batch norms and
    constants of the export too, where there is none."""
    model = read_model(file.read_bytes(), str(file))
    recorded = SrContract.from_metadata(model.metadata, str(file)).training.get("parameters")
    return recorded if isinstance(recorded, int) else parameters(model.graph)


def open_readers(models: Sequence[str], threads: int) -> list[PlateTexts]:
    """lprfast's readers, by bundled name or file, each once.

    Raises:
        ValueError, OrtError: as ``PlateReader``.
    """
    opened = [PlateReader(model, color="bgr", threads=threads) for model in models]
    return [PlateTexts(name, reader) for name, reader in named_readers(opened).items()]


def reader_facts(reader: PlateTexts) -> dict[str, Any]:
    """What a reader's figures depend on."""
    contract = reader.reader.contract
    return {
        "name": reader.name,
        "precision": contract.precision,
        "calibrated": reader.reader.calibrated,
        "sha256": file_sha256(reader.reader.model),
    }
