"""A set of negatives for measuring: every kind of one side of the split as often as the others."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth import negatives
from training.synth.generator import Library

_WIDTHS = (40, 200)  # px, as of samples drawn by default


def draw_set(
    seed: int, count: int, held_out: bool, system_fonts: bool = True
) -> Iterator[tuple[NDArray[np.uint8], str]]:
    """``count`` crops uint8 [h, w], 40-200 px wide, each with its kind; the kinds come in turn.

    Args:
        seed: same seed and settings, same crops.
        count: number of crops, 0 or more.
        held_out: kinds that training never draws, or those that it does.
        system_fonts: False keeps to the fonts drawn by code.
    """
    cv2.setNumThreads(0)
    library = Library(held_out, system_fonts)
    kinds = tuple(dict.fromkeys(negatives.kinds(held_out)))
    seeds = random.Random(seed)
    for index in range(count):
        rng = random.Random(seeds.getrandbits(64))
        yield negatives.draw_crop(rng, library, 1.0, rng.randint(*_WIDTHS), kinds[index % len(kinds)])


def write_set(folder: Path, seed: int, count: int, held_out: bool) -> None:
    """Writes PNG crops and ``labels.csv`` (path, text, region): the text empty, the kind as region.

    Raises:
        OSError: the folder or a file in it cannot be written.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "text", "region"])
        for index, (crop, kind) in enumerate(draw_set(seed, count, held_out)):
            path = f"images/{index:05d}.png"
            (folder / path).write_bytes(cv2.imencode(".png", crop)[1].tobytes())
            writer.writerow([path, "", kind])
    print(f"{count} negatives in {folder} (seed {seed})")
