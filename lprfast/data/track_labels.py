"""Folders of tracks as in UFPR-SR-Plates and LRLPR-26: one folder of crops per vehicle."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lprfast.data.label_rows import BadRow, LabelFile, LabelRow

ANNOTATIONS = "annotations.json"
# The published files say plate_text and plate_layout; text files made from them say plate and layout.
_TEXT_KEYS = ("plate_text", "plate", "text")
_LAYOUT_KEYS = ("plate_layout", "layout", "type")
_FRAME = re.compile(r"(lr|hr)[-_]?[0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Annotation:
    text: str
    layout: str


def is_track(image: Path) -> bool:
    """Whether an image lies in a track's folder: annotations beside it, or a name such as ``lr-001``."""
    return bool(_FRAME.fullmatch(image.stem)) or (image.parent / ANNOTATIONS).is_file()


def read_tracks(root: Path, images: Sequence[Path], need_text: bool, allow_empty: bool) -> LabelFile:
    """The crops of all tracks below ``root``; arguments as of ``read_labels``.

    The text is taken from ``annotations.json`` (``{"plate_text": ..., "plate_layout": ...}``), else from the
    only text file of the folder, else from the one of the image's name (lines such as ``plate: AB12``, or
    the text alone). ``type`` is the plate's layout, ``split`` is ``lr`` or ``hr`` by the
    image's name, ``track`` the folder's path from ``root``. A folder without a text is one bad row.

    Args:
        root: the folder.
        images: all images below it, in order, folder after folder.
        need_text: whether a crop must have a text.
        allow_empty: whether it may be empty.
    """
    rows: list[LabelRow] = []
    bad_rows: dict[str, BadRow] = {}
    known: dict[Path, _Annotation | str] = {}
    for line, image in enumerate(images, start=1):
        folder = image.parent
        if folder not in known:
            known[folder] = _of_folder(folder)
        found = known[folder]
        if isinstance(found, str):
            found = _of_image(image, found)
        if isinstance(found, _Annotation) and (found.text or allow_empty or not need_text):
            rows.append(_row(root, image, line, found))
        elif need_text:
            reason = f"{folder}: {found if isinstance(found, str) else 'text is empty'}"
            bad_rows.setdefault(reason, BadRow(line, reason))
        else:
            rows.append(_row(root, image, line, _Annotation("", "")))
    columns = ("path", "text", "type", "track", "split")
    return LabelFile(root, columns, tuple(rows), tuple(bad_rows.values()))


def _row(root: Path, image: Path, line: int, found: _Annotation) -> LabelRow:
    folder = image.parent
    frame = _FRAME.fullmatch(image.stem)
    return LabelRow(
        path=image,
        text=found.text,
        line=line,
        type=found.layout,
        track=root.absolute().name if folder == root else folder.relative_to(root).as_posix(),
        split=frame[1].lower() if frame else "",
    )


def _of_folder(folder: Path) -> _Annotation | str:
    """The annotation of all images of a folder, or why there is none."""
    path = folder / ANNOTATIONS
    if path.is_file():
        try:
            return _from_values(json.loads(path.read_text(encoding="utf-8-sig")), ANNOTATIONS)
        except (OSError, ValueError, RecursionError) as error:
            return f"{ANNOTATIONS}: cannot be read as JSON: {error}"
    texts = sorted(folder.glob("*.txt"))
    if len(texts) == 1:
        return _of_text_file(texts[0])
    return f"no text: expected {ANNOTATIONS} or a text file beside the images"


def _of_image(image: Path, otherwise: str) -> _Annotation | str:
    path = image.with_suffix(".txt")
    return _of_text_file(path) if path.is_file() else otherwise


def _of_text_file(path: Path) -> _Annotation | str:
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        return f"{path.name}: cannot be read: {error}"
    if len(lines) == 1 and ":" not in lines[0]:
        return _Annotation(lines[0], "")
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return _from_values({key.strip().lower(): value.strip() for key, value in pairs}, path.name)


def _from_values(values: Any, name: str) -> _Annotation | str:
    text = _first(values, _TEXT_KEYS) if isinstance(values, Mapping) else None
    if text is None:
        return f'{name}: expected "{_TEXT_KEYS[0]}" with the plate\'s text'
    return _Annotation(text, _first(values, _LAYOUT_KEYS) or "")


def _first(values: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    """The first of the keys that holds a text, without white space around it."""
    return next((values[key].strip() for key in keys if isinstance(values.get(key), str)), None)
