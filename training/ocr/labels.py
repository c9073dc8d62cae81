"""Labelled crops: label files, image files, and the light augmentation that real crops get."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from training.ocr.model import STEPS
from training.ocr.text import normalise, required_steps

Crop = NDArray[np.uint8]
MIN_WIDTH = 24  # pixels; narrower plates hold nothing to learn from


@dataclass(frozen=True)
class LabelledCrop:
    """One row of a label file."""

    path: Path
    text: str


@dataclass(frozen=True)
class LabelFile:
    """The rows of one label file that are used, and how much it counts beside others."""

    path: Path
    weight: float
    rows: tuple[LabelledCrop, ...]

    @property
    def name(self) -> str:
        """Folder and file name: what logs and models say of it, never where it lay."""
        return f"{self.path.absolute().parent.name}/{self.path.name}"


def parse_spec(spec: str) -> tuple[Path, float]:
    """Splits ``PATH[:WEIGHT]``; the weight is 1 unless given.

    Raises:
        ValueError: the weight is not positive.
    """
    head, colon, tail = spec.rpartition(":")
    try:
        weight = float(tail) if colon else 1.0
    except ValueError:
        return Path(spec), 1.0
    if not 0 < weight < float("inf"):
        raise ValueError(f"--data {spec}: expected a positive weight after the colon, got {tail!r}")
    return Path(head if colon else spec), weight


def read_label_file(spec: str, split: str) -> LabelFile:
    """Reads the rows of ``split`` ("train" or "dev"), or all rows when no row is of that split.

    A label file has at least the columns ``path`` (relative to the file) and ``text``. Texts are compared and
    learnt in upper case without separators.

    Raises:
        ValueError: the file or an image is missing, a column is missing, there is no row, or a text is
            too long.
    """
    path, weight = parse_spec(spec)
    if not path.is_file():
        raise ValueError(f"{path}: no such label file; expected a CSV file with the columns path and text")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = {"path", "text"} - set(reader.fieldnames or ())
        if missing:
            raise ValueError(f"{path}: the column {sorted(missing)[0]!r} is missing; got {reader.fieldnames}")
        table = list(reader)
    chosen = [row for row in table if row.get("split") == split] or table
    if not chosen:
        raise ValueError(f"{path}: the file has no rows")
    return LabelFile(path, weight, tuple(_row(path, row) for row in chosen))


def _row(label_file: Path, row: dict[str, str]) -> LabelledCrop:
    image, text = label_file.parent / row["path"], normalise(row["text"] or "")
    if not image.is_file():
        raise ValueError(f"{label_file}: the image {row['path']!r} does not exist")
    if required_steps(text) > STEPS:
        raise ValueError(f"{label_file}: the text of {row['path']!r} is too long for {STEPS} time steps")
    return LabelledCrop(image, text)


def load_gray(path: Path) -> Crop:
    """Decodes an image to gray ``uint8 [h, w]``.

    Raises:
        ValueError: the file is not an image that Pillow can decode.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"))
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{path}: not a readable image: {error}") from None


def augment(crop: Crop, rng: np.random.Generator, scale: tuple[float, float]) -> Crop:
    """A crop as another detector, camera and distance would have given it; never mirrored, never far off."""
    crop = _jitter(crop, rng)
    crop = _shrink(crop, rng, scale)
    if rng.random() < 0.3:
        crop = _gray(cv2.GaussianBlur(crop, (0, 0), rng.uniform(0.4, 1.2)))
    values = crop.astype(np.float32)
    if rng.random() < 0.6:
        values = (values - 127.5) * rng.uniform(0.6, 1.25) + 127.5 + rng.uniform(-30, 30)
    if rng.random() < 0.4:
        values += rng.normal(0, rng.uniform(1, 8), values.shape).astype(np.float32)
    return np.clip(values, 0, 255).astype(np.uint8)


def _jitter(crop: Crop, rng: np.random.Generator) -> Crop:
    """Moves the four corners by up to 4 % of the width and 7 % of the height: looser, tighter, tilted."""
    height, width = crop.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-1, 1, (4, 2)) * (0.04 * width, 0.07 * height)
    matrix = cv2.getPerspectiveTransform(moved.astype(np.float32), corners)
    return _gray(cv2.warpPerspective(crop, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE))


def _shrink(crop: Crop, rng: np.random.Generator, scale: tuple[float, float]) -> Crop:
    height, width = crop.shape
    factor = max(rng.uniform(*scale), min(1.0, MIN_WIDTH / width))
    if factor >= 1.0:
        return crop
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    kernel = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
    return _gray(cv2.resize(crop, size, interpolation=kernel))


def _gray(image: Any) -> Crop:
    return np.asarray(image, np.uint8)  # OpenCV's types do not say that uint8 stays uint8
