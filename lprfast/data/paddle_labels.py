"""Label files of PaddleOCR: a path, a tab and a text per line, no header."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from lprfast.data.label_rows import BadRow, LabelFile, LabelRow

_LOOKED_AT = 50
_HEADER_NAMES = {"path", "image_path"}
_PARENTS = 3


def is_paddle(lines: list[str]) -> bool:
    """Whether one of the first lines has a tab, and the first is no header of a CSV file."""
    filled = [line for line in lines[:_LOOKED_AT] if line.strip()]
    names = {name.strip(' "').lower() for name in re.split("[,;\t]", filled[0].strip())} if filled else set()
    return names.isdisjoint(_HEADER_NAMES) and any("\t" in line for line in filled)


def read_paddle(path: Path, lines: list[str], need_text: bool, allow_empty: bool) -> LabelFile:
    """The rows of a PaddleOCR recognition label file; arguments as of ``read_labels``.

    A line may name several images of one text as a JSON list. PaddleOCR takes paths from a data folder that
    its label file does not name: they are looked for from the file's folder and then from its parents.
    """
    found: list[tuple[str, str, int]] = []
    bad_rows: list[BadRow] = []
    for line, content in enumerate(lines, start=1):
        if not content.strip():
            continue
        try:
            names, text = _cells(content)
            if not text and need_text and not allow_empty:
                raise ValueError("text is empty")
            found += [(name, text, line) for name in names]
        except ValueError as error:
            bad_rows.append(BadRow(line, str(error)))
    base = _base(path.parent, [name for name, _, _ in found[:_LOOKED_AT]])
    rows: list[LabelRow] = []
    seen: dict[Path, int] = {}
    for name, text, line in found:
        image = base / name
        if image in seen:
            bad_rows.append(BadRow(line, f"path is given already on line {seen[image]}"))
        else:
            seen[image] = line
            rows.append(LabelRow(image, text, line))
    bad_rows.sort(key=lambda bad: bad.line)
    return LabelFile(path, ("path", "text"), tuple(rows), tuple(bad_rows))


def _cells(content: str) -> tuple[list[str], str]:
    cells = [cell.strip() for cell in content.strip("\r\n").split("\t")]
    if len(cells) != 2:
        raise ValueError(f"expected path, tab, text; got {len(cells)} cells")
    name, text = cells
    if text.startswith("[{"):
        raise ValueError(
            "the text is a list of boxes: this is a label of detection; expected one plate's text"
        )
    names = _list_of_names(name) if name.startswith("[") else [name]
    for one in names:
        if not one or "\0" in one:
            raise ValueError("path is empty" if not one else "path holds a NUL character")
    return names, text


def _list_of_names(cell: str) -> list[str]:
    try:
        names = json.loads(cell)
    except (ValueError, RecursionError):
        return [cell]  # a name that begins with a bracket
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise ValueError("path: expected a name, or a JSON list of names")
    return names


def _base(folder: Path, names: list[str]) -> Path:
    """The folder that the names are relative to: the nearest in which one of them exists."""
    for base in (folder, *list(folder.absolute().parents)[:_PARENTS]):
        # Not Path.exists, which raises for names that are too long.
        if any(os.path.exists(base / name) for name in names):
            return base
    return folder
