"""Crops with nothing to read: bodywork, grilles, and strips of text that are no plate."""

from __future__ import annotations

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth import surface, words
from training.synth.glyphs import small_text
from training.synth.marks import stamp

Image = NDArray[np.float32]


def draw_negative(
    rng: random.Random, font: str, level: float
) -> tuple[NDArray[np.uint8], tuple[int, int, int, int]]:
    """A canvas uint8 [h, w] without a plate, and the box that a detector took for one."""
    width, height = 208, round(208 / rng.uniform(1.5, 5))
    box = (36, 30, width, height)
    canvas = surface.surroundings(rng, (height + 60, width + 72), box[1], max(level, 0.5)).astype(np.float32)
    canvas += surface.clouds(rng, canvas.shape, rng.randrange(3, 12)) * rng.uniform(10, 60)
    kind = rng.random()
    if kind < 0.4:
        _grille(rng, canvas)
    elif kind < 0.75:
        _text_strip(rng, canvas, font)
    return surface.to_bytes(canvas), box


def _grille(rng: random.Random, canvas: Image) -> None:
    height, width = canvas.shape
    step, tone, thick = rng.randrange(6, 30), rng.uniform(0, 255), rng.randrange(1, 8)
    slant = rng.uniform(-0.5, 0.5) * height
    if rng.random() < 0.6:
        for y in range(0, height, step):
            cv2.line(canvas, (0, y), (width, y), tone, thick)
    if rng.random() < 0.6:
        for x in range(0, width, step):
            cv2.line(canvas, (x, 0), (round(x + slant), height), tone, thick)


def _text_strip(rng: random.Random, canvas: Image, font: str) -> None:
    """Small lines of words: several, or one that is far smaller than a plate's characters."""
    height, width = canvas.shape
    tone = rng.uniform(0, 255)
    for _ in range(rng.randrange(1, 4)):
        text = rng.choice(words.SLOGANS)
        tall = height * rng.uniform(0.08, 0.16)
        center = (width * rng.uniform(0.4, 0.6), height * rng.uniform(0.2, 0.8))
        stamp(canvas, small_text(font, text), center, (width * rng.uniform(0.4, 0.7), tall), tone)
