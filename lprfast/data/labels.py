"""Label files of every format that is understood, through one door."""

from __future__ import annotations

import io
import os
from pathlib import Path

from lprfast.data.csv_labels import read_csv
from lprfast.data.label_rows import BadRow, Box, LabelError, LabelFile, LabelRow
from lprfast.data.paddle_labels import is_paddle, read_paddle

__all__ = ["BadRow", "Box", "LabelError", "LabelFile", "LabelRow", "read_labels"]


def read_labels(
    path: str | os.PathLike[str], *, need_text: bool = True, allow_empty: bool = False
) -> LabelFile:
    """Reads the labels of crops; the format is told by the content.

    * CSV, columns in any order: ``path`` and ``text`` and, if you like, ``width``, ``height``, ``type``,
      ``region``, ``track``, ``split``; others are ignored. The names of fast-plate-ocr (``image_path``,
      ``plate_text``, ``plate_region``) are understood as well.
    * PaddleOCR: lines of path, tab, text, without a header.
    * A folder: its ``labels.csv``; or tracks as in UFPR-SR-Plates and LRLPR-26, one folder of images per
      vehicle beside ``annotations.json`` (the split of ``lr-001.png`` is ``lr``, of ``hr-001.png`` ``hr``);
      or images named as in CCPD, whose rows have a ``box``.

    Files are UTF-8 with or without a byte-order mark. Rows that cannot be used are collected, not raised; so
    are cells with a line break in one of these columns and quotes that are not closed, after which the next
    line is tried as a row of its own.

    Args:
        path: the file or folder.
        need_text: whether there must be texts.
        allow_empty: whether a needed text may be empty: there is nothing to read. Else such a row is a bad
            one.

    Raises:
        LabelError: the file cannot be opened, is empty or not UTF-8, or fits no format.
    """
    path = Path(path)
    if path.is_dir():
        if not (path / "labels.csv").is_file():
            # Here, because the walk through folders itself reads label files.
            from lprfast.data.label_folders import read_folder

            return read_folder(path, need_text, allow_empty)
        path = path / "labels.csv"
    lines = io.StringIO(_decoded(path), newline="").readlines()
    read = read_paddle if is_paddle(lines) else read_csv
    return read(path, lines, need_text, allow_empty)


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
