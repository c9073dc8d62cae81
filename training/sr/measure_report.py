"""The figures of ``measure_sr.py`` as a Markdown table and as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from training.sr.distortions import MapCell
from training.sr.measures import Measured, Reading, Spread

NOTE = (
    "Pictures and confidences: median ± standard deviation over the set, and the mean in brackets. ms: "
    "processor time of one crop alone. Exact match: 95 % Clopper-Pearson, each pair taken for independent."
)


def markdown(measured: Sequence[Measured]) -> str:
    """Two tables for each set: pictures, and what is read of them."""
    parts = [NOTE]
    for data in dict.fromkeys(each.data for each in measured):
        found = [each for each in measured if each.data == data]
        parts += [f"## {data}, n {found[0].n}", _pictures(found)]
        if any(each.readings for each in found):
            parts.append(_readings(found))
    return "\n\n".join(parts) + "\n"


def _pictures(found: Sequence[Measured]) -> str:
    rows = [
        (
            each.contender.name + (f" ({each.failed} failed)" if each.failed else ""),
            f"{each.contender.parameters:,}" if each.contender.parameters else "-",
            _spread(each.psnr, ".2f"),
            _spread(each.psnr_y, ".2f"),
            _spread(each.ssim, ".3f"),
            _spread(each.ms, ".2f"),
        )
        for each in found
    ]
    return _table(("pipeline", "parameters", "PSNR, RGB (dB)", "PSNR, Y (dB)", "SSIM, Y", "ms"), rows)


def _readings(found: Sequence[Measured]) -> str:
    rows = [
        (
            each.contender.name,
            reading.reader,
            str(reading.n),
            f"{reading.exact_match:.1%} ({reading.interval.low:.1%} - {reading.interval.high:.1%})",
            f"{reading.cer:.1%}",
            _spread(reading.confidence, ".3f"),
        )
        for each in found
        for reading in each.readings
    ]
    return _table(("pipeline", "reader", "n", "exact match (95 %)", "CER", "confidence"), rows)


def _spread(values: Spread | None, form: str) -> str:
    if values is None:
        return "-"
    return f"{values.median:{form}} ± {values.deviation:{form}} ({values.mean:{form}})"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [headers, ["---"] * len(headers), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def plain(measured: Measured) -> dict[str, Any]:
    """Plain values; what there is not is null."""
    spreads = {
        name: asdict(value) if (value := getattr(measured, name)) else None
        for name in ("psnr", "psnr_y", "ssim", "ms")
    }
    return {
        "pipeline": measured.contender.name,
        "parameters": measured.contender.parameters,
        "data": measured.data,
        "n": measured.n,
        "failed": measured.failed,
        **spreads,
        "readings": [_plain_reading(reading) for reading in measured.readings],
    }


def _plain_reading(reading: Reading) -> dict[str, Any]:
    return {
        "reader": reading.reader,
        "n": reading.n,
        "exact": reading.exact,
        "exact_match": reading.exact_match,
        "exact_match_interval": [reading.interval.low, reading.interval.high],
        "cer": reading.cer,
        "confidence": asdict(reading.confidence) if reading.confidence else None,
    }


def plain_cell(cell: MapCell) -> dict[str, Any]:
    """Plain values of one cell of a distortion map."""
    return {"kind": cell.kind, "strength": cell.strength, **plain(cell.measured)}
