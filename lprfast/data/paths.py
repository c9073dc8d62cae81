"""What the user named on the command line, expanded to image files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lprfast.data.ccpd import ccpd_label, is_ccpd_name
from lprfast.data.images import IMAGE_SUFFIXES
from lprfast.data.label_rows import Box
from lprfast.data.labels import LabelError, read_labels

LABEL_SUFFIXES = (".csv", ".tsv", ".txt")
_LABELS = "labels.csv"


class InputError(ValueError):
    """Nothing to read is left: no such path, an empty folder, a label file that cannot be read."""


@dataclass(frozen=True, slots=True)
class ImageSource:
    """One image file to read.

    Attributes:
        path: of the file; it need not exist when a label file names it.
        track: names the vehicle: the label file's track where it has one, else the image's folder; an image
            named as in CCPD is a vehicle by itself.
        box: the plate in the image, as in ``LabelRow``; None where the image is the crop.
    """

    path: Path
    track: str
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Expanded:
    """The sources in order, each file once, and what was wrong with inputs and with rows of label files."""

    sources: tuple[ImageSource, ...]
    problems: tuple[str, ...]


def expand(inputs: Sequence[str], *, labelled_folders: bool = False) -> Expanded:
    """Expands files, folders, globs and label files to image files, in the order given.

    A path that exists is taken as it stands, even with ``[`` or ``*`` in its name. Folders are searched with
    their subfolders, in natural order (``2`` before ``10``), for the endings in ``IMAGE_SUFFIXES``; names
    that begin with a dot are left out. A ``.csv``, ``.tsv`` or ``.txt`` file is a label file of any format
    of ``read_labels``. The name of an image may say where the plate is, as in CCPD.

    Args:
        inputs: paths and globs.
        labelled_folders: take a folder with a ``labels.csv`` for that file, also below a folder that is
            named; else all images in it are taken.

    An input is a problem when it does not exist, is a glob that matches nothing, a folder without images, or
    a label file that cannot be read or has no usable row; the others are expanded all the same.

    Raises:
        InputError: no image file is left; the message lists the problems, one a line.
    """
    sources: dict[str, ImageSource] = {}
    problems: list[str] = []
    for path in _existing(inputs, problems):
        try:
            for source in _expand_one(path, problems, labelled_folders):
                sources.setdefault(os.path.abspath(source.path), source)
        except InputError as error:
            problems.append(str(error))
    if not sources:
        raise InputError("\n".join(problems) or "no input path is given")
    return Expanded(tuple(sources.values()), tuple(problems))


def natural_key(text: str) -> tuple[tuple[str | int, ...], str]:
    """Sort key in which runs of digits compare as numbers: ``crop2`` before ``crop10``."""
    parts = re.split(r"([0-9]+)", text.casefold())
    numbers = (int(part) if index % 2 else part for index, part in enumerate(parts))
    return tuple(numbers), text


def folder_images(folder: Path) -> Iterator[Path]:
    """Image files of a folder and its subfolders in natural order, a folder's own files first."""
    for where, files in _walk(folder):
        yield from (where / name for name in files if _is_image_name(name))


def _walk(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """Each folder and its files, in natural order; hidden folders are left out."""
    for where, folders, files in os.walk(folder):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural_key)
        yield Path(where), sorted(files, key=natural_key)


def _is_image_name(name: str) -> bool:
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def _existing(inputs: Iterable[str], problems: list[str]) -> Iterator[Path]:
    for text in inputs:
        matches = [text] if os.path.lexists(text) else []
        if not text:
            problems.append("an input path is empty")
        elif not matches and not glob.has_magic(text):
            problems.append(f"{text}: no such file or folder")
        elif not matches:
            matches = sorted(glob.glob(text, recursive=True), key=natural_key)
            problems += [] if matches else [f"{text}: no file matches this pattern"]
        yield from map(Path, matches)


def _expand_one(path: Path, problems: list[str], labelled_folders: bool) -> list[ImageSource]:
    if path.is_dir():
        found = _from_folder(path, problems, labelled_folders)
        if not found:
            raise InputError(f"{path}: the folder holds no image files ({_endings()})")
        return found
    if path.suffix.lower() in LABEL_SUFFIXES:
        return _from_labels(path, problems)
    return [_image(path)]


def _from_folder(folder: Path, problems: list[str], labelled_folders: bool) -> list[ImageSource]:
    found: list[ImageSource] = []
    labelled: Path | None = None  # the folder whose label file names the images below it
    for where, files in _walk(folder):
        if labelled is not None and labelled in (where, *where.parents):
            continue
        if labelled_folders and _LABELS in files:
            labelled = where
            found += _from_labels(where / _LABELS, problems)
        else:
            found += [_image(where / name) for name in files if _is_image_name(name)]
    return found


def _image(path: Path) -> ImageSource:
    if is_ccpd_name(path.stem):
        try:
            return ImageSource(path, str(path), ccpd_label(path.stem)[1])
        except ValueError:
            pass  # an index that stands for no character, or no box
    return ImageSource(path, str(path.parent))


def _from_labels(path: Path, problems: list[str]) -> list[ImageSource]:
    try:
        labels = read_labels(path, need_text=False)
    except LabelError as error:
        raise InputError(str(error)) from None
    problems += [f"{path}, line {bad.line}: {bad.reason}" for bad in labels.bad_rows]
    if not labels.rows:
        raise InputError(f"{path}: the label file has no usable row")
    return [
        ImageSource(row.path, f"{path}:{row.track}" if row.track else str(row.path.parent), row.box)
        for row in labels.rows
    ]


def _endings() -> str:
    return " ".join(sorted(IMAGE_SUFFIXES))
