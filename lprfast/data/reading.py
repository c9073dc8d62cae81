"""Files through a reader, a chunk at a time, so that any number of files fits in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lprfast.data.images import ImageError, load_image, shrink_to_width
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
    reader: CropReader, paths: Iterable[Path], *, nbest: int = 0, width: int | None = None
) -> Iterator[FileRead]:
    """Reads image files in order.

    At most ``CHUNK_CROPS`` crops or about ``CHUNK_BYTES`` bytes of pixels are held at a time.

    Args:
        reader: a ``PlateReader`` made with ``color="bgr"``.
        paths: the files; those that cannot be loaded give a read of status ``error`` with the reason.
        nbest: alternatives per read.
        width: crops wider than this are shrunk to it first, in pixels.
    """
    chunk: list[tuple[Path, npt.NDArray[np.uint8] | str]] = []
    held = 0
    for path in paths:
        crop = _load(path, width)
        chunk.append((path, crop))
        held += 0 if isinstance(crop, str) else crop.nbytes
        if len(chunk) >= CHUNK_CROPS or held >= CHUNK_BYTES:
            yield from _read_chunk(reader, chunk, nbest)
            chunk, held = [], 0
    yield from _read_chunk(reader, chunk, nbest)


def _load(path: Path, width: int | None) -> npt.NDArray[np.uint8] | str:
    try:
        crop = load_image(path)
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
