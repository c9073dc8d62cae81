"""Two small drawings as SVG: the reliability diagram, and what is right by crop width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lprfast.evaluation.markup import Markup, tag
from lprfast.evaluation.reliability import Calibration, wilson_interval
from lprfast.evaluation.sizes import width_bucket, width_buckets

_SIDE = 260  # of the plotting area, in pixels
_LEFT, _TOP = 48, 12
_BLUE, _GRAY = "#3b6fb6", "#a5a5a5"


@dataclass(frozen=True, slots=True)
class WidthShare:
    """Crops of one width bucket: its name, how many there are and how many were read right."""

    name: str
    n: int
    right: int


def shares_by_width(widths: Sequence[int], right: Sequence[bool]) -> list[WidthShare]:
    """Counts per width bucket, narrow first; all buckets are there.

    Raises:
        ValueError: ``strict`` lengths differ.
    """
    buckets = width_buckets(widths)
    counts = [0] * len(buckets)
    for width, good in zip(widths, right, strict=True):
        counts[width_bucket(width)] += good
    return [WidthShare(one.name, one.n, good) for one, good in zip(buckets, counts, strict=True)]


def reliability_chart(calibrated: Calibration, raw: Calibration | None) -> Markup:
    """Share that is right over mean confidence, a dot with its 95 % interval for each bin."""
    marks: list[Markup] = [_line(_x(0), _y(0), _x(1), _y(1), stroke="#777", stroke_dasharray="4 4")]
    for values, colour in ((raw, _GRAY), (calibrated, _BLUE)):
        for one in values.bins if values else ():
            x = _x(one.confidence)
            title = f"{one.n} crops, confidence {one.confidence:.3f}, right {one.accuracy:.3f}"
            marks.append(_line(x, _y(one.low), x, _y(one.high), stroke=colour))
            marks.append(tag("circle", tag("title", title), cx=x, cy=_y(one.accuracy), r=3.5, fill=colour))
    ticks = [_label(_x(v), _y(0) + 16, f"{v:g}", "middle") for v in (0, 0.5, 1)]
    name = _label(_x(0.5), _y(0) + 34, "mean confidence", "middle")
    legend = [_label(_x(0.03), _y(0.95), f"confidence: ECE {calibrated.ece:.3f}", "start", _BLUE)]
    if raw is not None:
        legend.append(_label(_x(0.03), _y(0.89), f"raw: ECE {raw.ece:.3f}", "start", "#777"))
    return _svg("reliability diagram", [*_frame(), *ticks, name, *marks, *legend])


def width_chart(shares: Sequence[WidthShare]) -> Markup:
    """A bar per bucket with crops: the share that is right, its 95 % interval and how many they are."""
    marks: list[Markup] = []
    step = 1 / max(len(shares), 1)
    for index, one in enumerate(shares):
        left, middle = _x((index + 0.15) * step), _x((index + 0.5) * step)
        marks.append(_label(middle, _y(0) + 16, one.name, "middle", size=10))
        marks.append(_label(middle, _y(0) + 30, f"n {one.n}", "middle", "#777", size=10))
        if not one.n:
            continue
        share = one.right / one.n
        low, high = wilson_interval(one.right, one.n)
        title = tag("title", f"{one.right} of {one.n} right, {share:.1%}")
        height = f"{share * _SIDE:.1f}"
        width = f"{0.7 * step * _SIDE:.1f}"
        marks.append(tag("rect", title, x=left, y=_y(share), width=width, height=height, fill="#b9cde8"))
        marks.append(_line(middle, _y(low), middle, _y(high), stroke=_BLUE))
    name = _label(_x(0.5), _y(0) + 48, "crop width in pixels", "middle")
    return _svg("exact match by crop width", [*_frame(), *marks, name])


def _x(value: float) -> str:
    return f"{_LEFT + value * _SIDE:.1f}"


def _y(value: float) -> float:
    return round(_TOP + (1 - value) * _SIDE, 1)


def _frame() -> list[Markup]:
    lines = [_line(_x(0), _y(v), _x(1), _y(v), stroke="#e3e3e3") for v in (0, 0.25, 0.5, 0.75, 1)]
    names = [_label(str(_LEFT - 6), _y(v) + 4, f"{v:g}", "end") for v in (0, 0.5, 1)]
    return [*lines, *names]


def _line(x1: str, y1: float, x2: str, y2: float, **style: str) -> Markup:
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke_width=1.2, **style)


def _label(x: str, y: float, text: str, anchor: str, colour: str = "#333", size: int = 12) -> Markup:
    return tag("text", text, x=x, y=round(y, 1), text_anchor=anchor, fill=colour, font_size=size)


def _svg(name: str, marks: Sequence[Markup]) -> Markup:
    width, height = _LEFT + _SIDE + 20, _TOP + _SIDE + 56
    style = "font-family:system-ui,sans-serif"
    return tag(
        "svg", marks, viewBox=f"0 0 {width} {height}", width=width, height=height, role="img",
        aria_label=name, style=style,
    )  # fmt: skip
