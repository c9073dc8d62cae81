"""Batches of pairs, made in worker processes; batch ``number`` is a function of (seed, number) alone."""

from __future__ import annotations

import itertools
import random
import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, IterableDataset

from training.loading import endless
from training.ocr.labels import LabelFile
from training.sr.config import Config
from training.sr.losses.terms import Batch
from training.sr.pairs import Image, Pair, PairSource
from training.synth.generator import Library

HELD_OUT_SEED = 20_261_128


class Raw(NamedTuple):
    """A batch as it travels: ``low`` and ``high`` uint8 ``[N, C, h, w]``, texts, ``sizes`` int64 [N, 2]."""

    low: NDArray[np.uint8]
    high: NDArray[np.uint8]
    texts: list[str]
    sizes: NDArray[np.int64]


class PairMaker(Dataset[Raw]):
    """Draws one batch per number: synthetic plates, and labelled crops mixed in."""

    def __init__(self, config: Config, files: Sequence[LabelFile]) -> None:
        self._config = config
        self._files = files
        # Square root: as in training.ocr.data.
        self._weights = [file.weight * len(file.rows) ** 0.5 for file in files]
        self._source: PairSource | None = None  # made in the worker: heavy, and spawn would pickle it

    def __getitem__(self, number: int) -> Raw:
        config = self._config
        state = np.random.SeedSequence([config.seed, number]).generate_state(4)
        rng = random.Random(int.from_bytes(state.tobytes(), "little"))
        width = self._width(rng)
        pairs: list[Pair] = []
        while len(pairs) < config.batch:
            if config.patch:
                width = self._width(rng)  # patches are of one size whatever they are cut from
            pairs += self._drawn(rng, width)
        pairs = pairs[: config.batch]
        if config.patch:
            pairs = [patch_of(rng, pair, config.patch // config.scale, config.scale) for pair in pairs]
        return stacked(pairs, config.scale)

    def _width(self, rng: random.Random) -> int:
        return rng.randint(*self._config.widths) // self._config.scale

    def _drawn(self, rng: random.Random, width: int) -> list[Pair]:
        config, source = self._config, self._pairs()
        if self._files and rng.random() < config.data_share:
            file = rng.choices(self._files, self._weights)[0]
            try:
                # As many of the same crop as of a synthetic plate: the share is one of pairs.
                row = rng.choice(file.rows)
                return [source.labelled(rng, row, width) for _ in range(config.repeat or 1)]
            except ValueError:
                pass  # damaged behind its header; a synthetic plate takes its place
        return source.drawn(rng, width, (config.patch or 0) // config.scale, config.repeat or 1)

    def _pairs(self) -> PairSource:
        if self._source is None:
            self._source = source_of(self._config, held_out=False)
        return self._source


def source_of(config: Config, held_out: bool) -> PairSource:
    """The pairs of a run's settings; the held-out ones are of one line always, because they are read."""
    cv2.setNumThreads(0)
    library = Library(held_out, system_fonts=True)
    one_line = held_out or bool(config.one_line)
    return PairSource(config.scale, config.channels, config.degradation, library, config.difficulty, one_line)


def patch_of(rng: random.Random, pair: Pair, side: int, scale: int) -> Pair:
    """A square of ``side`` pixels of ``low`` from anywhere, and the same of ``high``."""
    low, high = _at_least(pair.low, side, side), _at_least(pair.high, side * scale, side * scale)
    top, left = rng.randint(0, low.shape[0] - side), rng.randint(0, low.shape[1] - side)
    large = high[top * scale : (top + side) * scale, left * scale : (left + side) * scale]
    return Pair(low[top : top + side, left : left + side], large, pair.text)


def _at_least(image: Image, height: int, width: int) -> Image:
    """The image with its lower and right edge repeated until it is that large."""
    below, beside = max(0, height - image.shape[0]), max(0, width - image.shape[1])
    padding = ((0, below), (0, beside), (0, 0))[: image.ndim]
    return np.pad(image, padding, mode="edge")


def stacked(pairs: Sequence[Pair], scale: int) -> Raw:
    """Pairs as one batch; smaller ones are padded to the largest by repeating their edges."""
    height = max(pair.low.shape[0] for pair in pairs)
    width = max(pair.low.shape[1] for pair in pairs)
    low = np.stack([planes(_at_least(pair.low, height, width)) for pair in pairs])
    high = np.stack([planes(_at_least(pair.high, height * scale, width * scale)) for pair in pairs])
    sizes = np.array([pair.high.shape[:2] for pair in pairs], np.int64)
    return Raw(low, high, [pair.text for pair in pairs], sizes)


def planes(image: Image) -> Image:
    """Gray [h, w] or BGR [h, w, 3] to [C, h, w], RGB."""
    return image[None] if image.ndim == 2 else np.ascontiguousarray(image[:, :, ::-1].transpose(2, 0, 1))


def tensors(raw: Raw, device: torch.device) -> Batch:
    """The batch on ``device``, float32 in 0-1."""

    def floats(values: Any) -> Tensor:
        given = torch.as_tensor(values).to(device, non_blocking=True)
        return given.float().div(255).contiguous(memory_format=torch.channels_last)

    return Batch(floats(raw.low), floats(raw.high), list(raw.texts), torch.as_tensor(raw.sizes))


class _Numbers(IterableDataset[int]):
    def __init__(self, start: int) -> None:
        self._start = start

    def __iter__(self) -> Iterator[int]:
        return itertools.count(self._start)


def batches(maker: PairMaker, start: int, workers: int, pin: bool) -> Iterator[Raw]:
    """Endless batches from number ``start`` on, in order whatever the number of workers (0: none)."""
    return endless(maker, _Numbers(start), workers, pin)


class ValidationSet(NamedTuple):
    """Pairs under a name; the same in every run of equal settings."""

    name: str
    pairs: list[Pair]


def synthetic_validation(config: Config, seed: int = HELD_OUT_SEED) -> ValidationSet:
    """Plates of one line in fonts and layouts that training does not use, in widths spread evenly."""
    source = source_of(config, held_out=True)
    low, high = config.widths
    pairs = []
    for number in range(config.val_size):
        width = low + (high - low) * number // max(1, config.val_size - 1)
        pairs += source.drawn(random.Random(seed + number), width // config.scale)
    return ValidationSet("synthetic", pairs)


def labelled_validation(config: Config, file: LabelFile, seed: int = HELD_OUT_SEED) -> ValidationSet:
    """The rows of a label file made small, at most as wide as the mean of ``config.widths``.

    Images that cannot be read behind their headers are named on stderr and left out.

    Raises:
        ValueError: none can be read.
    """
    source = source_of(config, held_out=True)
    width = sum(config.widths) // 2 // config.scale
    pairs = []
    for number, row in enumerate(file.rows):
        try:
            pairs.append(source.labelled(random.Random(seed + number), row, width))
        except ValueError as error:
            print(f"{file.path}: {row.path.name} is left out: {error}", file=sys.stderr)
    if not pairs:
        raise ValueError(f"{file.path}: no image can be read")
    return ValidationSet(file.name, pairs)
