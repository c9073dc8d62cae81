"""How ``lprfast read`` states its results: a table, CSV or one JSON document, written as the reads come."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from lprfast.cli._common import SCHEMA_VERSION, share
from lprfast.cli._terminal import printable

if TYPE_CHECKING:
    from lprfast.data.paths import ImageSource
    from lprfast.results import PlateRead, PlateVote


class Writer(Protocol):
    """Takes each result once, in order, then ``close``."""

    def read(self, source: ImageSource, read: PlateRead) -> None:
        """One crop."""

    def unread(self, source: ImageSource) -> None:
        """One crop that need not be read."""

    def vote(self, track: str, reads: Sequence[PlateRead], vote: PlateVote) -> None:
        """One vehicle, after its last crop."""

    def close(self) -> None:
        """After the last result."""


class JsonWriter:
    """One JSON document on stdout; reads are written as they come, votes follow at the end."""

    def __init__(self, with_tracks: bool) -> None:
        self._out: TextIO = sys.stdout
        self._with_tracks = with_tracks
        self._reads = 0
        self._paths: dict[str, list[str]] = {}
        self._votes: list[dict[str, Any]] = []
        self._out.write(f'{{"schema_version": {SCHEMA_VERSION}, "reads": [')

    def read(self, source: ImageSource, read: PlateRead) -> None:
        values = {"path": str(source.path)}
        if self._with_tracks:
            values["track"] = source.track
            self._paths.setdefault(source.track, []).append(str(source.path))
        self._out.write(",\n" if self._reads else "\n")
        self._out.write(_json(values | _without_version(read.to_dict())))
        self._reads += 1

    def unread(self, source: ImageSource) -> None:
        self._paths.setdefault(source.track, []).append(str(source.path))

    def vote(self, track: str, reads: Sequence[PlateRead], vote: PlateVote) -> None:
        # In the order of the reads, so that a vote's contributions can be told apart.
        paths = self._paths.pop(track)
        self._votes.append({"track": track, "paths": paths} | _without_version(vote.to_dict()))

    def close(self) -> None:
        self._out.write("\n]")
        if self._with_tracks:
            self._out.write(', "tracks": [\n' + ",\n".join(map(_json, self._votes)) + "\n]")
        self._out.write("}\n")


_CROP_COLUMNS = ("path", "text", "confidence", "status", "error", "width", "height")


class CsvWriter:
    """One row per crop, or per vehicle where votes are asked for.

    The column ``alternatives`` holds ``text:probability`` for each, separated by spaces; before the colon of
    "no text" stands nothing. ``second_plate`` is the text of ``PlateVote.conflict``.
    """

    def __init__(self, with_tracks: bool) -> None:
        self._writer = csv.writer(sys.stdout, lineterminator="\n")
        self._with_tracks = with_tracks
        self._writer.writerow(
            ("track", "text", "probability", "status", "crops", "pattern", "second_plate")
            if with_tracks
            else (*_CROP_COLUMNS, "char_confidences", "alternatives")
        )

    def read(self, source: ImageSource, read: PlateRead) -> None:
        if self._with_tracks:
            return
        characters = " ".join(f"{value:.4f}" for value in read.char_confidences)
        row = (source.path, read.text, f"{read.confidence:.6f}", read.status, read.error or "")
        others = " ".join(f"{other.text}:{other.probability:.6f}" for other in read.alternatives)
        self._writer.writerow((*row, read.width, read.height, characters, others))

    def unread(self, source: ImageSource) -> None:
        pass

    def vote(self, track: str, reads: Sequence[PlateRead], vote: PlateVote) -> None:
        row = (track, vote.text, f"{vote.probability:.6f}", vote.status, len(reads), vote.pattern)
        self._writer.writerow((*row, vote.conflict.text if vote.conflict else ""))

    def close(self) -> None:
        pass


class TableWriter:
    """Aligned lines for people, one per crop, or per vehicle where votes are asked for.

    The widths are known beforehand, so that lines can be printed as they come.
    """

    def __init__(self, with_tracks: bool, names: Sequence[str]) -> None:
        from rich.cells import cell_len

        from lprfast.cli._columns import Columns

        self._with_tracks = with_tracks
        headers: tuple[str, ...] = ("crop", "size", "read", "confidence", "status")
        if with_tracks:
            headers = ("track", "text", "pattern", "probability", "status", "crops")
        widest = max((cell_len(printable(name)) for name in names), default=0)
        self._columns = Columns(headers, (widest, *((10, 10, 11, 10, 5) if with_tracks else (9, 10, 10, 10))))
        self._columns.header()

    def read(self, source: ImageSource, read: PlateRead) -> None:
        if self._with_tracks:
            return
        size = f"{read.width}x{read.height}" if read.width else ""
        others = [f"{other.text or '(none)'} {other.probability:.3f}" for other in read.alternatives]
        status = (read.status, read.error) if read.error else (read.status,)
        confidence = share(read.text, read.confidence)
        self._columns.row((str(source.path), size, read.text, confidence, *status, *others))

    def unread(self, source: ImageSource) -> None:
        pass

    def vote(self, track: str, reads: Sequence[PlateRead], vote: PlateVote) -> None:
        probability = share(vote.text, vote.probability)
        row = (track, vote.text, vote.pattern, probability, vote.status, str(len(reads)))
        second = vote.conflict
        self._columns.row((*row, f"second plate: {second.text} {second.probability:.3f}") if second else row)

    def close(self) -> None:
        pass


def _without_version(values: dict[str, Any]) -> dict[str, Any]:
    # The document states the version once.
    return {key: value for key, value in values.items() if key != "schema_version"}


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False)
