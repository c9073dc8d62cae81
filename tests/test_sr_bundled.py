"""The super-resolution model that comes with the package."""

from __future__ import annotations

import random

import cv2
import numpy as np
import pytest

from lprfast import PlateReader, SuperResolver
from lprfast.evaluation.image_quality import psnr
from lprfast.models import model_names, model_path
from training.sr.pairs import Pair, PairSource
from training.synth.generator import Library

NAME = "compact_42k"


@pytest.fixture(scope="module")
def pairs() -> list[Pair]:
    """Held-out plates, made small in the way that the model was trained on."""
    rng = random.Random(5)
    source = PairSource(4, 1, "shrink", Library(True, system_fonts=False), one_line=True)
    return [source.drawn(rng, 48)[0] for _ in range(24)]


def enlarged_by(pairs: list[Pair], model: str) -> list[np.ndarray]:
    resolver = SuperResolver(model, threads=1)
    return [resolver.upscale(pair.low) for pair in pairs]


def test_it_is_the_only_one_and_has_a_twin() -> None:
    assert model_names("sr") == [NAME]
    assert model_path(NAME, "fp32", "sr").stem == f"{NAME}-fp32"


def test_it_draws_held_out_plates_better_than_bicubic(pairs: list[Pair]) -> None:
    def bicubic(pair: Pair) -> np.ndarray:
        return cv2.resize(pair.low, pair.high.shape[::-1], interpolation=cv2.INTER_CUBIC)

    gains = [
        psnr(image, pair.high) - psnr(bicubic(pair), pair.high)
        for image, pair in zip(enlarged_by(pairs, NAME), pairs, strict=True)
    ]
    assert np.mean(gains) > 0.5


def test_int8_draws_what_fp32_draws(pairs: list[Pair]) -> None:
    twin = str(model_path(NAME, "fp32", "sr"))
    both = zip(enlarged_by(pairs, NAME), enlarged_by(pairs, twin), strict=True)
    assert np.mean([psnr(image, other) for image, other in both]) > 38


def test_a_reader_takes_it_by_name() -> None:
    reader = PlateReader(sr=NAME, sr_below=40, threads=1)
    image = np.full((12, 40), 128, np.uint8)
    assert [read.upscaled for read in reader.read_many([image[:, 1:], image])] == [4, 0]
