"""Which reads take part in a vote, and why the others do not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from numbers import Integral, Real
from types import NoneType

import numpy as np

from lprfast._alphabet import Charset
from lprfast.results import Alternative, PlateRead, Quality
from lprfast.vote_settings import VoteSettings

# Bounds on what one read may cost the vote: no plate is near them.
MAX_STEPS = 512
MAX_CHARACTERS = 64

# The plain types first: they are found without the slow look at the abstract ones.
_NUMBER, _WHOLE, _MANY = (float, int, Real), (int, Integral), (tuple, list, Sequence)
# What the fields of a read must be. What is only out of range is no error: such a read is set aside.
_FIELDS: tuple[tuple[str, tuple[type, ...], str], ...] = (
    ("text", (str,), "a text"),
    ("status", (str,), "a text"),
    ("charset", (tuple, list, NoneType), "a tuple of texts"),
    ("raw_confidence", (*_NUMBER, NoneType), "a number"),
    ("quality", (Quality,), "a Quality"),
    ("lines", _WHOLE, "a whole number"),
    ("vote_settings", (VoteSettings, NoneType), "VoteSettings"),
)
# Of sequences: the types that their items mostly are, and all that they may be.
_ITEMS: tuple[tuple[str, frozenset[type], tuple[type, ...], str], ...] = (
    ("char_confidences", frozenset((float,)), _NUMBER, "numbers"),
    ("runner_up_confidences", frozenset((float,)), _NUMBER, "numbers"),
    ("runners_up", frozenset((str,)), (str,), "texts"),
    ("alternatives", frozenset((Alternative,)), (Alternative,), "Alternatives"),
)


def check_read(name: str, read: object) -> None:
    """TypeError that names the read, and its field, where one is of a type that the vote cannot use."""
    if not isinstance(read, PlateRead):
        raise TypeError(f"{name}: expected a PlateRead, got {type(read).__name__}")
    for field, kinds, what in _FIELDS:
        value = getattr(read, field)
        if not isinstance(value, kinds):
            raise TypeError(f"{name}.{field}: expected {what}, got {value!r:.60}")
    for field in ("width", "height"):
        value = getattr(read, field)
        if not isinstance(value, _NUMBER) or not math.isfinite(value):
            raise TypeError(f"{name}.{field}: expected a whole number of pixels, got {value!r:.60}")
    for field, usual, kinds, what in _ITEMS:
        values = getattr(read, field)
        if isinstance(values, _MANY) and usual.issuperset(map(type, values)):
            continue
        if not isinstance(values, _MANY) or not all(issubclass(one, kinds) for one in set(map(type, values))):
            raise TypeError(f"{name}.{field}: expected a tuple of {what}, got {values!r:.60}")
    for index, other in enumerate(read.alternatives):
        if not isinstance(other.text, str):
            raise TypeError(f"{name}.alternatives[{index}].text: expected a text, got {other.text!r:.60}")


def common_charset(reads: Sequence[PlateRead]) -> Charset | None:
    """The one charset of the reads that have log-posteriors and something to say, or None.

    Raises:
        ValueError: there are two, or one that :func:`check_charset` refuses; the message names the reads.
    """
    first: tuple[int, Charset] | None = None
    for index, read in enumerate(reads):
        if read.log_posteriors is None or read.charset is None or reason_of_silence(read) is not None:
            continue
        if first is None:
            check_charset(f"reads[{index}]", read.charset)
            first = (index, read.charset)
        elif read.charset is not first[1] and tuple(read.charset) != tuple(first[1]):
            check_charset(f"reads[{index}]", read.charset)
            raise ValueError(
                f"reads[{index}]: its charset differs from that of reads[{first[0]}]; "
                "vote only reads of one model, or pass the others through read_from_text"
            )
    return None if first is None else tuple(first[1])


def check_charset(name: str, charset: Charset) -> None:
    """ValueError that names the read where its charset has no single blank, or a symbol twice.

    TypeError where a symbol is no text.
    """
    odd = next((symbol for symbol in charset if not isinstance(symbol, str)), None)
    if odd is not None:
        raise TypeError(f"{name}.charset: expected a tuple of texts, got {odd!r:.60} in it")
    if charset.count("") != 1:
        raise ValueError(f'{name}: expected one blank "" in its charset')
    if len(frozenset(charset)) < len(charset):
        twice = next(symbol for symbol, number in Counter(charset).items() if number > 1)
        raise ValueError(f"{name}: expected each symbol once in its charset, got {twice!r} twice")


def leave_unreadable_out(reads: Sequence[PlateRead], reasons: list[str | None]) -> None:
    """Where a read has a text, those whose text was refused do not vote: published rules count answers."""
    answered = any(
        read.status == "ok" and reason is None for read, reason in zip(reads, reasons, strict=True)
    )
    for index, read in enumerate(reads):
        if answered and read.status != "ok" and reasons[index] is None:
            reasons[index] = "unreadable, and the rule counts texts"


def reason_to_leave_out(read: PlateRead, known: frozenset[str]) -> str | None:
    """Why the read takes no part in the vote, or None when it does."""
    return reason_of_silence(read) or what_is_wrong(read, known)


def reason_of_silence(read: PlateRead) -> str | None:
    """Why the read says nothing of a text, or None when it does."""
    if read.status == "error":
        return f"error: {read.error or 'no reason given'}"
    if read.status == "no_plate" or (read.status == "ok" and not read.text):
        return "no text was seen"
    if read.status != "ok" and read.log_posteriors is None:
        return "unreadable, and no log-posteriors"
    return None


def what_is_wrong(read: PlateRead, known: frozenset[str]) -> str | None:
    """What keeps a read that has something to say from voting, or None.

    Args:
        read: its confidence, text and log-posteriors are looked at.
        known: the symbols of the vote's charset.
    """
    if not (isinstance(read.confidence, _NUMBER) and 0 <= read.confidence <= 1):
        return f"confidence: expected a number from 0 to 1, got {read.confidence!r}"
    if len(read.text) > MAX_CHARACTERS:
        return f"text: {len(read.text)} characters, more than the {MAX_CHARACTERS} that a plate can have"
    if read.log_posteriors is None:
        return None
    if read.charset is None:
        return "log_posteriors without a charset"
    if not known.issuperset(read.text):
        return f"text has symbols that its charset lacks: {''.join(sorted(set(read.text) - known))}"
    return _reason_against_posteriors(read.log_posteriors, len(known))


def _reason_against_posteriors(values: object, classes: int) -> str | None:
    if not isinstance(values, np.ndarray) or values.dtype != np.float16:
        came = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
        return f"log_posteriors: expected a float16 array, got {came}"
    if values.ndim != 2 or values.shape[1] != classes or not 1 <= values.shape[0] <= MAX_STEPS:
        return f"log_posteriors: expected shape [1-{MAX_STEPS}, {classes}], got {list(values.shape)}"
    return None
