"""``lprfast read``: crops to plates."""

from __future__ import annotations

import sys
from collections import Counter
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

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from lprfast.cli._writers import Writer
    from lprfast.data.paths import Expanded, ImageSource
    from lprfast.reader import PlateReader
    from lprfast.results import PlateRead

# Of one vehicle that is read best first: they are all held.
_MOST_CROPS_HELD = 2000


def _probability(
    context: click.Context, option: click.Parameter, value: str | None
) -> float | Literal["model"] | None:
    if value is None or value == "model":
        return value  # type: ignore[return-value]
    try:
        probability = float(value)
    except ValueError:
        probability = 0.0
    if not 0 < probability <= 1:
        raise click.BadParameter(f"expected a probability over 0 and up to 1, or model, got {value!r}")
    return probability


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="PATH...")
@click.option("--track-per-folder", is_flag=True, help="Each folder holds one vehicle: vote over its crops.")
@click.option(
    "--stop-at",
    metavar="P|model",
    callback=_probability,
    help="With --track-per-folder: read best first until a vote has this probability, or the one that the "
    "model file names; the column crops counts those read. Up to "
    f"{_MOST_CROPS_HELD} crops of one vehicle [default: read all].",
)
@click.option("--nbest", type=click.IntRange(0, 100), default=0, help="Alternatives for each crop.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV on stdout: a row per crop, or per vehicle.")
@reader_options
@precision_option
@layouts_option
@sr_options
def read(
    inputs: tuple[str, ...],
    track_per_folder: bool,
    stop_at: float | Literal["model"] | None,
    nbest: int,
    as_json: bool,
    as_csv: bool,
    model: str,
    device: str,
    threads: int | None,
    precision: Literal["fp32", "int8"] | None,
    layouts: Layouts,
    sr: tuple[str, int] | None,
) -> None:
    """Read the plates on crops.

    PATH is an image, a folder (searched with its subfolders), a glob in quotes, or a label file (.csv with a
    column path, or .txt as of PaddleOCR). With --track-per-folder the crops of a label file's track are one
    vehicle too. Of images named as in CCPD the plate is cut out.
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude one another")
    if stop_at and (nbest or not track_per_folder):
        raise click.UsageError("--stop-at: needs --track-per-folder, and excludes --nbest")
    if nbest and track_per_folder and not as_json:
        raise click.UsageError("--nbest: a table or CSV of votes has no line for a crop; add --json")
    from lprfast.data.paths import InputError, expand

    try:
        expanded = expand(inputs)
    except InputError as error:
        raise click.UsageError(str(error)) from None
    vehicles = _vehicles(expanded) if stop_at else {}
    reader = make_reader(model, device, threads, precision, layouts, sr)
    complain(expanded.problems)
    writer = _writer(expanded, track_per_folder, as_json, as_csv)
    if stop_at:
        counts = _read_best_first(reader, vehicles, writer, stop_at)
    else:
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
    boxes = (source.box for source in expanded.sources)
    files = read_files(reader, (source.path for source in expanded.sources), nbest=nbest, boxes=boxes)
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


def _read_best_first(
    reader: PlateReader,
    vehicles: dict[str, list[ImageSource]],
    writer: Writer,
    stop_at: float | Literal["model"],
) -> Counter[str]:
    """One vehicle after the other, each held whole: which of its crops are read follows from all of them."""
    counts: Counter[str] = Counter()
    with progress("reading", sum(map(len, vehicles.values())), quiet=sys.stdout.isatty()) as step:
        for track, sources in vehicles.items():
            crops, failed = _load_all(sources)
            voted, reads = reader._read_track(crops, stop_at)
            reads.update(failed)
            for index, source in enumerate(sources):
                _tell(source, reads.get(index), writer, counts)
                step()
            writer.vote(track, list(reads.values()), voted)
    return counts


def _vehicles(expanded: Expanded) -> dict[str, list[ImageSource]]:
    """The images of each; UsageError where one has more than can be held."""
    vehicles: dict[str, list[ImageSource]] = {}
    for source in expanded.sources:
        vehicles.setdefault(source.track, []).append(source)
    for track, sources in vehicles.items():
        if len(sources) > _MOST_CROPS_HELD:
            raise click.UsageError(
                f"--stop-at: {track}: expected up to {_MOST_CROPS_HELD} crops of one vehicle, got "
                f"{len(sources)}; leave --stop-at out, or name fewer of them"
            )
    return vehicles


def _load_all(sources: list[ImageSource]) -> tuple[list[npt.NDArray[np.uint8]], dict[int, PlateRead]]:
    """The crops, an empty one for each file that cannot be loaded, and the reads of these."""
    import numpy as np

    from lprfast.data.images import ImageError
    from lprfast.data.reading import load_crop
    from lprfast.results import PlateRead

    crops, failed = [], {}
    for index, source in enumerate(sources):
        try:
            crops.append(load_crop(source.path, source.box))
        except ImageError as error:
            crops.append(np.zeros((0, 0), np.uint8))
            failed[index] = PlateRead(status="error", error=error.reason)
    return crops, failed


def _tell(source: ImageSource, read: PlateRead | None, writer: Writer, counts: Counter[str]) -> None:
    if read is None:
        counts["not read"] += 1
        writer.unread(source)
        return
    counts[read.status] += 1
    if read.status == "error":
        complain([f"{source.path}: {read.error}"])
    writer.read(source, read)
