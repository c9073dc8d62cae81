"""What ``measure_sr.py`` compares, opened by name: ways of enlarging, and readers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lprfast import PlateReader
from lprfast.evaluation.hashes import file_sha256
from lprfast.evaluation.sr_pipelines import Pipeline, distinct_names, named_readers, open_pipeline
from lprfast.onnx_file.costs import parameters
from lprfast.onnx_file.graph import read_model
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
    return Contender(pipeline.name, pipeline.enlarge, False, _trained_parameters(pipeline), pipeline.facts)


def _trained_parameters(pipeline: Pipeline) -> int:
    """As the model's training record has them; the numbers of its graph, which holds folded batch norms and
    constants of the export too, where there is none."""
    recorded = pipeline.training.get("parameters")
    if isinstance(recorded, int):
        return recorded
    file = pipeline.file
    return 0 if file is None else parameters(read_model(file.read_bytes(), str(file)).graph)


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
