"""``lprfast compare-sr``: whether enlarging crops helps the reader, measured."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lprfast.cli._columns import print_rows
from lprfast.cli._common import (
    EXIT_FAILED,
    SCHEMA_VERSION,
    CannotStart,
    complain,
    console,
    count,
    make_reader,
    progress,
    vote_reads,
)
from lprfast.cli._eval_output import check_folder, run_facts, write_whole
from lprfast.cli._terminal import printable
from lprfast.cli.evaluate import (
    NoResult,
    chance_warnings,
    choose_rows,
    fold_option,
    label_files,
    refuse_shift,
    symbol_warnings,
    training_warnings,
)

if TYPE_CHECKING:
    from lprfast.data.labels import LabelFile, LabelRow
    from lprfast.data.reading import FileRead
    from lprfast.evaluation import Settings
    from lprfast.evaluation.run import Outcome
    from lprfast.evaluation.sr_comparison import Example, Run
    from lprfast.evaluation.sr_page import Figures
    from lprfast.evaluation.sr_pipelines import PipelineReader

Chosen = list[tuple["LabelFile", "list[LabelRow]", str]]


@click.command("compare-sr")
@click.argument("inputs", nargs=-1, required=True, metavar="LABELS...")
@click.option(
    "--pipeline",
    "pipelines",
    multiple=True,
    required=True,
    metavar="NAME",
    help="none, bicubic2, bicubic4, bicubic8 or a super-resolution model, bundled or its file; repeatable, "
    "the first one is what the others are compared with.",
)
@click.option(
    "--model",
    "readers",
    multiple=True,
    default=("default",),
    show_default=True,
    help="Reader: bundled model or ONNX file; repeatable.",
)
@click.option(
    "--width", type=click.IntRange(1, 10_000), help="Shrink wider crops to this width first (pixels)."
)
@click.option(
    "--below",
    type=click.IntRange(1, 100_000),
    metavar="PX",
    help="Enlarge narrower crops only [default: all].",
)
@click.option(
    "--fold", default="", callback=fold_option, help="Symbols that count as the same, such as O0,I1."
)
@click.option("--split", help="Rows to take, as for lprfast eval.")
@click.option("--as-written", is_flag=True, help="Compare every symbol and its case.")
@click.option("--examples", type=click.IntRange(0, 1000), default=20, show_default=True, help="Crops shown.")
@click.option("--resamples", type=click.IntRange(1, 1_000_000), default=2000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the bootstrap.")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the tables and the examples' pictures here, one HTML page.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(1, 1024), help="Worker threads [default: all usable].")
def compare_sr(
    inputs: tuple[str, ...],
    pipelines: tuple[str, ...],
    readers: tuple[str, ...],
    width: int | None,
    below: int | None,
    fold: dict[str, str],
    split: str | None,
    as_written: bool,
    examples: int,
    resamples: int,
    seed: int,
    report: Path | None,
    as_json: bool,
    device: str,
    threads: int | None,
) -> None:
    """Compare ways of enlarging crops by what is read afterwards.

    LABELS as for lprfast eval. Every pipeline is run before every reader, on the same crops. Stated are, per
    width, exact match and character accuracy with 95 % bootstrap intervals over vehicles, the processor time
    per crop of enlarging and of reading, the votes, and paired tests against the first pipeline (with several
    readers, against that of the first reader too), corrected for their number. A result that a wiring fault
    explains is refused, as by lprfast eval.
    """
    from lprfast.evaluation import Settings
    from lprfast.evaluation.sr_comparison import cells, paired_tests
    from lprfast.evaluation.sr_comparison import examples as choose_examples

    check_folder(report)
    settings = Settings(fold, as_written, resamples, seed)
    chosen = [(labels, *choose_rows(labels, split)) for labels in label_files(inputs)]
    ways = _open(dict.fromkeys(pipelines), dict.fromkeys(readers), device, threads, below)
    runs, places, warnings = _run_all(ways, chosen, settings, width)
    problems = runs[0].outcome.problems
    warnings = [*_record_warnings(ways, chosen, runs[0].outcome, settings), *warnings]
    for warning in warnings:
        click.echo(f"WARNING: {printable(warning)}", err=True)
    figures = [(run.pipeline, run.reader, cells(run, settings)) for run in runs]
    tests = paired_tests(runs, settings)
    shown = choose_examples(places, runs, examples)
    facts = _facts(ways, chosen, settings, width, below)
    if as_json:
        document = {
            "schema_version": SCHEMA_VERSION,
            "settings": facts,
            "runs": [
                {"pipeline": pipeline, "reader": reader, "widths": [cell.to_dict() for cell in found]}
                for pipeline, reader, found in figures
            ],
            "tests": [test.to_dict() for test in tests],
            "examples": [example.to_dict() for example in shown],
            "failed": problems,
            "warnings": warnings,
        }
        click.echo(json.dumps(document, indent=2, allow_nan=False))
    else:
        _print(figures, tests, shown, facts)
    unwritten = []
    if report is not None:
        from lprfast.evaluation.sr_page import comparison_page

        text = comparison_page(figures, tests, shown, facts, warnings)
        unwritten = write_whole(report, text.encode("utf-8"))
        complain(unwritten)
    if problems or unwritten:
        sys.exit(EXIT_FAILED)


def _open(
    pipelines: dict[str, None],
    readers: dict[str, None],
    device: str,
    threads: int | None,
    below: int | None,
) -> list[PipelineReader]:
    """Every reader behind every pipeline, pipeline by pipeline: what one enlarges all readers then read."""
    from lprfast._core import OrtError
    from lprfast.evaluation.sr_pipelines import (
        KeptAnswers,
        PipelineReader,
        distinct_names,
        named_readers,
        open_pipeline,
    )

    try:
        opened = [open_pipeline(text, device, threads) for text in pipelines]
    except (ValueError, OSError, OrtError) as error:
        raise CannotStart(str(error)) from error
    names = distinct_names([[pipeline.name for pipeline in opened], list(pipelines)])
    opened = [replace(pipeline, name=name) for pipeline, name in zip(opened, names, strict=True)]
    once = named_readers([make_reader(name, device, threads) for name in readers]).values()
    ways = []
    for pipeline in opened:
        kept = KeptAnswers() if len(once) > 1 else None
        ways += [PipelineReader(pipeline, reader, below, kept) for reader in once]
    return ways


def _run_all(
    ways: Sequence[PipelineReader], chosen: Chosen, settings: Settings, width: int | None
) -> tuple[list[Run], list[Any], list[str]]:
    """The runs, the place of each crop that they scored, and warnings."""
    from lprfast.evaluation.sr_comparison import Run

    places: list[Any] = []

    def observe(row: LabelRow, file: FileRead) -> None:
        if file.loaded and row.text:
            places.append((row.path, row.box))

    runs: list[Run] = []
    warnings: list[str] = []
    names = _reader_names(ways)
    total = len(ways) * sum(len(rows) for _, rows, _ in chosen)
    with progress("reading", total) as step:
        for way, name in zip(ways, names, strict=True):
            places.clear()
            outcome = _run(way, chosen, settings, width, step, observe)
            if not runs:
                complain(outcome.problems)
            prefix = f"{way.pipeline.name} / {name}: "
            if not outcome.samples:
                why = "the reasons are listed above" if outcome.problems else "no label has a text"
                raise NoResult(f"no crop with a labelled plate could be read: {why}")
            failures = _failures(outcome, way, prefix)
            refuse_shift(outcome, way.reader, settings)
            chance = chance_warnings(outcome, way.reader)
            warnings += [*failures, *(prefix + warning for warning in chance)]
            runs.append(Run(way.pipeline.name, name, outcome, way.spent))
            if not any(later.kept is way.kept for later in ways[len(runs) :]):
                way.kept.forget()
    order = list(dict.fromkeys(names))
    return sorted(runs, key=lambda run: order.index(run.reader)), places, warnings


def _failures(outcome: Outcome, way: PipelineReader, prefix: str) -> list[str]:
    """A warning of the crops that failed, with the commonest reason; NoResult where all have."""
    failed = sum(sample.status == "error" for sample in outcome.samples)
    if not failed:
        return []
    crops = count(len(outcome.samples), "crop")
    [(reason, _)] = way.failed.most_common(1)
    if failed == len(outcome.samples):
        raise NoResult(f"{prefix}none of {crops} could be read: {reason}")
    return [f"{prefix}{failed} of {crops} failed and count as wrong: {reason}"]


def _record_warnings(
    ways: Sequence[PipelineReader], chosen: Chosen, outcome: Outcome, settings: Settings
) -> list[str]:
    """Of what readers and networks learnt from, and of what the readers cannot write; each once."""
    splits = {str(labels.path): used for labels, _, used in chosen}
    readers = dict(zip(_reader_names(ways), (way.reader for way in ways), strict=True))
    networks = {way.pipeline.name: way.pipeline.training for way in ways}
    records = [*networks.items(), *((name, reader.contract.training) for name, reader in readers.items())]
    found = [f"{name}: {text}" for name, record in records for text in training_warnings(splits, record)]
    for name, reader in readers.items():
        found += [f"{name}: {text}" for text in symbol_warnings({"labels": outcome}, reader, settings)]
    return found


def _run(
    way: PipelineReader, chosen: Chosen, settings: Settings, width: int | None, step: Any, observe: Any
) -> Outcome:
    from lprfast.evaluation.run import Outcome, run_rows

    pooled = Outcome()
    for labels, rows, _ in chosen:
        pooled.problems += [f"{labels.path}, line {row.line}: {row.reason}" for row in labels.bad_rows]
        pooled += run_rows(
            way, labels.path, rows, settings, vote_reads, width=width, advance=step, observe=observe
        )
    return pooled


def _reader_names(ways: Sequence[PipelineReader]) -> list[str]:
    """As ``named_readers`` has them, one for each way."""
    from lprfast.evaluation.sr_pipelines import named_readers

    named = named_readers([way.reader for way in ways])
    of_reader = {reader.model: name for name, reader in named.items()}
    return [of_reader[way.reader.model] for way in ways]


def _facts(
    ways: Sequence[PipelineReader], chosen: Chosen, settings: Settings, width: int | None, below: int | None
) -> dict[str, Any]:
    from lprfast.evaluation.hashes import file_sha256

    splits = {str(labels.path): used for labels, _, used in chosen}
    first = ways[0].reader
    facts = run_facts(first, settings, width, splits)
    for name in ("model", "model_sha256", "precision", "calibrated", "sr", "sr_below"):
        facts.pop(name, None)
    return {
        **facts,
        "below": below,
        "threads": first.threads,
        "readers": {
            name: {
                "precision": way.reader.contract.precision,
                "calibrated": way.reader.calibrated,
                "sha256": file_sha256(way.reader.model),
            }
            for name, way in zip(_reader_names(ways), ways, strict=True)
        },
        "pipelines": {way.pipeline.name: way.pipeline.facts for way in ways},
    }


def _print(figures: Figures, tests: Sequence[Any], shown: Sequence[Example], facts: dict[str, Any]) -> None:
    from lprfast.evaluation import sr_page

    rows = sr_page.cell_rows(figures)
    print_rows(sr_page.CELL_HEADERS, rows, right=("crops", "SR ms", "read ms"))
    click.echo()
    if tests:
        numbers = ("n", "gained", "lost", "p", "p (Holm)")
        print_rows(sr_page.TEST_HEADERS, sr_page.test_rows(tests), right=numbers)
        click.echo()
    if shown:
        texts = [(str(one.width), one.label, *(text or "-" for text in one.texts)) for one in shown]
        print_rows(("width", "truth", *sr_page.run_names(figures)), texts, right=("width",))
        click.echo()
    out = console()
    shrunk = f"crops shrunk to {facts['width']} px" if facts["width"] else "crops as they are"
    out.print(
        f"{shrunk}; {count(facts['threads'], 'thread')}; times are processor time per crop, all threads. "
        f"Intervals: bootstrap over vehicles (track, else text), {facts['resamples']} resamples, seed "
        f"{facts['seed']}. "
        "Tests: McNemar, which takes crops of one vehicle for independent (the interval of the difference "
        "does not)"
    )
    if all(cell.vehicles is None for _, _, cells in figures for cell in cells):
        out.print("No votes: the labels name no vehicle ('track') of which a crop was read")
