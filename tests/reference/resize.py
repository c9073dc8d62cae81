"""What prepare means, written from its definition in float64 with plain loops: slow, and easy to check."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def bilinear(x: float) -> float:
    return max(0.0, 1.0 - abs(x))


def bicubic(x: float) -> float:
    """Keys' kernel with a = -1/2, in the form of his paper."""
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    if x < 2:
        return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return 0.0


KERNELS = {"bilinear": bilinear, "bicubic": bicubic}


def weights(index: int, size: int, out: int, kernel: str) -> list[float]:
    """The share of each of ``size`` input pixels in output ``index`` of ``out``.

    Pixel j has its centre at j + 1/2, and the output's centre lies at (index + 1/2) * size / out. When
    shrinking, the kernel is stretched by the ratio. Outside the image there is nothing: what is left is
    scaled to add up to 1.
    """
    ratio = size / out
    stretch = max(1.0, ratio)
    center = (index + 0.5) * ratio
    raw = [KERNELS[kernel]((j + 0.5 - center) / stretch) for j in range(size)]
    total = math.fsum(raw)
    return [value / total for value in raw]


def resize(gray: npt.NDArray[np.uint8], height: int, width: int, kernel: str) -> Array:
    """Gray levels, not clipped: overshoot below 0 and above 255 stays."""
    columns = [np.array(weights(x, gray.shape[1], width, kernel)) for x in range(width)]
    result = np.empty((height, width))
    for y in range(height):
        row = np.array(weights(y, gray.shape[0], height, kernel)) @ gray.astype(np.float64)
        for x in range(width):
            result[y, x] = row @ columns[x]
    return result


def to_gray(crop: npt.NDArray[np.uint8], color: str) -> npt.NDArray[np.uint8]:
    """BT.601 luma with weights in 1 / 16384, rounded to the nearest level, half upwards."""
    if crop.ndim == 2 or crop.shape[2] == 1:
        return crop.reshape(crop.shape[:2])
    result = np.empty(crop.shape[:2], np.uint8)
    for y in range(crop.shape[0]):
        for x in range(crop.shape[1]):
            first, green, third = (int(value) for value in crop[y, x, :3])
            red, blue = (third, first) if color == "bgr" else (first, third)
            result[y, x] = math.floor(
                Fraction(4899 * red + 9617 * green + 1868 * blue, 16384) + Fraction(1, 2)
            )
    return result


def content_box(height: int, width: int, out_height: int, out_width: int) -> tuple[int, int, int, int]:
    """Top, left, height and width of a letterboxed crop: as large as fits, sides rounded half upwards."""
    zoom = min(Fraction(out_height, height), Fraction(out_width, width))
    box_height = max(1, math.floor(height * zoom + Fraction(1, 2)))
    box_width = max(1, math.floor(width * zoom + Fraction(1, 2)))
    return (out_height - box_height) // 2, (out_width - box_width) // 2, box_height, box_width


def prepare(
    crop: npt.NDArray[np.uint8],
    *,
    height: int,
    width: int,
    fit: str,
    kernel: str,
    mean: float,
    scale: float,
    color: str,
) -> Array:
    gray = to_gray(crop, color)
    top, left, box_height, box_width = 0, 0, height, width
    if fit == "letterbox":
        top, left, box_height, box_width = content_box(*gray.shape, height, width)
    result = np.zeros((height, width))
    levels = np.clip(resize(gray, box_height, box_width, kernel), 0, 255)
    result[top : top + box_height, left : left + box_width] = (levels - mean) * scale
    return result


@dataclass(frozen=True)
class Summary:
    sharpness: float
    contrast: float
    clipped: float
    signature: list[int]


def summarize(gray: npt.NDArray[np.uint8]) -> Summary:
    """The quality figures of a gray picture at reading size."""
    height, width = gray.shape
    level = [[int(value) for value in row] for row in gray]
    laplacians = [
        4 * level[y][x] - level[y - 1][x] - level[y + 1][x] - level[y][x - 1] - level[y][x + 1]
        for y in range(1, height - 1)
        for x in range(1, width - 1)
    ]
    levels = [value for row in level for value in row]
    signature = []
    for i in range(4):
        rows = range(i * height // 4, max(i * height // 4 + 1, (i + 1) * height // 4))
        for j in range(16):
            columns = range(j * width // 16, max(j * width // 16 + 1, (j + 1) * width // 16))
            total = sum(level[y][x] for y in rows for x in columns)
            signature.append(math.floor(Fraction(total, len(rows) * len(columns)) + Fraction(1, 2)))
    return Summary(
        sharpness=_variance(laplacians),
        contrast=math.sqrt(_variance(levels)),
        clipped=sum(value in (0, 255) for value in levels) / len(levels),
        signature=signature,
    )


def _variance(values: list[int]) -> float:
    if not values:
        return 0.0
    mean = Fraction(sum(values), len(values))
    return float(sum((value - mean) ** 2 for value in values) / len(values))
