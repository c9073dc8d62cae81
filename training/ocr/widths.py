"""How wide the synthetic plates are: a histogram written by hand, or taken from a label file."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from lprfast.data.labels import read_labels

Width = tuple[int, int, float]
_BIN = 10  # pixels
_ENTRY = re.compile(r"(\d+)-(\d+)(?::([0-9.]+))?")


def read_widths(spec: str) -> list[Width]:
    """The histogram of ``spec`` as (low, high, weight) in pixels, both ends included.

    ``spec`` is ``LOW-HIGH[:WEIGHT],...`` ("40-80:1,80-160:2"), or a label file: its ``width`` is counted.

    Raises:
        ValueError: ``spec`` is neither.
    """
    path = Path(spec)
    return _from_file(path) if path.is_file() else [_entry(part, spec) for part in spec.split(",")]


def _entry(part: str, spec: str) -> Width:
    match = _ENTRY.fullmatch(part.strip())
    if match is None:
        raise ValueError(f"--widths {spec}: expected a label file or LOW-HIGH[:WEIGHT],..., got {part!r}")
    low, high, weight = int(match[1]), int(match[2]), float(match[3] or 1)
    if not (1 <= low <= high and weight > 0):
        raise ValueError(f"--widths {spec}: expected 1 <= LOW <= HIGH and a positive weight, got {part!r}")
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
    counts = Counter(row.width // _BIN for row in labels.rows if row.width is not None)
    return [(max(1, b * _BIN), b * _BIN + _BIN - 1, float(n)) for b, n in sorted(counts.items())]
