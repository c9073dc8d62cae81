"""A read made small, for the tracks that a TrackVoter holds. docs/streaming.md gives the sizes."""

from __future__ import annotations

import functools
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from lprfast._ballots import MAX_CHARACTERS, check_charset, reason_of_silence, what_is_wrong
from lprfast._ranking import read_value
from lprfast.results import Alternative, PlateRead, Quality, Status
from lprfast.vote_settings import VoteSettings

# Classes kept of every time step. A character is open between a few look-alikes; over the bundled demo tracks
# the probability of a vote moves by less than 0.001 with 4, by 0.007 with 2 and by 0.2 with 1.
TOP = 4
# What else could grow without end in a read made elsewhere.
MAX_ALTERNATIVES = 5
MAX_ERROR_LENGTH = 120
_CHARSETS = 64  # more models than one process meets

# confidence, raw_confidence; sharpness, contrast, clipped; width, height, lines
_FIGURES = struct.Struct("<5d2IB")
_LARGEST = 2**32 - 1
_NO_RAW = -1.0
# Probabilities under this are as good as nothing, and have a logarithm.
_TINY = 1e-30

Charset = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PackedRead:
    """What the vote needs of one read.

    Attributes:
        value: how useful the read is by itself, 0-1; 0 for one that does not vote.
        figures: the scalars, packed.
        characters: float32 [2, L], the characters' confidences and, when there are runners-up, theirs.
        classes: uint8, or wider for a large charset, [T, TOP], the best classes of each step, best first;
            empty when there are no log-posteriors.
        log_posteriors: float16 [T, TOP + 1], theirs, and that of each other class.
        time: when it was taken, seconds on the caller's clock.
        settings: ``PlateRead.vote_settings``, one object for many reads.
    """

    text: str
    status: Status
    error: str | None
    value: float
    figures: bytes
    characters: bytes
    runners_up: str
    alternatives: tuple[Alternative, ...]
    signature: bytes | None
    classes: bytes
    log_posteriors: bytes
    time: float = 0.0
    settings: VoteSettings | None = None

    @property
    def has_posteriors(self) -> bool:
        return bool(self.classes)


@functools.lru_cache(_CHARSETS)
def one_charset(charset: Charset) -> Charset:
    """The same object for equal ones: reads that were pickled bring their own."""
    return charset


def pack(read: PlateRead, time: float = 0.0) -> PackedRead:
    """The read without what the vote does not need, in bounded memory.

    A read that cannot vote for what is wrong in it becomes one with status ``error`` that says what.

    Raises:
        ValueError: the charset has no single blank or a symbol twice.
    """
    silent = reason_of_silence(read) is not None
    wrong = None if silent else _what_is_wrong(read)
    if silent or wrong is not None:
        return _pack_without_text(read, wrong, time)
    classes, log_posteriors = b"", b""
    if read.log_posteriors is not None:
        classes, log_posteriors = _pack_posteriors(read.log_posteriors)
    characters, runners_up = _pack_characters(read)
    return PackedRead(
        text=read.text,
        status=read.status,
        error=None,
        value=read_value(read),
        figures=_pack_figures(read),
        characters=characters,
        runners_up=runners_up,
        alternatives=_short_alternatives(read),
        signature=_signature(read),
        classes=classes,
        log_posteriors=log_posteriors,
        time=time,
        settings=read.vote_settings,
    )


def unpack(packed: PackedRead, charset: Charset | None) -> PlateRead:
    """The read again, log-posteriors float16 [T, K] rebuilt; ``time_steps`` and ``upscaled`` are not kept."""
    confidence, raw, *quality, width, height, lines = _FIGURES.unpack(packed.figures)
    values = np.frombuffer(packed.characters, np.float32).tolist()
    length = len(packed.text)
    has_posteriors = packed.has_posteriors and charset is not None
    return PlateRead(
        text=packed.text,
        confidence=confidence,
        raw_confidence=None if raw == _NO_RAW else raw,
        char_confidences=tuple(values[:length]),
        status=packed.status,
        error=packed.error,
        width=width,
        height=height,
        quality=Quality(*quality),
        runners_up=tuple(packed.runners_up),
        runner_up_confidences=tuple(values[length:]),
        alternatives=packed.alternatives,
        lines=lines,
        charset=charset if has_posteriors else None,
        log_posteriors=_unpack_posteriors(packed, len(charset)) if has_posteriors and charset else None,
        signature=None if packed.signature is None else np.frombuffer(packed.signature, np.uint8),
        vote_settings=packed.settings,
    )


