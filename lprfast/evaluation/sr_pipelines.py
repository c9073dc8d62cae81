"""Ways of enlarging crops before they are read, and a reader behind one of them that keeps the times."""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from lprfast._core import ModelError
from lprfast.evaluation.hashes import file_sha256
from lprfast.models import model_names
from lprfast.reader import PlateReader
from lprfast.results import PlateRead
from lprfast.super_resolution import SuperResolver, UpscaledCrop

Crop = npt.NDArray[np.uint8]

WIDTHS = (40, 60, 80, 100)
# As of super-resolution models (csrc/pipeline): pixels a side, and bytes of enlarged crops held at a time.
LARGEST_SIDE = 16384
HELD_BYTES = 64 << 20
KEPT_BYTES = 256 << 20  # of enlarged crops, for the readers after the first
BUCKETS = ("under 40", "40-60", "60-80", "80-100", "100+")


def bucket(width: int) -> str:
    """The width bucket of a crop: ``40-60`` holds 40 to below 60 pixels."""
    return BUCKETS[sum(width >= edge for edge in WIDTHS)]


@dataclass(frozen=True)
class Pipeline:
    """One way of enlarging.

    Attributes:
        name: ``none``, ``bicubic4``, a bundled model's name or the file's.
        enlarge: one answer per crop; None where crops are read as they are.
        facts: what its figures depend on, name to plain value.
        scale: times as high and as wide as the crop; 1 where it is read as it is.
        file: the model's path; None without one.
        training: the model's training record; empty without one.
    """

    name: str
    enlarge: Callable[[Sequence[Crop]], list[UpscaledCrop]] | None
    facts: dict[str, Any] = field(default_factory=dict)
    scale: int = 1
    file: Path | None = None
    training: Mapping[str, Any] = field(default_factory=dict)


def open_pipeline(text: str, device: str = "cpu", threads: int | None = None) -> Pipeline:
    """``none``, ``bicubic2``, ``bicubic4``, ``bicubic8``, or a super-resolution model: bundled, or its file.

    Bicubic is Pillow's (a = -0.5), on one thread.

    Raises:
        ValueError: it is none of them; ModelError and OrtError as for ``SuperResolver``.
    """
    if text == "none":
        return Pipeline("none", None)
    if match := re.fullmatch("bicubic([248])", text):
        scale = int(match[1])
        return Pipeline(
            text, lambda crops: [_bicubic(crop, scale) for crop in crops], {"scale": scale}, scale
        )
    bundled = text in model_names("sr")
    if not bundled and not Path(text).is_file():
        known = "".join(f", {name}" for name in model_names("sr"))
        why = ", which is a bundled reader" if text in model_names() else ""
        raise ModelError(
            f"pipeline: expected none, bicubic2, bicubic4, bicubic8{known} or the file of a super-resolution "
            f"model, got {text!r}{why}"
        )
    resolver = SuperResolver(text, device=device, threads=threads, color="bgr")
    contract = resolver.contract
    facts = {
        "model": contract.name,
        "sha256": file_sha256(resolver.model),
        "scale": contract.scale,
        "precision": contract.precision,
    }
    name = text if bundled else Path(text).name
    return Pipeline(
        name, resolver.upscale_many, facts, contract.scale, Path(resolver.model), contract.training
    )


def _bicubic(crop: Crop, scale: int) -> UpscaledCrop:
    height, width = crop.shape[:2]
    if max(height, width) * scale > LARGEST_SIDE:
        return UpscaledCrop(
            error=f"enlarged {scale} times, {width} x {height} pixels are more than {LARGEST_SIDE} a side"
        )
    size = (width * scale, height * scale)
    return UpscaledCrop(np.array(Image.fromarray(crop).resize(size, Image.Resampling.BICUBIC), np.uint8))


def distinct_names(choices: Sequence[Sequence[str]]) -> Sequence[str]:
    """The first of these lists of names in which none stands twice, else the last."""
    return next((names for names in choices if len(set(names)) == len(names)), choices[-1])


def named_readers(readers: Sequence[PlateReader]) -> dict[str, PlateReader]:
    """Each file once (a bundled model's name and its path are one), by its contract's name, or by the file's
    where two contracts share one, or else by the path."""
    once = {os.path.realpath(reader.model): reader for reader in readers}.values()
    files = [reader.model for reader in once]
    contracts = [reader.contract.name for reader in once]
    names = distinct_names([contracts, [Path(file).name for file in files], files])
    return dict(zip(names, once, strict=True))


@dataclass
class Spent:
    """Processor time of all threads, in seconds, and the crops that took it.

    Not time on the clock, so that other work on the machine changes little. What a CUDA device does itself is
    not in it.
    """

    crops: int = 0
    enlarging: float = 0.0
    reading: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.crops + other.crops, self.enlarging + other.enlarging, self.reading + other.reading)

    def ms(self, seconds: float) -> float | None:
        """Milliseconds per crop; None without crops."""
        return 1000 * seconds / self.crops if self.crops else None


