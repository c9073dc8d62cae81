"""Contact sheets: crops with their texts, drawn ones or those of a label file, to be compared by eye."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lprfast.data.labels import read_labels
from training.ocr.labels import load_gray
from training.synth import PlateGenerator, Sample
from training.synth.glyphs import chinese_fonts

COLUMNS = 6


def drawn_samples(generator: PlateGenerator, rows: int) -> list[Sample]:
    """As many samples as ``rows`` of a sheet show."""
    return [generator.sample() for _ in range(rows * COLUMNS)]


def labelled_samples(labels: Path, rows: int, seed: int) -> list[Sample]:
    """Crops of a label file, chosen by ``seed``, as many as ``rows`` of a sheet show or there are. Rows and
    images that cannot be used are named on stderr and left out.

    Raises:
        ValueError: the file cannot be read.
    """
    given = read_labels(labels, need_text=False, allow_empty=True)
    for bad in given.bad_rows:
        print(f"{given.path}: line {bad.line} is left out: {bad.reason}", file=sys.stderr)
    samples: list[Sample] = []
    for row in random.Random(seed).sample(given.rows, len(given.rows)):
        if len(samples) == rows * COLUMNS:
            break
        try:
            samples.append(Sample(load_gray(row.path), row.text, row.region or ""))
        except ValueError as error:
            print(f"{given.path}: line {row.line} is left out: {error}", file=sys.stderr)
    return samples


def draw_sheet(samples: list[Sample], out: Path) -> None:
    """Writes a picture of samples with their texts, layouts or regions, and widths.

    Raises:
        ValueError: there is none, or the file cannot be written.
    """
    if not samples:
        raise ValueError("--labels: no crop that can be shown")
    tiles = [_tile(sample) for sample in samples]
    tiles += [np.full_like(tiles[0], 0)] * (-len(tiles) % COLUMNS)
    lines = [np.hstack(tiles[first : first + COLUMNS]) for first in range(0, len(tiles), COLUMNS)]
    out.parent.mkdir(parents=True, exist_ok=True)
    write_image(out, np.vstack(lines))
    print(f"{len(samples)} crops in {out}")


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Writes a PNG or JPEG file.

    Raises:
        ValueError: it cannot be written.
    """
    try:
        written = cv2.imwrite(str(path), image)
    except cv2.error:
        raise ValueError(f"{path}: cannot be written; expected a name that ends in .png or .jpg") from None
    if not written:
        raise ValueError(f"{path}: cannot be written; is its folder writable, and no folder of that name?")


def _tile(sample: Sample) -> NDArray[np.uint8]:
    height, width = sample.crop.shape
    scale = min(200 / width, 84 / height)
    size = (max(1, int(width * scale)), max(1, int(height * scale)))
    tile = np.full((104, 206), 110, np.uint8)
    tile[: size[1], : size[0]] = cv2.resize(sample.crop, size, interpolation=cv2.INTER_LINEAR)
    image = Image.fromarray(tile)
    faces = chinese_fonts(False)
    face = ImageFont.truetype(faces[0].split(":", 2)[2], 13) if faces else ImageFont.load_default()
    caption = f"{sample.text or '(empty)'}  {sample.layout} {width}"
    ImageDraw.Draw(image).text((2, 85), caption, font=face, fill=255)
    return np.asarray(image, np.uint8)
