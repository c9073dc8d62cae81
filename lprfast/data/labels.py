"""Label files: one CSV row per crop."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path

# The names of fast-plate-ocr's label files are understood as well.
_SYNONYMS = {"image_path": "path", "plate_text": "text"}

_USED = ("path", "text", "width", "height", "type", "region", "track", "split")


class LabelError(ValueError):
    """A label file that cannot be used at all; the message names the file and what was expected."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One crop of a label file.

    Attributes:
        path: of the image; a relative path is taken from the label file's folder.
        text: the plate as labelled; empty where the cell is empty or the file has no such column.
        line: in the label file, the header being line 1.
        width, height: in pixels as the file states them, or None.
        type: free text, the kind of plate; may be empty.
        region: free text, often a country; may be empty.
        track: names the vehicle among the rows of this file; may be empty.
        split: ``train``, ``dev`` or another name; may be empty.
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


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: its line in the file and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a label file holds.

    Attributes:
        path: of the file.
        columns: the header's names, in order, in the spelling used here (``image_path`` becomes ``path``).
        rows: the usable rows, in order.
        bad_rows: the others.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[LabelRow, ...]
    bad_rows: tuple[BadRow, ...]


def read_labels(
    path: str | os.PathLike[str], *, need_text: bool = True, allow_empty: bool = False
) -> LabelFile:
    """Reads a label file: CSV, UTF-8 with or without a byte-order mark, columns in any order.

    Columns are ``path`` and ``text`` (or ``image_path`` and ``plate_text``) and, if you like, ``width``,
    ``height``, ``type``, ``region``, ``track``, ``split``; others are ignored. Rows that cannot be used
    are collected, not raised; so are cells with a line break in one of these columns and quotes that are not
    closed, after which the next line is tried as a row of its own.

    Args:
        path: the file.
        need_text: whether the column ``text`` must be there.
        allow_empty: whether a cell of a needed ``text`` may be empty: there is nothing to read. Else such a
            row is a bad one.

    Raises:
        LabelError: the file cannot be opened, is empty or not UTF-8, or its header lacks a needed column.
    """
    path = Path(path)
    lines = io.StringIO(_decoded(path), newline="").readlines()
    try:
        header, start = _record(lines, 0)
    except ValueError as error:
        raise LabelError(f"{path}: the header cannot be read: {error}") from None
    columns = _columns(path, header, need_text)
    rows: list[LabelRow] = []
    bad_rows: list[BadRow] = []
    seen: dict[Path, int] = {}
    while start < len(lines):
        line = start + 1
        # An unclosed quote reaches into later rows: after a bad row the very next line is tried.
        start += 1
        try:
            cells, end = _record(lines, line - 1)
            if any(cell.strip() for cell in cells):
                rows.append(_row(path.parent, columns, cells, line, need_text and not allow_empty, seen))
            start = end
        except ValueError as error:
            bad_rows.append(BadRow(line, str(error)))
    return LabelFile(path, columns, tuple(rows), tuple(bad_rows))


def _record(lines: list[str], start: int) -> tuple[list[str], int]:
    """The cells of the record that begins at ``lines[start]``, and where the next one begins."""
    reader = csv.reader((lines[index] for index in range(start, len(lines))), strict=True)
    try:
        return next(reader, []), start + reader.line_num
    except csv.Error as error:
        if reader.line_num > 1:
            raise ValueError(f"a quote is opened on this line and not closed properly ({error})") from None
        raise ValueError(str(error)) from None


def _decoded(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LabelError(f"{path}: cannot be opened: {error.strerror or error}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"0x{data[error.start]:02x}"
        raise LabelError(
            f"{path}: expected UTF-8, line {line} holds the byte {byte}; save the file as UTF-8"
        ) from None


def _columns(path: Path, header: list[str], need_text: bool) -> tuple[str, ...]:
    if not any(cell.strip() for cell in header):
        raise LabelError(f"{path}: the file is empty; expected a first line such as path,text")
    names = [cell.strip().lower() for cell in header]
    columns = tuple(_SYNONYMS.get(name, name) for name in names)
    for needed in ("path", "text") if need_text else ("path",):
        if columns.count(needed) != 1:
            raise LabelError(
                f"{path}: expected one column '{needed}' in the first line, separated by commas; "
                f"got {','.join(header)[:120]!r}"
            )
    return columns


def _row(
    folder: Path,
    columns: tuple[str, ...],
    cells: list[str],
    line: int,
    need_filled: bool,
    seen: dict[Path, int],
) -> LabelRow:
    if len(cells) != len(columns):
        raise ValueError(f"expected {len(columns)} columns, got {len(cells)}")
    values = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    if not values["path"]:
        raise ValueError("path is empty")
    if "\0" in values["path"]:
        raise ValueError("path holds a NUL character")
    for name in _USED:
        if any(end in values.get(name, "") for end in "\r\n"):
            raise ValueError(f"{name} holds a line break; is a quote not closed?")
    text = values.get("text", "")
    if need_filled and not text:
        raise ValueError("text is empty")
    path = folder / values["path"]
    # The same crop twice would count twice, or with two labels be wrong whatever is read.
    if path in seen:
        raise ValueError(f"path is given already on line {seen[path]}")
    row = LabelRow(
        path=path,
        text=text,
        line=line,
        width=_pixels(values, "width"),
        height=_pixels(values, "height"),
        region=values.get("region", ""),
        track=values.get("track", ""),
        split=values.get("split", ""),
        type=values.get("type", ""),
    )
    seen[path] = line
    return row


def _pixels(values: dict[str, str], name: str) -> int | None:
    text = values.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text[:10]) <= 10**6):
        raise ValueError(f"{name}: expected a whole number of pixels, got {text[:20]!r}")
    return int(text)
