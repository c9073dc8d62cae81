"""What a label file holds, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

Box = tuple[int, int, int, int]


class LabelError(ValueError):
    """A label file that cannot be used at all; the message names the file and what was expected."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One crop of a label file.

    Attributes:
        path: of the image; a relative path is taken from the label file's folder.
        text: the plate as labelled; empty where the cell is empty or the file has no such column.
        line: in the label file, the header being line 1; of a folder without a label file, the image's place
            among the folder's images in natural order, from 1.
        width, height: in pixels as the file states them, or None.
        type: free text, the kind of plate; may be empty.
        region: free text, often a country; may be empty.
        track: names the vehicle among the rows of this file; may be empty.
        split: ``train``, ``dev`` or another name; may be empty.
        box: the plate in the image, (left, top, right, bottom) in pixels, right and bottom exclusive; None
            where the image is the crop.
    """

    path: Path
    text: str
    line: int
    width: int | None = None
    height: int | None = None
    region: str = ""
    track: str = ""
    split: str = ""
    type: str = ""
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: its line in the file and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a label file holds.

    Attributes:
        path: of the file, or of the folder where there is none.
        columns: the header's names, in order, in the spelling used here (``image_path`` becomes ``path``);
            in formats without a header, the columns that its rows fill.
        rows: the usable rows, in order.
        bad_rows: the others.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[LabelRow, ...]
    bad_rows: tuple[BadRow, ...]
