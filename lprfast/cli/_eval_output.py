"""How ``lprfast eval`` states its results: a table for people, one JSON document for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lprfast.cli._columns import print_rows
from lprfast.cli._common import SCHEMA_VERSION, console, count
from lprfast.cli._terminal import printable

if TYPE_CHECKING:
    from lprfast.evaluation import Calibration, Coverage, Interval, Rates, Report, Settings
    from lprfast.reader import PlateReader

_SHOWN_CONFUSIONS = 10


def run_facts(
    reader: PlateReader, settings: Settings, width: int | None, splits: dict[str, str]
) -> dict[str, Any]:
    """What a figure depends on: versions, the model file, and every setting."""
    import lprfast
    from lprfast.evaluation.hashes import file_sha256

    return {
        "lprfast": lprfast.__version__,
        "model": reader.contract.name,
        "model_sha256": file_sha256(reader.model),
        "precision": reader.contract.precision,
        "calibrated": reader.calibrated,
        "layouts": None if reader.layouts is None else list(reader.layouts.names),
        "device": reader.device,
        "sr": reader.sr_contract.name if reader.sr_contract else None,
        "sr_below": reader.sr_below if reader.sr_contract else None,
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
    """The tables; the pooled line, the last report, is left out where there is one file only."""
    shown = reports[:-1] if len(reports) == 2 else reports
    names = _short_names([report.name for report in shown])
    _print_tables(list(zip(names, shown, strict=True)))
    out = console()
    splits = ", ".join(sorted(set(facts["splits"].values())))
    width = f"crops shrunk to {facts['width']} px" if facts["width"] else "crops as they are"
    folded = "".join(f", {symbol}={first}" for symbol, first in facts["fold"].items() if symbol != first)
    out.print(
        f"model {facts['model']} ({(facts['model_sha256'] or 'no file')[:12]}); split {splits}; {width}"
    )
    out.print(f"compared: {facts['compared']}{folded}")
    out.print(
        f"95 % intervals: bootstrap over vehicles (track, else text), {facts['resamples']} resamples, "
        f"seed {facts['seed']}; Clopper-Pearson where exact match is 0 or 100 %; (-) for a single vehicle"
    )
    if problems:
        failed = count(len(problems), "input")
        out.print(f"{failed} (rows or images) failed and stand in no figure; they are listed on stderr")


def _print_tables(reports: Sequence[tuple[str, Report]]) -> None:
    crops = [
        (name, str(report.crops.score.n), _exact(report.crops), _cer(report.crops), _within_one(report.crops))
        for name, report in reports
    ]
    headers = ("labels", "crops", "exact match (95 %)", "CER (95 %)", "within one")
    print_rows(headers, crops, right=("crops", "within one"))
    click.echo()
    more = [(name, _votes(report), _not_read(report)) for name, report in reports]
    if any(votes or unread for _, votes, unread in more):
        print_rows(("labels", "votes right (95 %)", "crops not read"), more)
        click.echo()
    _print_negatives(reports)
    _print_confidences(reports)
    _print_selective(reports)
    _print_breakdowns(reports)
    _print_confusions(reports[-1][1])


def _print_negatives(reports: Sequence[tuple[str, Report]]) -> None:
    """Crops without a plate, where there are any."""
    for name, report in reports:
        if (found := report.negatives) is not None:
            click.echo(
                f"{printable(name)}: negatives: {found.n}, read as a plate: {found.read} "
                f"({found.read_surely} with confidence > 0.5)"
            )
    if any(report.negatives for _, report in reports):
        click.echo()


def _print_confidences(reports: Sequence[tuple[str, Report]]) -> None:
    rows = [
        (
            name,
            f"{c.mean_confidence:.3f}",
            f"{c.accuracy:.3f}",
            f"{c.ece:.3f}",
            _ece(report.raw_confidence),
            _ece(report.answered_confidence),
            f"{c.brier:.3f}",
            f"{c.nll:.3f}",
        )
        for name, report in reports
        for c in [report.confidence]
        if c is not None
    ]
    if not rows:
        return
    numbers = ("mean confidence", "right", "ECE", "raw ECE", "ECE of answered", "Brier", "NLL")
    print_rows(("labels", *numbers), rows, right=numbers)
    click.echo()


def _print_selective(reports: Sequence[tuple[str, Report]]) -> None:
    """Whether confidences tell right from wrong, of crops and of votes."""
    rows = [
        (name, what, f"{found.aurc:.4f}", f"{found.e_aurc:.4f}", *map(_coverage, found.coverages))
        for name, report in reports
        for what, found in (("crops", report.selective), ("votes", report.vehicle_selective))
        if found is not None
    ]
    if rows:
        targets = ("answered at <= 1% wrong (bound)", "at <= 0.5%")
        print_rows(("labels", "of", "AURC", "E-AURC", *targets), rows, right=("AURC", "E-AURC"))
        click.echo()


def _coverage(found: Coverage) -> str:
    bound = "" if found.error_bound is None else f" (<= {found.error_bound:.2%})"
    return f"{found.coverage:.1%}{bound}"


def _print_breakdowns(reports: Sequence[tuple[str, Report]]) -> None:
    """One table per kind that was asked for."""
    for by in reports[-1][1].breakdowns:
        rows = [
            (
                name,
                group.name,
                str(group.crops.score.n) if group.crops else "0",
                _exact(group.crops) if group.crops else "-",
                f"{group.crops.score.within_one_share:.1%}" if group.crops else "-",
                f"{group.crops.score.cer:.2%}" if group.crops else "-",
                f"{group.vehicles.score.exact}/{group.vehicles.score.n}" if group.vehicles else "",
            )
            for name, report in reports
            for group in report.breakdowns[by]
        ]
        headers = ("labels", by, "crops", "exact match (95 %)", "within one", "CER", "votes right")
        print_rows(headers, rows, right=("crops", "within one", "CER"))
        click.echo()


def _ece(measured: Calibration | None) -> str:
    return f"{measured.ece:.3f}" if measured else "-"


def _print_confusions(report: Report) -> None:
    """The most frequent wrong pairs over all crops."""
    worst = report.confusion.worst(_SHOWN_CONFUSIONS)
    if worst:
        pairs = [f"{label or 'nothing'} as {read or 'nothing'} {n}" for label, read, n in worst]
        click.echo(f"most confused: {printable(', '.join(pairs))}")
        click.echo()


def write_files(report: Report, confusion: Path | None, reliability: Path | None) -> list[str]:
    """Writes the confusion matrix and draws the reliability diagram, where they are wanted.

    Returns:
        What could not be written, each with its path and why: one failure does not cost the other file.
    """
    contents: list[tuple[Path, bytes]] = []
    problems = []
    if confusion is not None:
        text = json.dumps(report.confusion.to_dict(), ensure_ascii=False)
        contents.append((confusion, f"{text}\n".encode()))
    if reliability is not None and report.confidence is not None:
        from lprfast.evaluation.diagram import draw_reliability

        diagram = draw_reliability(report.confidence, report.raw_confidence, reliability.suffix)
        contents.append((reliability, diagram))
    elif reliability is not None:
        problems.append(f"{reliability}: not drawn: no crop with a labelled plate was read")
    return problems + [problem for path, content in contents for problem in write_whole(path, content)]


def check_folder(path: Path | None) -> None:
    """UsageError where the folder of a file that will be written is missing."""
    if path is not None and not path.absolute().parent.is_dir():
        raise click.UsageError(f"{path}: no such folder to write to: {path.absolute().parent}")


def write_whole(path: Path, content: bytes) -> list[str]:
    """Writes a file whole or not at all; the reason where it cannot be written, as a list of one."""
    try:
        _write(path, content)
    except OSError as error:
        return [f"{path}: cannot be written: {error.strerror or error}"]
    return []


def _write(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all; what is no regular file, such as a pipe, is written to directly."""
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    target = path.resolve()  # a link stays a link
    partial = target.with_name(f"{target.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _short_names(names: Sequence[str]) -> list[str]:
    """The folder of a labels.csv, or the file's name; the names as they are where these would not differ."""
    short = [
        Path(name).resolve().parent.name if Path(name).name == "labels.csv" else Path(name).name
        for name in names
    ]
    return short if len(set(short)) == len(short) else list(names)


def _exact(rates: Rates) -> str:
    return f"{rates.score.exact_match:6.1%} {_interval(rates.exact_interval)}" if rates.score.n else "-"


def _within_one(rates: Rates) -> str:
    return f"{rates.score.within_one_share:.1%}" if rates.score.n else "-"


def _cer(rates: Rates) -> str:
    return f"{rates.score.cer:6.2%} {_interval(rates.cer_interval)}" if rates.score.n else "-"


def _votes(report: Report) -> str:
    if report.vehicles is None:
        return ""
    return f"{report.vehicles.score.exact}/{report.vehicles.score.n} {_exact(report.vehicles)}"


def _not_read(report: Report) -> str:
    return ", ".join(f"{number} {status}" for status, number in report.statuses.items() if status != "ok")


def _interval(interval: Interval | None) -> str:
    return f"({interval.low:.1%} - {interval.high:.1%})" if interval else "(-)"
