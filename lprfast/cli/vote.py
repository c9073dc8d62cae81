"""``lprfast vote``: one plate per vehicle, with the evidence behind it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from lprfast.cli._common import (
    EXIT_FAILED,
    Layouts,
    complain,
    count,
    layouts_option,
    make_reader,
    precision_option,
    progress,
    reader_options,
    sr_options,
    vote_reads,
)
from lprfast.cli._eval_output import check_folder, write_whole

if TYPE_CHECKING:
    from lprfast.cli._writers import Writer
    from lprfast.data.paths import Expanded, ImageSource
    from lprfast.evaluation.vote_page import VehicleEvidence
    from lprfast.reader import PlateReader
    from lprfast.results import PlateRead
    from lprfast.voting import Rule

# A page holds a picture of every crop.
_MOST_CROPS_ON_A_PAGE = 2000


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="FOLDER...")
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the evidence here, one HTML page: the crops, what each said and weighs, the alternatives.",
)
@click.option(
    "--rule",
    type=click.Choice(["fused", "best", "majority", "mvcp", "rover", "product"]),
    default="fused",
    show_default=True,
    help="How to vote; all but fused are published rules to compare with (docs/voting.md).",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, reads included.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout: a row per vehicle.")
@reader_options
@precision_option
@layouts_option
@sr_options
def vote(
    inputs: tuple[str, ...],
    report: Path | None,
    rule: Rule,
    as_json: bool,
    as_csv: bool,
    model: str,
    device: str,
    threads: int | None,
    precision: Literal["fp32", "int8"] | None,
    layouts: Layouts,
    sr: tuple[str, int] | None,
) -> None:
    """Vote over the crops of each vehicle.

    FOLDER holds the crops of one vehicle; its subfolders are further vehicles, as in UFPR-SR-Plates. Of a
    label file (as of lprfast eval), or a folder with a labels.csv, the crops of a track are a vehicle. An
    image named as in CCPD is one by itself, its plate cut out. In the column pattern "?" stands for a
    character with a probability under 0.9. The page of --report shows pictures of plates: keep it as you
    keep these.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude one another")
    if layouts not in ("model", None) and rule != "fused":
        raise click.UsageError(f"--layouts: only --rule fused weighs them, not {rule}")
    from lprfast.data.paths import InputError, expand

    check_folder(report)
    try:
        expanded = expand(inputs, labelled_folders=True)
    except InputError as error:
        raise click.UsageError(str(error)) from None
    if report and len(expanded.sources) > _MOST_CROPS_ON_A_PAGE:
        crops = count(len(expanded.sources), "crop")
        raise click.UsageError(
            f"--report: {crops} are too many for one page (at most {_MOST_CROPS_ON_A_PAGE}); name fewer "
            "folders"
        )
    reader = make_reader(model, device, threads, precision, layouts, sr)
    complain(expanded.problems)
    writer = _writer(expanded, as_json, as_csv)
    vehicles, failed = _vote_all(reader, expanded, writer, rule, keep=report is not None)
    writer.close()
    problems = _write_page(report, vehicles, reader) if report else []
    complain(problems)
    if failed or problems or expanded.problems:
        sys.exit(EXIT_FAILED)


def _writer(expanded: Expanded, as_json: bool, as_csv: bool) -> Writer:
    from lprfast.cli._writers import CsvWriter, JsonWriter, TableWriter

    if as_json:
        return JsonWriter(with_tracks=True)
    if as_csv:
        return CsvWriter(with_tracks=True)
    return TableWriter(with_tracks=True, names=[source.track for source in expanded.sources])


def _vote_all(
    reader: PlateReader, expanded: Expanded, writer: Writer, rule: Rule, keep: bool
) -> tuple[list[VehicleEvidence], int]:
    """Reads, votes and writes; the vehicles where they are kept, and how many crops failed."""
    from lprfast.data.reading import read_files
    from lprfast.data.tracks import TrackCollector
    from lprfast.evaluation.vote_page import VehicleEvidence

    tracks = TrackCollector(source.track for source in expanded.sources)
    kept = _by_track(expanded.sources) if keep else {}
    vehicles: list[VehicleEvidence] = []
    failed = 0
    boxes = (source.box for source in expanded.sources)
    files = read_files(reader, (source.path for source in expanded.sources), boxes=boxes)
    with progress("reading", len(expanded.sources), quiet=sys.stdout.isatty()) as step:
        for source, file in zip(expanded.sources, files, strict=True):
            failed += _complain_of(source, file.read)
            writer.read(source, file.read)
            if reads := tracks.add(source.track, file.read):
                voted = vote_reads(reads, rule)
                writer.vote(source.track, reads, voted)
                if keep:
                    images = kept[source.track]
                    places, cuts = [image.path for image in images], [image.box for image in images]
                    vehicles.append(VehicleEvidence(source.track, places, reads, voted, cuts))
            step()
    return vehicles, failed


def _by_track(sources: tuple[ImageSource, ...]) -> dict[str, list[ImageSource]]:
    tracks: dict[str, list[ImageSource]] = {}
    for source in sources:
        tracks.setdefault(source.track, []).append(source)
    return tracks


def _complain_of(source: ImageSource, read: PlateRead) -> int:
    if read.status != "error":
        return 0
    complain([f"{source.path}: {read.error}"])
    return 1


def _write_page(path: Path, vehicles: list[VehicleEvidence], reader: PlateReader) -> list[str]:
    import lprfast
    from lprfast.evaluation.vote_page import vote_page

    note = f"model {reader.contract.name} ({reader.contract.precision}), lprfast {lprfast.__version__}"
    return write_whole(path, vote_page(vehicles, [note]).encode("utf-8"))
