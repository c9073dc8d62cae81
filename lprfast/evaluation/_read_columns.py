"""Reads as plain arrays and back. What differs in length from read to read lies end to end in one array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lprfast.results import Alternative, PlateRead, Quality
from lprfast.vote_settings import VoteSettings

Columns = dict[str, npt.NDArray[Any]]

_SIGNATURE = 64
_STATUSES = ("ok", "no_plate", "unreadable", "error")

# Name, kind of NumPy dtype, shape after the first axis.
_PER_READ: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    ("text", "U", ()),
    ("status", "U", ()),
    ("error", "U", ()),
    ("confidence", "f", ()),
    ("raw_confidence", "f", ()),
    ("width", "i", ()),
    ("height", "i", ()),
    ("lines", "i", ()),
    ("quality", "f", (3,)),
    ("signature", "u", (_SIGNATURE,)),
    ("has_signature", "b", ()),
    ("steps", "i", ()),
)
_CHARACTERS = ("char_confidences", "runners_up", "runner_up_confidences", "time_steps")
_RAGGED: dict[str, type[np.generic]] = {
    "char_confidences": np.float64,
    "runners_up": np.str_,
    "runner_up_confidences": np.float64,
    "time_steps": np.int32,
    "alternative_texts": np.str_,
    "alternative_probabilities": np.float64,
}


class ColumnsError(ValueError):
    """Arrays that are not those of reads; the message names one."""


def read_columns(reads: Sequence[PlateRead]) -> Columns:
    """The arrays of these reads: those in the docstring of ``save_posteriors`` and the characters' figures.

    Raises:
        ValueError: two reads with log-posteriors come from different charsets, or have other vote_settings.
    """
    _check_one_model(reads)
    posteriors = [read.log_posteriors for read in reads if read.log_posteriors is not None]
    classes = posteriors[0].shape[1] if posteriors else 0
    columns: Columns = {
        "text": _texts([read.text for read in reads]),
        "status": _texts([read.status for read in reads]),
        "error": _texts([read.error or "" for read in reads]),
        "confidence": np.array([read.confidence for read in reads], np.float64),
        "raw_confidence": np.array(
            [np.nan if read.raw_confidence is None else read.raw_confidence for read in reads], np.float64
        ),
        "width": np.array([read.width for read in reads], np.int32),
        "height": np.array([read.height for read in reads], np.int32),
        "lines": np.array([read.lines for read in reads], np.int32),
        "quality": np.array([_quality(read) for read in reads], np.float64).reshape(len(reads), 3),
        "has_signature": np.array([read.signature is not None for read in reads], np.bool_),
        "signature": np.array([_signature(read) for read in reads], np.uint8).reshape(-1, _SIGNATURE),
        "steps": np.array(
            [0 if read.log_posteriors is None else len(read.log_posteriors) for read in reads], np.int32
        ),
        "log_posteriors": np.concatenate([np.empty((0, classes), np.float16), *posteriors]),
    }
    for name in _CHARACTERS:
        _add_ragged(columns, name, [getattr(read, name) for read in reads])
    _add_ragged(columns, "alternative_texts", [[one.text for one in read.alternatives] for read in reads])
    probabilities = [[one.probability for one in read.alternatives] for read in reads]
    _add_ragged(columns, "alternative_probabilities", probabilities)
    return columns


def reads_from_columns(
    columns: Columns, charset: tuple[str, ...] | None, vote_settings: VoteSettings | None = None
) -> list[PlateRead]:
    """The reads again, equal in every field; those with log-posteriors have the charset and the settings.

    Raises:
        ColumnsError: an array has another shape or kind than the others ask for.
        KeyError: one is missing.
    """
    n = len(columns["text"]) if columns["text"].ndim == 1 else -1
    for name, kind, rest in _PER_READ:
        if columns[name].dtype.kind != kind or columns[name].shape != (n, *rest):
            raise ColumnsError(f"{name}: unexpected {columns[name].dtype} {list(columns[name].shape)}")
    _check_ranges(columns)
    posteriors = _split_posteriors(columns, charset)
    ragged = {name: _split(columns, name, n) for name in _CHARACTERS}
    texts, probabilities = (_split(columns, f"alternative_{name}", n) for name in ("texts", "probabilities"))
    reads = []
    for i in range(n):
        alternatives = tuple(Alternative(*pair) for pair in zip(texts[i], probabilities[i], strict=True))
        characters = {name: tuple(values[i]) for name, values in ragged.items()}
        reads.append(_read(columns, i, posteriors[i], (charset, vote_settings), alternatives, characters))
    return reads


def _check_ranges(columns: Columns) -> None:
    for name, low, high in (("confidence", 0, 1), ("width", 0, None), ("height", 0, None), ("lines", 0, 2)):
        values = columns[name]
        if not ((values >= low) & (values <= (np.inf if high is None else high))).all():
            expected = f"{low} to {high}" if high is not None else f"{low} or more"
            raise ColumnsError(f"{name}: expected numbers of {expected}")


def _read(
    columns: Columns,
    i: int,
    posteriors: npt.NDArray[np.float16] | None,
    model: tuple[tuple[str, ...] | None, VoteSettings | None],
    alternatives: tuple[Alternative, ...],
    characters: dict[str, Any],
) -> PlateRead:
    def item(name: str) -> Any:
        return columns[name][i].item()

    if item("status") not in _STATUSES:
        raise ColumnsError(f"status: expected one of {', '.join(_STATUSES)}, got {item('status')!r}")
    raw = item("raw_confidence")
    return PlateRead(
        text=item("text"),
        confidence=item("confidence"),
        status=item("status"),
        error=item("error") or None,
        width=item("width"),
        height=item("height"),
        quality=Quality(*columns["quality"][i].tolist()),
        alternatives=alternatives,
        lines=item("lines"),
        charset=None if posteriors is None else model[0],
        vote_settings=None if posteriors is None else model[1],
        log_posteriors=posteriors,
        signature=columns["signature"][i] if item("has_signature") else None,
        raw_confidence=None if np.isnan(raw) else raw,
        **characters,
    )


def _check_one_model(reads: Sequence[PlateRead]) -> None:
    first: PlateRead | None = None
    for index, read in enumerate(reads):
        if read.log_posteriors is None:
            continue
        first = read if first is None else first
        if read.charset is None or tuple(read.charset) != tuple(first.charset or ()):
            raise ValueError(f"reads[{index}]: its charset is not that of the reads before; save one model's")
        if read.vote_settings != first.vote_settings:
            raise ValueError(
                f"reads[{index}]: its vote_settings are not those of the reads before; save one model's"
            )


def _texts(values: Sequence[str]) -> npt.NDArray[np.str_]:
    return np.array(values, dtype=np.str_)


def _quality(read: PlateRead) -> tuple[float, float, float]:
    return read.quality.sharpness, read.quality.contrast, read.quality.clipped


def _signature(read: PlateRead) -> npt.NDArray[np.uint8]:
    return np.zeros(_SIGNATURE, np.uint8) if read.signature is None else read.signature.reshape(_SIGNATURE)


def _add_ragged(columns: Columns, name: str, values: Sequence[Sequence[Any]]) -> None:
    flat = [value for row in values for value in row]
    columns[name] = np.array(flat, dtype=_RAGGED[name])
    columns[f"{name}_n"] = np.array([len(row) for row in values], np.int32)


def _split(columns: Columns, name: str, n: int) -> list[list[Any]]:
    counts, flat = columns[f"{name}_n"], columns[name]
    _check_counts(f"{name}_n", counts, n, flat)
    if flat.ndim != 1 or flat.dtype.kind != np.dtype(_RAGGED[name]).kind:
        raise ColumnsError(f"{name}: unexpected {flat.dtype} {list(flat.shape)}")
    ends = np.cumsum(counts).tolist()
    values = flat.tolist()
    return [values[end - count : end] for count, end in zip(counts.tolist(), ends, strict=True)]


def _split_posteriors(
    columns: Columns, charset: tuple[str, ...] | None
) -> list[npt.NDArray[np.float16] | None]:
    values, steps = columns["log_posteriors"], columns["steps"]
    classes = 0 if charset is None else len(charset)
    if values.dtype != np.float16 or values.ndim != 2 or values.shape[1] != classes:
        came = f"{values.dtype} {list(values.shape)}"
        raise ColumnsError(f"log_posteriors: expected float16 [steps, {classes}], got {came}")
    _check_counts("steps", steps, len(steps), values)
    ends = np.cumsum(steps).tolist()
    return [
        values[end - count : end] if count else None for count, end in zip(steps.tolist(), ends, strict=True)
    ]


def _check_counts(name: str, counts: npt.NDArray[Any], n: int, flat: npt.NDArray[Any]) -> None:
    good = counts.dtype.kind == "i" and counts.shape == (n,) and bool((counts >= 0).all())
    if not good or flat.ndim < 1 or int(counts.sum(dtype=np.int64)) != len(flat):
        raise ColumnsError(f"{name}: the lengths do not add up to the values that are there")
