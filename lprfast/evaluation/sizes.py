"""How wide the crops are, and what that means for reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

WIDTH_EDGES = (20, 40, 60, 80, 100)
"""Borders of the width buckets in pixels; a border belongs to the bucket above it."""

PERCENTILES = (5, 25, 75, 95)

# What the shipped reader keeps of its exact match at a width: docs/results.md, "The same crops, shrunk
# first", pooled (0.925, 0.831 and 0.468 of 0.928). Between the widths it is interpolated; nothing is known
# under 30 px, and a straight line to 0 at 16 px stands in for it.
KEPT_WIDTHS = (16.0, 30.0, 40.0, 60.0)
KEPT_SHARES = (0.0, 0.468 / 0.928, 0.831 / 0.928, 1.0)

FULL_WIDTH = 60  # next to nothing is lost from here up
WEAK_WIDTH = 40  # a seventh is lost
LOST_WIDTH = 30  # more than half is lost
INPUT_WIDTH = 128  # of the reader: wider crops are shrunk to it


@dataclass(frozen=True, slots=True)
class WidthBucket:
    """Crops of like width.

    Attributes:
        low, high: widths from ``low`` to below ``high``, in pixels; ``high`` is None at the top.
        n: crops.
        share: of all crops, 0-1.
        cumulative: share of the crops in this bucket and all narrower ones, 0-1.
    """

    low: int
    high: int | None
    n: int
    share: float
    cumulative: float

    @property
    def name(self) -> str:
        """Such as ``under 20``, ``20-40`` or ``100+``."""
        if self.high is None:
            return f"{self.low}+"
        return f"{self.low}-{self.high}" if self.low else f"under {self.high}"

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        values = {field: getattr(self, field) for field in self.__dataclass_fields__}
        return {"name": self.name} | values


@dataclass(frozen=True, slots=True)
class Spread:
    """Smallest, largest, mean and percentiles (linear between ranks) of one figure."""

    low: float
    high: float
    mean: float
    median: float
    percentiles: tuple[tuple[int, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values in the order min, p5, p25, median, mean, p75, p95, max."""
        named = [(f"p{percent}", value) for percent, value in self.percentiles]
        middle = [("median", self.median), ("mean", self.mean)]
        return dict([("min", self.low), *named[:2], *middle, *named[2:], ("max", self.high)])


def width_bucket(width: float) -> int:
    """Number of the bucket that a width in pixels belongs to: 0 under 20, 1 for 20-40, ... 5 from 100 up."""
    return int(np.searchsorted(WIDTH_EDGES, width, side="right"))


def bucket_name(bucket: int) -> str:
    """The name of a bucket's number: ``under 20``, ``20-40``, ... ``100+``."""
    return width_buckets([])[bucket].name


def width_buckets(widths: Sequence[int]) -> list[WidthBucket]:
    """Counts widths in the buckets of ``WIDTH_EDGES``; all of them are there, empty ones too."""
    lows, highs = (0, *WIDTH_EDGES), (*WIDTH_EDGES, None)
    counts = np.bincount([width_bucket(width) for width in widths], minlength=len(lows)).tolist()
    total = max(len(widths), 1)
    up_to = np.cumsum(counts).tolist()
    return [
        WidthBucket(low, high, n, n / total, sum_n / total)
        for low, high, n, sum_n in zip(lows, highs, counts, up_to, strict=True)
    ]


def share_below(widths: Sequence[int], pixels: float) -> float:
    """Share of the widths that are less than ``pixels``, 0-1; 0 for none."""
    return sum(width < pixels for width in widths) / max(len(widths), 1)


def spread(values: Sequence[float]) -> Spread:
    """Figures of at least one value.

    Raises:
        ValueError: there is none.
    """
    if not len(values):
        raise ValueError("values: expected at least one")
    numbers = np.asarray(values, np.float64)
    return Spread(
        float(numbers.min()),
        float(numbers.max()),
        float(numbers.mean()),
        float(np.median(numbers)),
        tuple((percent, float(np.percentile(numbers, percent))) for percent in PERCENTILES),
    )


def histogram(widths: Sequence[int], rows: int = 20) -> list[tuple[int, int | None, int]]:
    """Counts in bins of equal width for a drawing: ``(low, high, n)``, ``high`` excluded.

    A bin is 5, 10, 20, 50, 100, ... pixels wide, so that 95 % of the crops fit into ``rows`` bins; the wider
    ones stand in a last bin whose ``high`` is None.
    """
    if not widths:
        return []
    first, reach = min(widths), float(np.percentile(widths, 95))
    steps = (step * 10**power for power in range(6) for step in (5, 10, 20))
    step = next((s for s in steps if reach < (first // s + rows) * s), 10**6)
    numbers = np.asarray(widths) // step
    bottom = first // step
    top = min(max(widths) // step, bottom + rows - 1)
    bins: list[tuple[int, int | None, int]] = [
        (b * step, (b + 1) * step, int((numbers == b).sum())) for b in range(bottom, top + 1)
    ]
    rest = int((numbers > top).sum())
    return [*bins, ((top + 1) * step, None, rest)] if rest else bins


def kept_share(widths: Sequence[int]) -> float:
    """Estimate of the share of its exact match that the shipped reader keeps at these widths, 0-1.

    Of one crop each, from docs/results.md. Those crops were shrunk from larger ones; crops that are small
    because the vehicle is far away are often blurred as well, and do worse.
    """
    return float(np.mean(np.interp(widths, KEPT_WIDTHS, KEPT_SHARES))) if widths else 0.0


def widths_spec(widths: Sequence[int]) -> str:
    """These widths as ``training/train_ocr.py --widths`` takes them: ``20-39:12,40-59:40``."""
    top = max(min(max(widths, default=1), 1024), WIDTH_EDGES[-1])
    return ",".join(
        f"{max(one.low, 1)}-{top if one.high is None else one.high - 1}:{one.n}"
        for one in width_buckets(widths)
        if one.n
    )
