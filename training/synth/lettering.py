"""Lines of small text: each letter of a face is drawn once and kept, for most lines come only once."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

Gray = NDArray[np.uint8]


def line_of_text(path: str, text: str, pixels: int) -> Gray:
    """A line of text of a font file as coverage, uint8 [3 ``pixels``, w], about ``pixels`` high."""
    letters = [_letter(path, pixels, character) for character in text]
    width = sum(letter.advance for letter in letters)
    image = np.zeros((3 * pixels, width + 2 * pixels), np.uint8)
    x = pixels // 2
    for letter in letters:
        # Slanted letters reach back under their neighbours.
        top, left = 2 * pixels + letter.top, x + letter.left
        target = image[top : top + letter.ink.shape[0], left : left + letter.ink.shape[1]]
        np.maximum(target, letter.ink, out=target)
        x += letter.advance
    return image[:, pixels // 2 : pixels // 2 + width]


@dataclass(frozen=True)
class _Letter:
    """A letter's coverage, where it starts from the pen on the base line, and how far the pen moves, px."""

    ink: Gray
    left: int
    top: int
    advance: int


@functools.cache
def _letter(path: str, pixels: int, character: str) -> _Letter:
    face = _face(path, pixels)
    mask, (left, top) = face.getmask2(character, mode="L", anchor="ls")
    width, height = mask.size
    image = (
        np.array(mask, np.uint8).reshape(height, width) if width and height else np.zeros((1, 1), np.uint8)
    )
    limits = max(-pixels // 2, int(left)), max(-2 * pixels, int(top))
    ink = image[: pixels - limits[1], : 2 * pixels]
    return _Letter(ink, limits[0], limits[1], max(1, round(face.getlength(character))))


@functools.cache
def _face(path: str, pixels: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, round(pixels * 1.2))
