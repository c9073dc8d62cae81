"""``lprfast demo``: the bundled example vehicles, read and voted."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lprfast.cli._columns import print_rows
from lprfast.cli._common import (
    EXIT_FAILED,
    CannotStart,
    complain,
    console,
    make_reader,
    reader_options,
    share,
    vote_reads,
)
from lprfast.cli._terminal import printable

if TYPE_CHECKING:
    from rich.console import Console

    from lprfast.data.labels import LabelRow
    from lprfast.reader import PlateReader


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@reader_options
def demo(folder: Path | None, model: str, device: str, threads: int | None) -> None:
    """Read the bundled example vehicles, crop by crop and voted.

    Another FOLDER works as well: it, or each of its subfolders, holds a labels.csv with path and text.
    """
    tracks = demo_tracks(folder or bundled_folder())
    reader = make_reader(model, device, threads)
    out = console()
    if folder is None:
        out.print(
            "These plates are synthetic: drawn and degraded by a program, no photographs, no real vehicles."
        )
    right = failed = 0
    for name, rows in tracks.items():
        track_right, track_failed = _show_track(reader, out, name, rows)
        right += track_right
        failed += track_failed
    out.print(f"{right} of {len(tracks)} votes equal the labelled text.")
    if failed:
        sys.exit(EXIT_FAILED)


def bundled_folder() -> Path:
    """The example tracks inside the package."""
    import lprfast

    return Path(lprfast.__file__).parent / "demo_tracks"


def demo_tracks(folder: Path) -> dict[str, list[LabelRow]]:
    """The rows of each vehicle, in the label files' order.

    Raises:
        CannotStart: no label file, or one that cannot be used.
    """
    from lprfast.data.labels import LabelError, read_labels
    from lprfast.data.paths import natural_key

    files = [folder / "labels.csv"]
    if not files[0].is_file():
        files = sorted(folder.glob("*/labels.csv"), key=lambda path: natural_key(str(path)))
    tracks: dict[str, list[LabelRow]] = {}
    try:
        for file in files:
            labels = read_labels(file)
            complain(f"{file}, line {bad.line}: {bad.reason}" for bad in labels.bad_rows)
            for row in labels.rows:
                tracks.setdefault(row.track or row.path.parent.name, []).append(row)
    except LabelError as error:
        raise CannotStart(str(error)) from None
    if not tracks:
        raise CannotStart(f"{folder}: no labels.csv with rows, neither here nor in its subfolders")
    return tracks


def _show_track(reader: PlateReader, out: Console, name: str, rows: list[LabelRow]) -> tuple[bool, int]:
    """Prints one vehicle; whether its vote is right, and how many of its files failed."""
    from lprfast.data.reading import read_files

    files = list(read_files(reader, (row.path for row in rows)))
    lines = []
    for file in files:
        crop = file.read
        complain([f"{file.path}: {crop.error}"] if crop.status == "error" else [])
        size = f"{crop.width}x{crop.height}" if crop.width else ""
        confidence = share(crop.text, crop.confidence)
        lines.append((file.path.name, size, crop.text, confidence, crop.status))
    out.print(printable(name))
    print_rows(("crop", "size", "read", "confidence", "status"), lines, right=("size", "confidence"))
    vote = vote_reads([file.read for file in files])
    label = rows[0].text
    probability = f"  probability {vote.probability:.3f}" if vote.text else ""
    verdict = "equals" if vote.text == label else "differs from"
    out.print(
        f"vote: {vote.text or '(none)'}{probability}  {vote.status}; {verdict} the labelled text {label}\n"
    )
    return vote.text == label, sum(file.read.status == "error" for file in files)
