"""Labelled crops: which rows of a label file are trained on, and the light augmentation that crops get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lprfast.data.images import ImageError, load_image
from lprfast.data.label_rows import Box
from lprfast.data.labels import BadRow, LabelError, LabelRow, read_labels
from lprfast.data.labels import LabelFile as Labels
from lprfast.evaluation.metrics import normalize
from training.ocr.corners import Corners, moved_by
from training.ocr.model import STEPS
from training.ocr.text import required_steps

Crop = NDArray[np.uint8]
MIN_WIDTH = 24  # pixels; narrower plates hold nothing to learn from
MAX_SIDE = 16384  # pixels; what lprfast.prepare takes


@dataclass(frozen=True)
class LabelledCrop:
    """One row of a label file."""

    path: Path
    text: str
    type: str = ""
    region: str = ""
    box: Box | None = None  # as in ``lprfast.data.labels``; readers train on crops and have none


@dataclass(frozen=True)
class LabelFile:
    """The rows of one label file that are used, how much it counts beside others, and the rows left out."""

    path: Path
    weight: float
    rows: tuple[LabelledCrop, ...]
    bad_rows: tuple[BadRow, ...] = ()

    @property
    def name(self) -> str:
        """Folder and file name: what logs and models say of it, never where it lay."""
        return f"{self.path.absolute().parent.name}/{self.path.name}"


def label_file_name(spec: str) -> str:
    """``LabelFile.name`` of a ``--data`` argument."""
    path, _ = parse_spec(spec)
    return LabelFile(path, 1.0, ()).name


def parse_spec(spec: str, flag: str = "--data") -> tuple[Path, float]:
    """Splits ``PATH[:NUMBER]``, as ``flag`` takes it; the number is 1 unless given.

    Raises:
        ValueError: the number is not positive, or what stands after a file's name is no number.
    """
    head, colon, tail = spec.rpartition(":")
    try:
        weight = float(tail) if colon else 1.0
    except ValueError:
        if Path(spec).exists() or not Path(head).is_file():
            return Path(spec), 1.0  # a colon that belongs to the name
        weight = 0.0
    if not 0 < weight < float("inf"):
        what = "weight" if flag == "--data" else "number"
        raise ValueError(f"{flag} {spec}: expected a positive {what} after the colon, got {tail!r}")
    return Path(head if colon else spec), weight


def read_label_file(spec: str, split: str | None, steps: int = STEPS) -> LabelFile:
    """Reads the rows of ``split`` ("train" or "dev"), or all rows when no row names a split
    or ``split`` is None.

    Columns are as in ``lprfast.data.labels``. Texts are learnt and compared in upper case, letters and digits
    only; an empty text says that nothing is to be read. Every image is decoded once: one that cannot be would
    otherwise end the run at some later batch. Rows that cannot be used are left out, in ``bad_rows``; so are
    those whose text needs more than ``steps`` time steps.

    Raises:
        ValueError: the file cannot be read, has no column ``text``, or none of its rows can be used;
            rows name splits and none is ``split``.
    """
    path, weight = parse_spec(spec)
    labels = _with_texts(path)
    return _usable(labels, labels.rows if split is None else rows_of(labels, split), weight, steps)


def read_train_rows(spec: str) -> LabelFile:
    """``read_label_file`` of split ``train`` that takes no other rows instead: for tools that tune a model.

    Raises:
        ValueError: as there, or no row is of split ``train``.
    """
    path, weight = parse_spec(spec)
    labels = _with_texts(path)
    rows = [row for row in labels.rows if row.split == "train"]
    if not rows:
        raise LabelError(
            f"--data {path}: no row of split train; others are not fitted on: mark rows by a column 'split'"
        )
    return _usable(labels, rows, weight, STEPS)


def _with_texts(path: Path) -> Labels:
    # A text may be there and empty; a folder's missing text is none that is empty.
    labels = read_labels(path, need_text=path.is_dir(), allow_empty=True)
    if labels.columns.count("text") != 1:
        raise LabelError(f"{path}: expected one column 'text', got {','.join(labels.columns)[:120]!r}")
    return labels


def _usable(labels: Labels, chosen: Sequence[LabelRow], weight: float, steps: int) -> LabelFile:
    path, bad_rows = labels.path, list(labels.bad_rows)
    rows: list[LabelledCrop] = []
    for row in chosen:
        try:
            rows.append(_checked(row, steps))
        except ImageError as error:
            bad_rows.append(BadRow(row.line, f"{row.path.name}: {error.reason}"))
        except ValueError as error:
            bad_rows.append(BadRow(row.line, str(error)))
    if not rows:
        why = f"; line {bad_rows[0].line}: {bad_rows[0].reason}" if bad_rows else ""
        raise LabelError(f"{path}: no row can be used{why}")
    return LabelFile(path, weight, tuple(rows), tuple(sorted(bad_rows, key=lambda bad: bad.line)))


def rows_of(labels: Labels, split: str) -> Sequence[LabelRow]:
    """The rows of a split, or all rows when none names one.

    Raises:
        ValueError: rows name splits and none of this one can be used.
    """
    rows = [row for row in labels.rows if row.split == split]
    # A row that cannot be read may have been of this split: the others must not quietly take its place.
    if not rows and labels.rows and labels.bad_rows and "split" in labels.columns:
        bad = labels.bad_rows[0]
        raise LabelError(
            f"{labels.path}: no row of the split {split!r} can be used, and {len(labels.bad_rows)} rows "
            f"cannot be read (line {bad.line}: {bad.reason}); mend them, or remove them to use the file whole"
        )
    if not rows and (named := sorted({row.split for row in labels.rows} - {""})):
        raise LabelError(
            f"{labels.path}: no row is of the split {split!r}, only {', '.join(map(repr, named))[:120]}; "
            "write the split into its rows, or leave the column empty to use the file whole"
        )
    return rows or labels.rows


def _checked(row: LabelRow, steps: int) -> LabelledCrop:
    text = normalize(row.text)
    # Such a cell may mean "illegible": training on it as "no plate" would teach the reader to see nothing.
    if row.text and not text:
        raise ValueError(f"text: expected letters and digits, or an empty cell, got {row.text[:20]!r}")
    if required_steps(text) > steps:
        raise ValueError(f"the text is too long for {steps} time steps")
    height, width = load_image(row.path).shape[:2]
    if max(height, width) > MAX_SIDE:
        raise ValueError(f"{row.path.name}: {width} x {height} pixels, expected sides up to {MAX_SIDE}")
    if row.box is not None and row.box[2] <= width and row.box[3] <= height:
        raise ValueError(
            f"{row.path.name}: a photograph around the plate; cut the plates out and train on these"
        )
    return LabelledCrop(row.path, text, row.type, row.region)


def load_gray(path: Path) -> Crop:
    """Decodes an image as the reader does, to gray (BT.601, within one level of ``lprfast.prepare``'s).

    Returns:
        uint8 ``[h, w]``, 0-255.

    Raises:
        ValueError: the file is not an image that can be used.
    """
    image = load_image(path)
    return image if image.ndim == 2 else _gray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))


def augment(crop: Crop, rng: np.random.Generator, scale: tuple[float, float]) -> Crop:
    """A crop as another detector, camera and distance would have given it; never mirrored, never far off.

    One number is drawn from ``rng`` whatever the crop's size and ``scale``: neither shifts later draws.
    """
    return augment_located(crop, None, rng, scale)[0]


def augment_located(
    crop: Crop, corners: Corners | None, rng: np.random.Generator, scale: tuple[float, float]
) -> tuple[Crop, Corners | None]:
    """``augment`` that also moves the corners of the text, float32 [4, 2] in shares of the crop."""
    rng = np.random.default_rng(int(rng.integers(2**63)))
    size = crop.shape[:2]
    crop, matrix = _jitter(crop, rng)
    if corners is not None:
        corners = moved_by(corners, matrix, (size[0], size[1]))
    crop = _shrink(crop, rng, scale)
    if rng.random() < 0.3:
        crop = _gray(cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.4, 1.2)))
    values = crop.astype(np.float32)
    if rng.random() < 0.6:
        values = (values - 127.5) * rng.uniform(0.6, 1.25) + 127.5 + rng.uniform(-30, 30)
    if rng.random() < 0.4:
        values += rng.normal(0, rng.uniform(1, 8), values.shape).astype(np.float32)
    return np.clip(values, 0, 255).astype(np.uint8), corners


def _jitter(crop: Crop, rng: np.random.Generator) -> tuple[Crop, NDArray[np.float64]]:
    """Moves the four corners by up to 4 % of the width and 7 % of the height: looser, tighter, tilted."""
    height, width = crop.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-1, 1, (4, 2)) * (0.04 * width, 0.07 * height)
    matrix = np.asarray(cv2.getPerspectiveTransform(moved.astype(np.float32), corners), np.float64)
    return _gray(cv2.warpPerspective(crop, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)), matrix


def _shrink(crop: Crop, rng: np.random.Generator, scale: tuple[float, float]) -> Crop:
    height, width = crop.shape
    factor = max(rng.uniform(*scale), min(1.0, MIN_WIDTH / width))
    kernel = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
    if factor >= 1.0:
        return crop
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return _gray(cv2.resize(crop, size, interpolation=kernel))


def _gray(image: Any) -> Crop:
    return np.asarray(image, np.uint8)  # OpenCV's types do not say that uint8 stays uint8
