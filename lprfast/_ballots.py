"""Which reads take part in a vote, and why the others do not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lprfast._alphabet import Charset
from lprfast.results import PlateRead

# Bounds on what one read may cost the vote: no plate is near them.
MAX_STEPS = 512
MAX_CHARACTERS = 64


def common_charset(reads: Sequence[PlateRead]) -> Charset | None:
    """The one charset of all reads that have log-posteriors, or None.

    Raises:
        ValueError: there are two, or one has no single blank; the message names the reads.
    """
    first: tuple[int, Charset] | None = None
    for index, read in enumerate(reads):
        if read.log_posteriors is None or read.charset is None:
            continue
        if first is None:
            if read.charset.count("") != 1:
                raise ValueError(f'reads[{index}]: expected one blank "" in its charset')
            first = (index, read.charset)
        elif read.charset is not first[1] and read.charset != first[1]:
            raise ValueError(
                f"reads[{index}]: its charset differs from that of reads[{first[0]}]; "
                "vote only reads of one model, or pass the others through read_from_text"
            )
    return None if first is None else first[1]


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
    if read.status == "error":
        return f"error: {read.error or 'no reason given'}"
    if read.status == "no_plate" or (read.status == "ok" and not read.text):
        return "no text was seen"
    if not (isinstance(read.confidence, float | int) and 0 <= read.confidence <= 1):
        return f"confidence: expected a number from 0 to 1, got {read.confidence!r}"
    if len(read.text) > MAX_CHARACTERS:
        return f"text: {len(read.text)} characters, more than the {MAX_CHARACTERS} that a plate can have"
    if read.log_posteriors is None:
        return "unreadable, and no log-posteriors" if read.status != "ok" else None
    if read.charset is None:
        return "log_posteriors without a charset"
    unknown = sorted(set(read.text) - known)
    if unknown:
        return f"text has symbols that its charset lacks: {''.join(unknown)}"
    return _reason_against_posteriors(read.log_posteriors, len(known))


def _reason_against_posteriors(values: object, classes: int) -> str | None:
    if not isinstance(values, np.ndarray) or values.dtype != np.float16:
        came = values.dtype if isinstance(values, np.ndarray) else type(values).__name__
        return f"log_posteriors: expected a float16 array, got {came}"
    if values.ndim != 2 or values.shape[1] != classes or not 1 <= values.shape[0] <= MAX_STEPS:
        return f"log_posteriors: expected shape [1-{MAX_STEPS}, {classes}], got {list(values.shape)}"
    return None