class PackedReads(Sequence[PlateRead]):
    """Reads that take the room of packed ones, each unpacked when it is looked at."""

    __slots__ = ("_charset", "_packed")

    def __init__(self, packed: Sequence[PackedRead], charset: Charset | None) -> None:
        self._packed, self._charset = tuple(packed), charset

    def __len__(self) -> int:
        return len(self._packed)

    @overload
    def __getitem__(self, index: int) -> PlateRead: ...

    @overload
    def __getitem__(self, index: slice) -> PackedReads: ...

    def __getitem__(self, index: int | slice) -> PlateRead | PackedReads:
        if isinstance(index, slice):
            return PackedReads(self._packed[index], self._charset)
        return unpack(self._packed[index], self._charset)


def _what_is_wrong(read: PlateRead) -> str | None:
    """What the vote would find too: such a read would only keep others out of a full track."""
    if read.log_posteriors is not None and read.charset is not None:
        check_charset("crop_or_read", read.charset)
    wrong = what_is_wrong(read, frozenset(read.charset or ()))
    if wrong is not None or read.log_posteriors is None:
        return wrong
    # A rounded logarithm may be a little over 0; NaN fails the comparison.
    return None if bool((read.log_posteriors <= 0.01).all()) else "log_posteriors: NaN, or values over 0"


def _pack_without_text(read: PlateRead, wrong: str | None, time: float) -> PackedRead:
    error = wrong or read.error
    return PackedRead(
        text="",
        status="error" if wrong else read.status,
        error=None if error is None else str(error)[:MAX_ERROR_LENGTH],
        value=0.0,
        figures=_pack_figures(PlateRead(width=read.width, height=read.height, quality=read.quality)),
        characters=b"",
        runners_up="",
        alternatives=(),
        signature=None,
        classes=b"",
        log_posteriors=b"",
        time=time,
    )


def _pack_figures(read: PlateRead) -> bytes:
    raw = _NO_RAW if read.raw_confidence is None else float(read.raw_confidence)
    quality = (read.quality.sharpness, read.quality.contrast, read.quality.clipped)
    sizes = (min(max(int(size), 0), _LARGEST) for size in (read.width, read.height))
    return _FIGURES.pack(float(read.confidence), raw, *map(float, quality), *sizes, int(read.lines) & 255)


def _pack_characters(read: PlateRead) -> tuple[bytes, str]:
    """Values of another number than the characters are of no use to the vote, and left out."""
    length = len(read.text)
    if len(read.char_confidences) != length:
        return b"", ""
    complete = len(read.runners_up) == len(read.runner_up_confidences) == length
    complete &= all(len(symbol) == 1 for symbol in read.runners_up)
    runners_up = "".join(read.runners_up) if complete else ""
    values = (*read.char_confidences, *(read.runner_up_confidences if complete else ()))
    return np.array(values, np.float32).tobytes(), runners_up


def _short_alternatives(read: PlateRead) -> tuple[Alternative, ...]:
    short = [other for other in read.alternatives if len(other.text) <= MAX_CHARACTERS]
    return tuple(short[:MAX_ALTERNATIVES])


def _signature(read: PlateRead) -> bytes | None:
    values: Any = read.signature
    usable = isinstance(values, np.ndarray) and values.dtype == np.uint8 and values.size == 64
    return values.tobytes() if usable else None


def _pack_posteriors(values: npt.NDArray[np.float16]) -> tuple[bytes, bytes]:
    count = values.shape[1]
    logs = values.astype(np.float32)
    best = np.argsort(-logs, axis=1, kind="stable")[:, :TOP]
    others = np.exp(logs)
    np.put_along_axis(others, best, 0, axis=1)
    # What is left is shared evenly, so that each step sums to what it did.
    each = np.log(np.maximum(others.sum(axis=1) / max(count - TOP, 1), _TINY))
    kept = np.column_stack([np.take_along_axis(logs, best, axis=1), each])
    return best.astype(_class_type(count)).tobytes(), kept.astype(np.float16).tobytes()


def _unpack_posteriors(packed: PackedRead, count: int) -> npt.NDArray[np.float16]:
    top = min(TOP, count)
    best = np.frombuffer(packed.classes, _class_type(count)).reshape(-1, top)
    kept = np.frombuffer(packed.log_posteriors, np.float16).reshape(-1, top + 1)
    values = np.repeat(kept[:, top:], count, axis=1)
    np.put_along_axis(values, best.astype(np.intp), kept[:, :top], axis=1)
    return values


def _class_type(count: int) -> np.dtype[Any]:
    return np.min_scalar_type(count - 1)
