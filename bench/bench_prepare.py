"""64 crops of widths 40-200 to float32 [64, 1, 32, 128], one thread: lprfast, and loops over cv2 and Pillow.

lprfast antialiases when it shrinks. cv2's cubic never does; its AREA and LINEAR are the nearest to bilinear
that it has. Pillow has the very same kernels, rounded to whole gray levels, and is given ready-made images.

    pytest bench/bench_prepare.py --benchmark-only
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lprfast import _core
from lprfast.prepare import prepare

Crops = list[npt.NDArray[np.uint8]]
Kernel = Literal["bilinear", "bicubic"]
CROPS = 64
HEIGHT, WIDTH = 32, 128
MEAN, SCALE = np.float32(127.5), np.float32(1 / 64)
PILLOW = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@pytest.fixture(scope="module")
def gray() -> Crops:
    random = np.random.default_rng(1)
    crops = []
    for width in random.integers(40, 201, CROPS):
        height = max(8, round(width / random.uniform(3, 4)))
        crops.append(cv2.GaussianBlur(random.integers(0, 256, (height, width), dtype=np.uint8), (5, 5), 1))
    return crops


@pytest.fixture(scope="module")
def bgr(gray: Crops) -> Crops:
    tints = (1.0, 0.8, 0.9)
    return [np.stack([(crop * tint).astype(np.uint8) for tint in tints], axis=2) for crop in gray]


def cv2_loop(crops: Crops, kernel: Kernel) -> npt.NDArray[np.float32]:
    out = np.empty((len(crops), 1, HEIGHT, WIDTH), np.float32)
    for crop, row in zip(crops, out, strict=True):
        picture = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) if crop.ndim == 3 else crop
        shrinks = picture.shape[0] > HEIGHT and picture.shape[1] > WIDTH
        linear = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        method = cv2.INTER_CUBIC if kernel == "bicubic" else linear
        resized = cv2.resize(picture, (WIDTH, HEIGHT), interpolation=method)
        np.multiply(np.subtract(resized, MEAN, dtype=np.float32), SCALE, out=row[0])
    return out


def pillow_loop(images: list[Image.Image], kernel: Kernel) -> list[Image.Image]:
    return [image.resize((WIDTH, HEIGHT), PILLOW[kernel]) for image in images]


def levels(batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return batch[:, 0] / SCALE + MEAN


def pillow_levels(crops: Crops, kernel: Kernel) -> npt.NDArray[np.float32]:
    images = pillow_loop([Image.fromarray(crop) for crop in crops], kernel)
    return np.stack([np.asarray(image, np.float32) for image in images])


@pytest.fixture(autouse=True)
def one_thread() -> None:
    cv2.setNumThreads(1)


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_lprfast_gray(benchmark: Any, gray: Crops, kernel: Kernel) -> None:
    benchmark.group = f"prepare 64 gray crops, {kernel}"
    # Pillow rounds to whole levels twice.
    assert np.abs(levels(prepare(gray, kernel=kernel)) - pillow_levels(gray, kernel)).max() < 1.5
    benchmark(partial(prepare, gray, kernel=kernel))


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_cv2_loop_gray(benchmark: Any, gray: Crops, kernel: Kernel) -> None:
    benchmark.group = f"prepare 64 gray crops, {kernel}"
    # Another cubic (a = -0.75), and without antialias: near on crops that are only enlarged.
    enlarged = [crop for crop in gray if crop.shape[0] <= HEIGHT and crop.shape[1] <= WIDTH]
    tolerance = 1.5 if kernel == "bilinear" else 20
    assert np.abs(levels(cv2_loop(enlarged, kernel)) - pillow_levels(enlarged, kernel)).max() < tolerance
    benchmark(cv2_loop, gray, kernel)


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
def test_pillow_resize_alone(benchmark: Any, gray: Crops, kernel: Kernel) -> None:
    benchmark.group = f"prepare 64 gray crops, {kernel}"
    images = [Image.fromarray(crop) for crop in gray]
    assert {image.size for image in pillow_loop(images, kernel)} == {(WIDTH, HEIGHT)}
    benchmark(pillow_loop, images, kernel)


@pytest.mark.benchmark(group="prepare 64 BGR crops, bicubic")
def test_lprfast_bgr(benchmark: Any, bgr: Crops) -> None:
    as_gray = [cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in bgr]
    assert np.abs(levels(prepare(bgr)) - levels(prepare(as_gray))).max() < 1.5
    benchmark(prepare, bgr)


@pytest.mark.benchmark(group="prepare 64 BGR crops, bicubic")
def test_cv2_loop_bgr(benchmark: Any, bgr: Crops) -> None:
    as_gray = [cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY) for crop in bgr]
    assert (cv2_loop(bgr, "bicubic") == cv2_loop(as_gray, "bicubic")).all()
    benchmark(cv2_loop, bgr, "bicubic")


@pytest.mark.parametrize("isa", _core.available_isas())
def test_lprfast_each_instruction_set(benchmark: Any, gray: Crops, isa: str) -> None:
    benchmark.group = "prepare 64 gray crops, bicubic, each instruction set"
    assert (prepare(gray, isa=isa) == prepare(gray, isa="scalar")).all()
    benchmark(partial(prepare, gray, isa=isa))


def each(crops: Crops, function: Callable[[npt.NDArray[np.uint8]], object]) -> list[object]:
    return [function(crop) for crop in crops]


def summarize(crop: npt.NDArray[np.uint8]) -> tuple[float, float, float, bytes]:
    return _core.summarize(crop, HEIGHT, WIDTH, "stretch", "bicubic", "bgr")


@pytest.mark.benchmark(group="64 gray crops one by one: with and without the summary")
def test_lprfast_prepare_only(benchmark: Any, gray: Crops) -> None:
    assert len(each(gray, lambda crop: prepare([crop]))) == CROPS
    benchmark(each, gray, lambda crop: prepare([crop]))


@pytest.mark.benchmark(group="64 gray crops one by one: with and without the summary")
def test_lprfast_summarize(benchmark: Any, gray: Crops) -> None:
    contrasts = [summarize(crop)[1] for crop in gray]
    assert contrasts == pytest.approx(levels(prepare(gray)).std(axis=(1, 2)).tolist(), rel=0.01)
    benchmark(each, gray, summarize)
