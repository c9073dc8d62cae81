"""``lprfast read``: crops to plates."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Literal

import click

from lprfast.cli._common import (
    EXIT_FAILED,
    complain,
    count,
    make_reader,
    precision_option,
    progress,
    reader_options,
    sr_options,
    vote_reads,
)

if TYPE_CHECKING:
    from lprfast.cli._writers import Writer
    from lprfast.data.paths import Expanded
    from lprfast.reader import PlateReader


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="PATH...")
@click.option("--track-per-folder", is_flag=True, help="Each folder holds one vehicle: vote over its crops.")
@click.option("--nbest", type=click.IntRange(0, 100), default=0, help="Alternatives for each crop.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout: a row per crop, or per vehicle.")
@reader_options
@precision_option
@sr_options
def read(
    inputs: tuple[str, ...],
    track_per_folder: bool,
    nbest: int,
    as_json: bool,
    as_csv: bool,
    model: str,
    device: str,
    threads: int | None,
    precision: Literal["fp32", "int8"] | None,
    sr: tuple[str, int] | None,
) -> None:
    """Read the plates on crops.

    PATH is an image, a folder (searched with its subfolders), a glob in quotes, or a label file (.csv with a
    column path). With --track-per-folder the crops of a label file's track are one vehicle too.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude one another")
    if nbest and track_per_folder and not as_json:
        raise click.UsageError("--nbest: a table or CSV of votes has no line for a crop; add --json")
    from lprfast.data.paths import InputError, expand

    try:
        expanded = expand(inputs)
    except InputError as error:
        raise click.UsageError(str(error)) from None
    reader = make_reader(model, device, threads, precision, sr)
    complain(expanded.problems)
    writer = _writer(expanded, track_per_folder, as_json, as_csv)
    counts = _read_all(reader, expanded, writer, track_per_folder, nbest)
    writer.close()
    if not (as_json or as_csv):
        parts = ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
        click.echo(f"{count(counts.total(), 'crop')}: {parts}", err=True)
    if counts["error"] or expanded.problems:
        sys.exit(EXIT_FAILED)


def _writer(expanded: Expanded, with_tracks: bool, as_json: bool, as_csv: bool) -> Writer:
    from lprfast.cli._writers import CsvWriter, JsonWriter, TableWriter

    if as_json:
        return JsonWriter(with_tracks)
    if as_csv:
        return CsvWriter(with_tracks)
    names = [source.track if with_tracks else str(source.path) for source in expanded.sources]
    return TableWriter(with_tracks, names)


def _read_all(
    reader: PlateReader, expanded: Expanded, writer: Writer, with_tracks: bool, nbest: int
) -> Counter[str]:
    from lprfast.data.reading import read_files
    from lprfast.data.tracks import TrackCollector

    tracks = TrackCollector(source.track for source in expanded.sources if with_tracks)
    counts: Counter[str] = Counter()
    files = read_files(reader, (source.path for source in expanded.sources), nbest=nbest)
    # On a terminal the lines themselves show how far it is; a bar among them would garble both.
    with progress("reading", len(expanded.sources), quiet=sys.stdout.isatty()) as step:
        for source, file in zip(expanded.sources, files, strict=True):
            counts[file.read.status] += 1
            if file.read.status == "error":
                complain([f"{source.path}: {file.read.error}"])
            writer.read(source, file.read)
            reads = tracks.add(source.track, file.read) if with_tracks else None
            if reads:
                writer.vote(source.track, reads, vote_reads(reads))
            step()
    return counts
