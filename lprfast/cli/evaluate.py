"""``lprfast eval``: how often the reader is right, with intervals and guards."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from lprfast.cli._common import (
    EXIT_FAILED,
    Layouts,
    complain,
    layouts_option,
    make_reader,
    precision_option,
    progress,
    reader_options,
    sr_options,
    vote_reads,
)
from lprfast.cli._eval_evidence import Evidence, evidence_options
from lprfast.cli._eval_output import check_folder, document, print_reports, run_facts, write_files
from lprfast.cli._terminal import printable

if TYPE_CHECKING:
    from lprfast.data.labels import LabelFile, LabelRow
    from lprfast.evaluation import Report, Settings
    from lprfast.evaluation.run import Outcome
    from lprfast.reader import PlateReader

_DEFAULT_SPLIT = "dev"
# As lprfast.evaluation.BY, which is not imported for --help.
_BY = ("width", "region", "type", "lines")


class NoResult(click.ClickException):
    """Nothing was read, or a fault explains the result, so that no figure is stated: exit code 1."""

    exit_code = EXIT_FAILED


def fold_option(context: click.Context, parameter: click.Parameter, value: str) -> dict[str, str]:
    """What ``--fold`` says."""
    from lprfast.evaluation import parse_fold

    try:
        return parse_fold(value) if value else {}
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command("eval")
@click.argument("inputs", nargs=-1, required=True, metavar="LABELS...")
@click.option(
    "--fold", default="", callback=fold_option, help="Symbols that count as the same, such as O0,I1."
)
@click.option(
    "--width", type=click.IntRange(1, 10_000), help="Shrink wider crops to this width first (pixels)."
)
@click.option(
    "--split", help="Rows to take: dev, train, another name, or all [default: dev, where rows have it]."
)
@click.option(
    "--as-written", is_flag=True, help="Compare every symbol and its case; else only letters and digits."
)
@click.option(
    "--by",
    multiple=True,
    type=click.Choice(_BY),
    help="Also print the rates by crop width, region, plate type or number of lines; repeatable.",
)
@click.option("--resamples", type=click.IntRange(1, 1_000_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the bootstrap.")
@click.option(
    "--confusion",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the character confusion matrix of all crops here (JSON); training can weigh its loss by it.",
)
@click.option(
    "--reliability",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Draw the reliability diagram of all crops here (PNG, SVG or PDF; needs lprfast[report]).",
)
@evidence_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@reader_options
@precision_option
@layouts_option
@sr_options
def evaluate(
    inputs: tuple[str, ...],
    fold: dict[str, str],
    width: int | None,
    split: str | None,
    as_written: bool,
    by: tuple[str, ...],
    resamples: int,
    seed: int,
    confusion: Path | None,
    reliability: Path | None,
    as_json: bool,
    model: str,
    device: str,
    threads: int | None,
    precision: Literal["fp32", "int8"] | None,
    layouts: Layouts,
    sr: tuple[str, int] | None,
    evidence: Evidence,
) -> None:
    """Measure the reader on labelled crops.

    LABELS is a label file (CSV with path and text, optionally track, split, region and type; or as of
    PaddleOCR), a folder that holds a labels.csv, a folder of such folders, or a folder of tracks as in
    UFPR-SR-Plates (--split lr or hr takes half of it) or of images named as in CCPD. Stated are exact match
    and character error rate (CER), both with 95 % bootstrap intervals that resample whole vehicles (by
    track, else by text), the votes, how far confidences are from the share that is right (ECE), how many
    crops can be answered with at most 1 % wrong, and the characters most often confused. Rows with an empty
    text are crops without a plate: of these it is stated how many were read as one.
    """
    from lprfast.evaluation import Settings

    _check_outputs(confusion, reliability)
    evidence.check()
    settings = Settings(fold, as_written, resamples, seed)
    chosen = [(labels, *choose_rows(labels, split)) for labels in label_files(inputs)]
    reader = make_reader(model, device, threads, precision, layouts, sr)
    outcomes = _run(reader, [(labels, rows) for labels, rows, _ in chosen], settings, width, evidence)
    pooled = _pool(outcomes)
    complain(pooled.problems)
    if not pooled.samples and not pooled.negatives:
        raise NoResult("no crop could be read; the reasons are listed above")
    refuse_shift(pooled, reader, settings)
    splits = {str(labels.path): used for labels, _, used in chosen}
    warnings = [
        *training_warnings(splits, reader.contract.training),
        *chance_warnings(pooled, reader),
        *symbol_warnings(outcomes, reader, settings),
    ]
    for warning in warnings:
        click.echo(f"WARNING: {printable(warning)}", err=True)
    # A program may look at any of them; for people each costs time.
    reports = _reports(outcomes, pooled, settings, _BY if as_json else tuple(dict.fromkeys(by)))
    facts = run_facts(reader, settings, width, splits)
    if as_json:
        click.echo(json.dumps(document(reports, facts, pooled.problems, warnings), indent=2, allow_nan=False))
    else:
        print_reports(reports, facts, pooled.problems)
    # After the figures, which a full disk must not cost.
    unwritten = write_files(reports[-1], confusion, reliability)
    unwritten += evidence.write(reports, settings, facts, warnings)
    complain(unwritten)
    if pooled.problems or unwritten:
        sys.exit(EXIT_FAILED)


def _check_outputs(confusion: Path | None, reliability: Path | None) -> None:
    """Before anything is read: a long run should not end on a missing folder or package."""
    for path in (confusion, reliability):
        check_folder(path)
    if reliability is not None:
        from lprfast.evaluation.diagram import DiagramError, check_diagram

        try:
            check_diagram(reliability)
        except DiagramError as error:
            raise click.UsageError(str(error)) from None


def label_files(inputs: Sequence[str]) -> list[LabelFile]:
    """The label files that arguments name: files, folders that are labelled, folders with such subfolders.

    Raises:
        UsageError: there is none, or one cannot be used.
    """
    from lprfast.data.labels import LabelError, read_labels
    from lprfast.data.paths import natural_key

    files: dict[Path, LabelFile] = {}
    for text in inputs:
        path = Path(text)
        if not path.exists():
            raise click.UsageError(f"{text}: no such file or folder")
        found = [path / "labels.csv" if (path / "labels.csv").is_file() else path]
        if found == [path] and path.is_dir():
            below = sorted(path.glob("*/labels.csv"), key=lambda file: natural_key(str(file)))
            found = below or [path]
        try:
            for file in found:
                if file.resolve() not in files:
                    files[file.resolve()] = read_labels(file, allow_empty=True)
        except LabelError as error:
            raise click.UsageError(str(error)) from None
    return list(files.values())


def choose_rows(labels: LabelFile, split: str | None) -> tuple[list[LabelRow], str]:
    """The rows of the split, and the split's name.

    Without a wish it is ``dev`` where any row has that split, else all.

    Raises:
        UsageError: the file has no such row.
    """
    splits = sorted({row.split for row in labels.rows if row.split})
    if split is None:
        split = _DEFAULT_SPLIT if _DEFAULT_SPLIT in splits else "all"
    rows = [row for row in labels.rows if split in ("all", row.split)]
    if not rows:
        known = ", ".join(splits) or "none"
        bad = (
            f"; first bad row: line {b.line}: {b.reason}" if (b := next(iter(labels.bad_rows), None)) else ""
        )
        raise click.UsageError(
            f"{labels.path}: no usable row of split {split!r} (splits in the file: {known}){bad}"
        )
    return rows, split


def _run(
    reader: PlateReader,
    chosen: Sequence[tuple[LabelFile, Sequence[LabelRow]]],
    settings: Settings,
    width: int | None,
    evidence: Evidence,
) -> dict[str, Outcome]:
    from lprfast.evaluation.run import run_rows

    outcomes = {}
    with progress("reading", sum(len(rows) for _, rows in chosen)) as step:
        for labels, rows in chosen:
            seen = evidence.observe(labels.path)
            outcome = run_rows(
                reader, labels.path, rows, settings, vote_reads, width=width, advance=step, observe=seen
            )
            bad = [f"{labels.path}, line {row.line}: {row.reason}" for row in labels.bad_rows]
            outcome.problems[:0] = bad
            outcomes[str(labels.path)] = outcome
    return outcomes


def _pool(outcomes: dict[str, Outcome]) -> Outcome:
    from lprfast.evaluation.run import Outcome

    pooled = Outcome()
    for outcome in outcomes.values():
        pooled += outcome
    return pooled


def refuse_shift(pooled: Outcome, reader: PlateReader, settings: Settings) -> None:
    """NoResult where a charset that is off explains what was read."""
    from lprfast.evaluation import find_shift

    texts = [sample.raw for sample in pooled.samples]
    labels = [sample.label for sample in pooled.samples]
    finding = find_shift(texts, labels, reader.contract.charset, settings.prepare)
    if finding is not None:
        raise NoResult(str(finding))


def training_warnings(splits: dict[str, str], training: Mapping[str, Any]) -> list[str]:
    """Of label files whose rows a model's training record does not keep apart from training."""
    from lprfast.evaluation import trained_on

    data = training.get("data")
    record = [name for name in data if isinstance(name, str)] if isinstance(data, list | tuple) else []
    warnings = []
    for name, used in splits.items():
        entry = trained_on(Path(name), record)
        if entry and used in ("all", "train"):
            warnings.append(
                f"{name}: the model's training record names {entry}, and the rows taken (split {used}) are "
                "not kept apart from training: the figures are likely too good; give the file a column split "
                "or take other crops"
            )
    return warnings


