"""How wide the synthetic plates are: a histogram written by hand, or taken from a label file."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

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
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        counts = Counter(int(float(row["width"])) // _BIN for row in rows)
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"--widths {path}: expected a column 'width' with a number in every row") from None
    if not counts:
        raise ValueError(f"--widths {path}: the file has no rows")
    return [(max(1, b * _BIN), b * _BIN + _BIN - 1, float(n)) for b, n in sorted(counts.items())]
