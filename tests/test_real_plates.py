"""The bundled model on real plates, compared with their label files. Needs LPRFAST_DATA."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from pathlib import Path

import pytest

import lprfast

DATA = Path(os.environ.get("LPRFAST_DATA", ""))
pytestmark = pytest.mark.skipif(not os.environ.get("LPRFAST_DATA"), reason="LPRFAST_DATA is not set")


def labelled(folder: str) -> list[tuple[Path, str, str]]:
    with (DATA / folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        return [(DATA / folder / row["path"], row["text"], row["track"]) for row in csv.DictReader(file)]


def test_the_street_track_gives_its_plate() -> None:
    tracks: dict[str, list[Path]] = defaultdict(list)
    texts: dict[str, str] = {}
    for path, text, track in labelled("tracks_street"):
        tracks[track].append(path)
        texts[track] = text
    reader = lprfast.PlateReader()
    assert tracks
    for track, paths in tracks.items():
        vote = reader.read_track([lprfast.load_image(path) for path in paths])
        assert vote.text == texts[track]


@pytest.mark.parametrize("folder", ["eu_openalpr", "br_alpr"])
def test_at_least_nine_in_ten_crops_are_read_exactly(folder: str) -> None:
    rows = labelled(folder)
    reads = lprfast.PlateReader().read_many([lprfast.load_image(path) for path, _, _ in rows])
    right = sum(read.text == text for read, (_, text, _) in zip(reads, rows, strict=True))
    assert right >= 0.9 * len(rows)
