"""How wide the synthetic plates are: a histogram written by hand, or taken from a label file."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

from lprfast.data.labels import read_labels
from training.synth.generator import MAX_WIDTH

Width = tuple[int, int, float]
_BIN = 10  # pixels
_ENTRY = re.compile(r"\s*([0-9]{1,9})-([0-9]{1,9})(?::([0-9]+\.?[0-9]*|\.[0-9]+))?\s*")


def read_widths(spec: str) -> list[Width]:
    """The histogram of ``spec`` as (low, high, weight) in pixels, both ends included.

    ``spec`` is ``LOW-HIGH[:WEIGHT],...`` ("40-80:1,80-160:2"), or a label file: its ``width`` is counted,
    wider crops as if they were 1024 pixels wide.

    Raises:
        ValueError: ``spec`` is neither, or a width is not in 1 to 1024.
    """
    parts = spec.split(",")
    # The pattern first: a fine histogram is too long for the name of a file, and asking for one fails.
    if not any(map(_ENTRY.fullmatch, parts)) and _is_file(spec):
        return _from_file(Path(spec))
    return [_entry(part, spec) for part in parts]


def _is_file(spec: str) -> bool:
    try:
        return Path(spec).is_file()
    except (OSError, ValueError):  # too long; a null character
        return False


def _entry(part: str, spec: str) -> Width:
    match = _ENTRY.fullmatch(part)
    if match is None:
        raise ValueError(
            f"--widths {spec[:120]}: expected a label file or LOW-HIGH[:WEIGHT],..., got {part!r}"
        )
    low, high, weight = int(match[1]), int(match[2]), float(match[3] or 1)
    if not (1 <= low <= high <= MAX_WIDTH and 0 < weight < math.inf):
        raise ValueError(
            f"--widths {spec[:120]}: expected 1 <= LOW <= HIGH <= {MAX_WIDTH} and a positive weight, "
            f"got {part[:40]!r}"
        )
    return low, high, weight


def _from_file(path: Path) -> list[Width]:
    labels = read_labels(path, need_text=False)
    lines = [bad.line for bad in labels.bad_rows] + [row.line for row in labels.rows if row.width is None]
    if lines:
        raise ValueError(
            f"--widths {path}: expected a 'width' in pixels in every row; line {min(lines)} has none"
        )
    if not labels.rows:
        raise ValueError(f"--widths {path}: the file has no rows")
    widths = (min(row.width, MAX_WIDTH) for row in labels.rows if row.width is not None)
    counts = Counter(width // _BIN for width in widths)
    return [
        (max(1, b * _BIN), min(b * _BIN + _BIN - 1, MAX_WIDTH), float(n)) for b, n in sorted(counts.items())
    ]
