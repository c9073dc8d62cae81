"""How ``lprfast eval`` states its results: a table for people, one JSON document for programs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lprfast.cli._common import SCHEMA_VERSION, console, table

if TYPE_CHECKING:
    from lprfast.evaluation import Rates, Report, Settings
    from lprfast.reader import PlateReader


def run_facts(
    reader: PlateReader, settings: Settings, width: int | None, splits: dict[str, str]
) -> dict[str, Any]:
    """What a figure depends on: versions, the model file, and every setting."""
    import lprfast

    path = Path(reader.model)
    return {
        "lprfast": lprfast.__version__,
        "model": reader.contract.name,
        "model_sha256": hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None,
        "device": reader.device,
        "width": width,
        "splits": splits,
        "fold": dict(settings.fold),
        "compared": "as written" if settings.as_written else "letters and digits, upper case",
        "level": 0.95,
        "resamples": settings.resamples,
        "seed": settings.seed,
    }


def document(
    reports: Sequence[Report], facts: dict[str, Any], problems: Sequence[str], warnings: Sequence[str]
) -> dict[str, Any]:
    """The JSON document; the last report is the pooled one."""
    *files, pooled = (report.to_dict() for report in reports)
    return {
        "schema_version": SCHEMA_VERSION,
        "settings": facts,
        "files": files,
        "pooled": pooled,
        "failed": list(problems),
        "warnings": list(warnings),
    }


def print_reports(reports: Sequence[Report], facts: dict[str, Any], problems: Sequence[str]) -> None:
    """The table; the pooled line, the last report, is left out where there is one file only."""
    shown = reports[:-1] if len(reports) == 2 else reports
    headers = ("labels", "crops", "exact match", "95 %", "CER", "95 %", "not read", "votes right", "95 %")
    out = console()
    names = _short_names([report.name for report in shown])
    rows = [(name, *_cells(report)) for name, report in zip(names, shown, strict=True)]
    out.print(table("", headers, rows, right=("crops",)))
    splits = ", ".join(sorted(set(facts["splits"].values())))
    width = f"crops shrunk to {facts['width']} px" if facts["width"] else "crops as they are"
    folded = "".join(f", {symbol}={first}" for symbol, first in facts["fold"].items() if symbol != first)
    out.print(
        f"model {facts['model']} ({(facts['model_sha256'] or 'no file')[:12]}); split {splits}; {width}"
    )
    out.print(f"compared: {facts['compared']}{folded}")
    out.print(
        f"95 % intervals: bootstrap over vehicles (track, else text), {facts['resamples']} resamples, "
        f"seed {facts['seed']};"
    )
    out.print("where exact match is 0 or 100 %: Clopper-Pearson; where there is one vehicle only: none (-)")
    if problems:
        out.print(f"{len(problems)} rows or images failed and are in no figure; they are listed on stderr")


def _short_names(names: Sequence[str]) -> list[str]:
    """The folder of a labels.csv, or the file's name; the names as they are where these would not differ."""
    short = [
        Path(name).resolve().parent.name if Path(name).name == "labels.csv" else Path(name).name
        for name in names
    ]
    return short if len(set(short)) == len(short) else list(names)


def _cells(report: Report) -> tuple[str, ...]:
    crops = report.crops
    unread = ", ".join(f"{count} {status}" for status, count in report.statuses.items() if status != "ok")
    votes = ("", "")
    if report.vehicles:
        total = report.vehicles.score
        votes = (f"{total.exact}/{total.n}", _percent_interval(report.vehicles, "exact_interval"))
    return (
        str(crops.score.n),
        f"{crops.score.exact_match:.1%}",
        _percent_interval(crops, "exact_interval"),
        f"{crops.score.cer:.2%}",
        _percent_interval(crops, "cer_interval"),
        unread,
        *votes,
    )


def _percent_interval(rates: Rates, name: str) -> str:
    interval = getattr(rates, name)
    return f"{interval.low:.1%} - {interval.high:.1%}" if interval else "-"
