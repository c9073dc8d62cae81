"""Label files: one CSV row per crop."""

from __future__ import annotations

import csv
from pathlib import Path

from lprfast.data.label_rows import BadRow, LabelError, LabelFile, LabelRow

# The names of fast-plate-ocr's label files are understood as well.
_SYNONYMS = {"image_path": "path", "plate_text": "text", "plate_region": "region"}

_USED = ("path", "text", "width", "height", "type", "region", "track", "split")


def read_csv(path: Path, lines: list[str], need_text: bool, allow_empty: bool) -> LabelFile:
    """The rows of a CSV file with a header; arguments as of ``read_labels``.

    Raises:
        LabelError: the file is empty, or its header lacks a needed column.
    """
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


def _columns(path: Path, header: list[str], need_text: bool) -> tuple[str, ...]:
    if not any(cell.strip() for cell in header):
        raise LabelError(f"{path}: the file is empty; expected a first line such as path,text")
    names = [cell.strip().lower() for cell in header]
    columns = tuple(_SYNONYMS.get(name, name) for name in names)
    for needed in ("path", "text") if need_text else ("path",):
        if columns.count(needed) != 1:
            raise LabelError(
                f"{path}: expected one column '{needed}' in the first line, separated by commas; "
                f"got {','.join(header)[:120]!r} (a file of PaddleOCR has lines of path, tab, text)"
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
