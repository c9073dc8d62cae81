"""Files through a reader, a chunk at a time, so that any number of files fits in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lprfast.data.images import ImageError, load_image, shrink_to_width
from lprfast.data.label_rows import Box
from lprfast.results import PlateRead

CHUNK_CROPS = 256
CHUNK_BYTES = 64 << 20


class CropReader(Protocol):
    """The part of ``PlateReader`` that is needed here."""

    def read_many(self, crops: Sequence[npt.NDArray[np.uint8]], nbest: int = 0) -> list[PlateRead]:
        """Reads crops, uint8 [H, W] or [H, W, 3] in BGR order; one result each, in order."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file and what came of it.

    Attributes:
        path: the file.
        read: the reader's answer, or a read of status ``error`` where the file could not be loaded.
        loaded: whether the file could be loaded, so that the reader saw it.
    """

    path: Path
    read: PlateRead
    loaded: bool


def read_files(
    reader: CropReader,
    paths: Iterable[Path],
    *,
    nbest: int = 0,
    width: int | None = None,
    boxes: Iterable[Box | None] | None = None,
) -> Iterator[FileRead]:
    """Reads image files in order.

    At most ``CHUNK_CROPS`` crops or about ``CHUNK_BYTES`` bytes of pixels are held at a time.

    Args:
        reader: a ``PlateReader`` made with ``color="bgr"``.
        paths: the files; those that cannot be loaded give a read of status ``error`` with the reason.
        nbest: alternatives per read.
        width: crops wider than this are shrunk to it first, in pixels.
        boxes: one per path: the plate in the image, as in ``LabelRow``; None reads the whole image. So is an
            image that its box reaches out of: it is the crop, cut out already.
    """
    chunk: list[tuple[Path, npt.NDArray[np.uint8] | str]] = []
    held = 0
    for path, box in zip(paths, repeat(None) if boxes is None else boxes, strict=boxes is not None):
        crop = _load(path, box, width)
        chunk.append((path, crop))
        held += 0 if isinstance(crop, str) else crop.nbytes
        if len(chunk) >= CHUNK_CROPS or held >= CHUNK_BYTES:
            yield from _read_chunk(reader, chunk, nbest)
            chunk, held = [], 0
    yield from _read_chunk(reader, chunk, nbest)


def load_crop(path: Path, box: Box | None = None) -> npt.NDArray[np.uint8]:
    """The crop in an image file, as ``load_image`` gives it.

    Args:
        path: of the file.
        box: the plate in the image; None, or one that reaches out of it, means the whole image.

    Raises:
        ImageError: the file cannot be loaded.
    """
    crop = load_image(path)
    if box is not None and box[2] <= crop.shape[1] and box[3] <= crop.shape[0]:
        # A copy, so that the photograph around the plate can go.
        crop = crop[box[1] : box[3], box[0] : box[2]].copy()
    return crop


def _load(path: Path, box: Box | None, width: int | None) -> npt.NDArray[np.uint8] | str:
    try:
        crop = load_crop(path, box)
    except ImageError as error:
        return error.reason
    return crop if width is None else shrink_to_width(crop, width)


def _read_chunk(
    reader: CropReader, chunk: list[tuple[Path, npt.NDArray[np.uint8] | str]], nbest: int
) -> Iterator[FileRead]:
    crops = [crop for _, crop in chunk if not isinstance(crop, str)]
    reads = iter(reader.read_many(crops, nbest=nbest) if crops else ())
    for path, crop in chunk:
        if isinstance(crop, str):
            yield FileRead(path, PlateRead(status="error", error=crop), loaded=False)
        else:
            yield FileRead(path, next(reads), loaded=True)
