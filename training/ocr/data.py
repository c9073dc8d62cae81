"""Batches of plates, made in worker processes.

Batch ``number`` is a function of (seed, rank, number, share of hard plates) alone: the order of the batches
does not depend on the number of workers, and a resumed run goes on with the batches that it would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from lprfast.data.images import load_image
from lprfast.prepare import prepare
from training.loading import endless
from training.ocr.config import Config
from training.ocr.corners import UNKNOWN, Corners, hint
from training.ocr.labels import (
    Crop,
    LabelFile,
    LabelledCrop,
    augment,
    augment_located,
    load_gray,
)
from training.ocr.model import INPUT_HEIGHT, INPUT_WIDTH
from training.ocr.schedule import Clock, hard_share
from training.ocr.text import Codec
from training.ocr.widths import read_widths
from training.synth import PlateGenerator

HELD_OUT_SEED = 20_261_121
HELD_OUT_SCALE = (0.4, 1.0)
SHAPE = (INPUT_HEIGHT, INPUT_WIDTH)


class BatchKey(NamedTuple):
    """Which batch to make."""

    number: int
    hard_share: float


class Batch(NamedTuple):
    """``images`` float16 ``[N, 1, h, w]``; ``targets`` int64, the classes of all texts joined; ``lengths``
    int64 ``[N]``; ``corners`` float32 ``[N, 4, 2]``, NaN where unknown; ``hints``: the same, moved about, NaN
    where the network has to find the line by itself."""

    images: Tensor
    targets: Tensor
    lengths: Tensor
    corners: Tensor | None = None
    hints: Tensor | None = None


Arrays = tuple[
    NDArray[np.float16], NDArray[np.int64], NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]
]


class _View(NamedTuple):
    crop: Crop
    text: str
    corners: Corners | None


def another(view: _View, rng: np.random.Generator) -> _View:
    """The same plate moved, blurred and lit anew, at the same size."""
    crop, corners = augment_located(view.crop, view.corners, rng, (1.0, 1.0))
    return _View(crop, view.text, corners)


class BatchMaker(Dataset[Arrays]):
    """Draws one batch per key: synthetic plates, and labelled crops mixed in."""

    def __init__(
        self, config: Config, codec: Codec, files: Sequence[LabelFile], rank: int, processes: int
    ) -> None:
        self._config = config
        self._codec = codec
        self._rank = rank
        self._batch = config.batch // processes
        self._widths = None if config.widths is None else read_widths(config.widths)
        self._groups = [_groups(file, config.balance) for file in files]
        _check_balance(config.balance, self._groups)
        # Square root: a large file leads, a small one is not drowned and not learnt by heart.
        weights = np.array([file.weight * len(file.rows) ** 0.5 for file in files])
        self._chances = weights / weights.sum() if files else weights
        # A synthetic draw fills ``repeat`` places of the batch, a labelled one a single place.
        labelled = config.data_share * config.repeat if files else 0.0
        self._labelled_chance = labelled / max(labelled + 1 - config.data_share, 1e-9)
        self._generator: PlateGenerator | None = None  # made in the worker: heavy, and spawn would pickle it

    def __getitem__(self, key: BatchKey) -> Arrays:
        rng = np.random.default_rng([self._config.seed, self._rank, key.number])
        generator = self._plates(rng)
        views: list[_View] = []
        while len(views) < self._batch:
            hard = rng.random() < key.hard_share
            if hard and rng.random() < self._labelled_chance:
                views.append(_View(*self._labelled(rng), None))
            else:
                generator.difficulty = 1.0 if hard else 0.0
                sample = generator.sample()
                view = _View(sample.crop, sample.text, sample.corners)
                # Drawing a plate costs more than training on it: the same plate also serves in other views.
                views += [view, *(another(view, rng) for _ in range(self._config.repeat - 1))]
        return self._arrays(views[: self._batch], rng)

    def _arrays(self, views: list[_View], rng: np.random.Generator) -> Arrays:
        height, width = self._config.input
        # float16 holds the gray levels well enough and halves what goes between processes.
        images = prepare([v.crop for v in views], height=height, width=width).astype(np.float16)
        classes = [self._codec.encode(v.text) for v in views]
        lengths = np.array([len(c) for c in classes], np.int64)
        targets = np.array([number for c in classes for number in c], np.int64)
        corners = np.stack([UNKNOWN if v.corners is None else v.corners for v in views])
        return images, targets, lengths, corners, np.stack([hint(v.corners, rng) for v in views])

    def hard_share(self, progress: float, number: int) -> float:
        """Share of full-difficulty plates in batch ``number``; all of them without an easy stage."""
        return 1.0 if self._config.curriculum is False else hard_share(progress, number)

    def _plates(self, rng: np.random.Generator) -> PlateGenerator:
        if self._generator is None:
            self._generator = PlateGenerator(0, multi_scale=self._config.multi_scale, widths=self._widths)
        self._generator.reseed(int(rng.integers(2**63)))
        return self._generator

    def _labelled(self, rng: np.random.Generator) -> tuple[Crop, str]:
        groups = self._groups[rng.choice(len(self._groups), p=self._chances)]
        rows = groups[0] if len(groups) == 1 else groups[rng.choice(len(groups), p=_root_shares(groups))]
        row = rows[rng.integers(len(rows))]
        return augment(load_gray(row.path), rng, self._config.multi_scale), row.text


def _groups(file: LabelFile, column: str | None) -> list[list[LabelledCrop]]:
    """The rows of each plate type or region; all in one group unless they are to be balanced."""
    groups: dict[str, list[LabelledCrop]] = {}
    for row in file.rows:
        groups.setdefault(getattr(row, column) if column else "", []).append(row)
    return list(groups.values())


def _check_balance(column: str | None, groups: list[list[list[LabelledCrop]]]) -> None:
    if column and not any(getattr(row, column) for file in groups for rows in file for row in rows):
        raise ValueError(f"--balance {column}: expected a --data file whose column {column!r} is filled")


def _root_shares(groups: list[list[LabelledCrop]]) -> NDArray[np.float64]:
    roots = np.sqrt([len(rows) for rows in groups])
    return np.asarray(roots / roots.sum())


class _Keys(Sampler[BatchKey]):
    """The keys of all batches from ``start`` on; read in the training process, a few batches ahead."""

    def __init__(self, maker: BatchMaker, start: int, clock: Clock) -> None:
        self._maker = maker
        self._start = start
        self._clock = clock

    def __iter__(self) -> Iterator[BatchKey]:
        index = self._start
        while True:
            yield BatchKey(index, self._maker.hard_share(self._clock.progress(index), index))
            index += 1


def batches(maker: BatchMaker, start: int, clock: Clock, workers: int, pin: bool) -> Iterator[Batch]:
    """Endless batches from number ``start`` on, in order whatever the number of workers (0: none)."""
    for arrays in endless(maker, _Keys(maker, start, clock), workers, pin):
        yield Batch(*arrays)


class ValidationSet(NamedTuple):
    """Prepared crops float32 ``[N, 1, h, w]``, their texts, and the columns by which they are grouped."""

    name: str
    images: Tensor
    texts: list[str]
    groups: Mapping[str, list[str]] = MappingProxyType({})


def synthetic_validation(size: int, shape: tuple[int, int] = SHAPE) -> ValidationSet:
    """Plates of fonts and degradations that training does not use; the same in every run of this size."""
    generator = PlateGenerator(HELD_OUT_SEED, multi_scale=HELD_OUT_SCALE, held_out=True)
    samples = [generator.sample() for _ in range(size)]
    crops = [sample.crop for sample in samples]
    images = torch.from_numpy(prepare(crops, height=shape[0], width=shape[1]))
    return ValidationSet("synthetic", images, [sample.text for sample in samples])


def labelled_validation(file: LabelFile, shape: tuple[int, int] = SHAPE) -> ValidationSet:
    """All rows of a label file as the reader would see them, ``shape`` being its input's (height, width)."""
    height, width = shape
    images = [prepare([load_image(row.path)], height=height, width=width) for row in file.rows]
    columns = {"type": [row.type for row in file.rows], "region": [row.region for row in file.rows]}
    groups = {name: values for name, values in columns.items() if any(values)}
    texts = [row.text for row in file.rows]
    return ValidationSet(file.name, torch.from_numpy(np.concatenate(images)), texts, groups)
