"""A label file through a reader: what was read, what should have been, and what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lprfast.data.labels import LabelRow
from lprfast.data.reading import CropReader, FileRead, read_files
from lprfast.data.tracks import TrackCollector
from lprfast.evaluation.rates import Settings
from lprfast.evaluation.samples import NegativeSample, Sample, Traits, VehicleSample
from lprfast.results import PlateRead


class Voted(Protocol):
    """The part of ``PlateVote`` that is scored."""

    @property
    def text(self) -> str:
        """The vehicle's plate; may be empty."""

    @property
    def probability(self) -> float:
        """That it is right, 0-1; 0 where it is empty."""


@dataclass
class Outcome:
    """What came of one label file, or of several pooled.

    Attributes:
        samples: the crops that the reader saw, in order. A crop that it could not read counts as wrong.
        vehicles: one vote per track.
        negatives: the crops without a plate, those whose label is empty; they are in none of the others.
        problems: rows and images that could not be used, each with where and why; they are in no count.
    """

    samples: list[Sample] = field(default_factory=list)
    vehicles: list[VehicleSample] = field(default_factory=list)
    negatives: list[NegativeSample] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def __iadd__(self, other: Outcome) -> Outcome:
        self.samples += other.samples
        self.vehicles += other.vehicles
        self.negatives += other.negatives
        self.problems += other.problems
        return self


def run_rows(
    reader: CropReader,
    source: Path,
    rows: Sequence[LabelRow],
    settings: Settings,
    vote: Callable[[Sequence[PlateRead]], Voted],
    *,
    width: int | None = None,
    advance: Callable[[], None] = lambda: None,
    observe: Callable[[LabelRow, FileRead], None] = lambda row, file: None,
) -> Outcome:
    """Reads the rows' images, and votes per track.

    A row with an empty text is a crop without a plate. It is counted apart, and takes part in the vote of its
    track where that has rows with a text.

    Args:
        reader: a ``PlateReader`` made with ``color="bgr"``.
        source: the label file, which names clusters and problems.
        rows: those to read.
        settings: how texts are compared.
        vote: ``lprfast.vote``.
        width: wider crops are shrunk to it first, in pixels.
        advance: called after each row.
        observe: called with each row and what came of it.
    """
    outcome = Outcome()
    usable = [row for row in rows if _label_is_usable(row, source, settings, outcome)]
    labels = _track_labels(usable, source, settings, outcome)
    tracks = TrackCollector(row.track for row in usable if row.track)
    boxes = (row.box for row in usable)
    files = read_files(reader, (row.path for row in usable), width=width, boxes=boxes)
    seen: set[str] = set()  # tracks of which some image could be opened
    for row, file in zip(usable, files, strict=True):
        if file.loaded:
            seen.add(row.track)
        # Crops without a track are no vehicle together: their reads are let go at once.
        reads = tracks.add(row.track, file.read) if row.track else None
        if file.loaded and not row.text:
            outcome.negatives.append(NegativeSample(file.read.status == "ok", file.read.confidence))
        elif file.loaded:
            outcome.samples.append(_sample(row, file, source, settings))
        else:
            outcome.problems.append(f"{source}, line {row.line}: {row.path}: {file.read.error}")
        if reads and row.track in labels and row.track in seen:
            outcome.vehicles.append(_vehicle(vote(reads), labels[row.track], reads, settings))
        observe(row, file)
        advance()
    return outcome


def _label_is_usable(row: LabelRow, source: Path, settings: Settings, outcome: Outcome) -> bool:
    if not row.text or settings.prepare(row.text):
        return True
    outcome.problems.append(f"{source}, line {row.line}: the text has no letter or digit")
    return False


def _track_labels(
    rows: Sequence[LabelRow], source: Path, settings: Settings, outcome: Outcome
) -> dict[str, LabelRow]:
    """The first row with a text of each track whose texts are all the same."""
    texts: dict[str, dict[str, LabelRow]] = {}
    for row in rows:
        if row.track and row.text:
            texts.setdefault(row.track, {}).setdefault(settings.prepare(row.text), row)
    for track, firsts in texts.items():
        if len(firsts) > 1:
            where = ", ".join(str(row.line) for row in firsts.values())
            outcome.problems.append(
                f"{source}: track {track!r} has different texts (lines {where}); not voted"
            )
    return {track: next(iter(firsts.values())) for track, firsts in texts.items() if len(firsts) == 1}


def _vehicle(voted: Voted, row: LabelRow, reads: Sequence[PlateRead], settings: Settings) -> VehicleSample:
    lines = Counter(read.lines for read in reads if read.status == "ok")
    most = min(lines, key=lambda number: (-lines[number], number), default=0)
    widest = max(read.width for read in reads)
    return VehicleSample(
        settings.prepare(voted.text),
        settings.prepare(row.text),
        voted.probability if voted.text else 0.0,
        Traits(widest, row.region, row.type, most),
    )


def _sample(row: LabelRow, file: FileRead, source: Path, settings: Settings) -> Sample:
    label = settings.prepare(row.text)
    # The kind keeps a track apart from a text that happens to be spelled like it.
    cluster: Hashable = (str(source), "track", row.track) if row.track else (str(source), "text", label)
    read = file.read
    return Sample(
        settings.prepare(read.text),
        label,
        read.text,
        read.status,
        cluster,
        # A text of symbols that are all left out, such as a dash, stays a text with its confidence.
        read.confidence if read.status == "ok" else 0.0,
        read.raw_confidence if read.status == "ok" or read.raw_confidence is None else 0.0,
        Traits(read.width, row.region, row.type, read.lines),
    )