def chance_warnings(pooled: Outcome, reader: PlateReader) -> list[str]:
    """Of the whole run: in a part of it, such as the farthest crops, chance may well be all there is."""
    from lprfast.evaluation import below_chance

    texts = [sample.text for sample in pooled.samples]
    labels = [sample.label for sample in pooled.samples]
    chance = below_chance(texts, labels, len(reader.contract.charset))
    return [chance] if chance else []


def symbol_warnings(outcomes: dict[str, Outcome], reader: PlateReader, settings: Settings) -> list[str]:
    """Of labels, by label file, that the reader cannot write."""
    from lprfast.evaluation import uncovered_symbols

    charset = reader.contract.charset
    warnings = []
    for name, outcome in outcomes.items():
        labels = [sample.label for sample in outcome.samples]
        missing = uncovered_symbols(labels, charset, settings)
        if missing:
            shown = " ".join(symbol for symbol, _ in missing.most_common(40))
            touched = sum(1 for label in labels if not missing.keys().isdisjoint(label))
            hold = "1 label holds" if touched == 1 else f"{touched} labels hold"
            warnings.append(f"{name}: {hold} symbols that the model cannot write: {shown}")
    return warnings


def _reports(
    outcomes: dict[str, Outcome], pooled: Outcome, settings: Settings, by: Sequence[str]
) -> list[Report]:
    from lprfast.evaluation import make_report

    return [
        make_report(name, one.samples, one.vehicles, settings, one.negatives, by)
        for name, one in [*outcomes.items(), ("pooled", pooled)]
    ]