class KeptAnswers:
    """What a pipeline made of each crop and the processor seconds that took, so that the next reader need
    not wait.

    Args:
        limit: bytes of enlarged crops; what is beyond is made anew each time.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._room = limit
        self._kept: dict[bytes, tuple[UpscaledCrop, float]] = {}

    def enlarge(
        self, pipeline: Callable[[Sequence[Crop]], list[UpscaledCrop]], crops: Sequence[Crop]
    ) -> tuple[list[UpscaledCrop], float]:
        """One answer per crop, and the seconds that all of them take, kept ones included."""
        keys = [_digest(crop) for crop in crops]
        new = [index for index, key in enumerate(keys) if key not in self._kept]
        start = time.process_time()
        made = pipeline([crops[index] for index in new]) if new else []
        each = (time.process_time() - start) / max(1, len(new))
        found = dict(zip(new, ((answer, each) for answer in made), strict=True))
        pairs = [found[index] if index in found else self._kept[key] for index, key in enumerate(keys)]
        for index in new:
            self._keep(keys[index], found[index])
        return [answer for answer, _ in pairs], sum(seconds for _, seconds in pairs)

    def forget(self) -> None:
        """Lets everything go; nothing is kept any more."""
        self._kept.clear()
        self._room = 0

    def _keep(self, key: bytes, pair: tuple[UpscaledCrop, float]) -> None:
        size = 0 if pair[0].image is None else pair[0].image.nbytes
        if size <= self._room and key not in self._kept:
            self._kept[key] = pair
            self._room -= size


def _digest(crop: Crop) -> bytes:
    return hashlib.blake2b(repr(crop.shape).encode() + crop.tobytes(), digest_size=16).digest()


class PipelineReader:
    """A ``CropReader``: enlarges crops, reads them, and notes the times per width bucket.

    Size, quality and calibration are those of the crops as given, so that all pipelines vote alike.
    ``failed`` counts the crops that could not be enlarged or read, by the reason.

    Args:
        pipeline: how crops are enlarged.
        reader: made with ``color="bgr"``.
        below: crops of this width in pixels and more are read as they are; None enlarges all.
        kept: of the same pipeline and ``below``, for several readers of the same crops; None keeps nothing.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        reader: PlateReader,
        below: int | None = None,
        kept: KeptAnswers | None = None,
    ) -> None:
        self.pipeline = pipeline
        self.reader = reader
        self._below = below
        self.kept = kept or KeptAnswers(0)
        blank = np.full((24, 80), 128, np.uint8)
        for _ in range(2):  # what the first run of a session costs is no crop's
            self._read([blank] * 4, Spent())
        self.spent = {name: Spent() for name in BUCKETS}
        self.failed: Counter[str] = Counter()

    def read_many(self, crops: Sequence[Crop], nbest: int = 0) -> list[PlateRead]:
        """One read per crop, in order; ``nbest`` has no meaning here."""
        groups: dict[str, list[int]] = {}
        for index, crop in enumerate(crops):
            groups.setdefault(bucket(crop.shape[1]), []).append(index)
        reads: list[PlateRead] = [PlateRead()] * len(crops)
        for name, members in groups.items():
            for part in self._parts(crops, members):
                found = self._read([crops[index] for index in part], self.spent[name])
                for index, read in zip(part, found, strict=True):
                    reads[index] = read
                self.failed.update(read.error or "" for read in found if read.status == "error")
        return reads

    def _parts(self, crops: Sequence[Crop], members: Sequence[int]) -> Iterator[list[int]]:
        """The members in order, as many at a time as may be held enlarged; at least one."""
        part: list[int] = []
        held = 0
        for index in members:
            size = crops[index].size * self.pipeline.scale**2
            if part and held + size > HELD_BYTES:
                yield part
                part, held = [], 0
            part.append(index)
            held += size
        if part:
            yield part

    def _read(self, crops: Sequence[Crop], spent: Spent) -> list[PlateRead]:
        answers, seconds = self._enlarge(crops)
        start = time.process_time()
        reads = self.reader.read_many(crops, enlarged=[answer.image for answer in answers])
        spent.reading += time.process_time() - start
        spent.enlarging += seconds
        spent.crops += len(crops)
        return [
            PlateRead(status="error", error=answer.error, width=read.width, height=read.height)
            if answer.error
            else read
            for read, answer in zip(reads, answers, strict=True)
        ]

    def _enlarge(self, crops: Sequence[Crop]) -> tuple[list[UpscaledCrop], float]:
        answers = [UpscaledCrop()] * len(crops)
        if self.pipeline.enlarge is None:
            return answers, 0.0
        narrow = [i for i, crop in enumerate(crops) if self._below is None or crop.shape[1] < self._below]
        enlarged, seconds = self.kept.enlarge(self.pipeline.enlarge, [crops[i] for i in narrow])
        for index, answer in zip(narrow, enlarged, strict=True):
            answers[index] = answer
        return answers, seconds
