"""The camera: view, light, blur, sampling, noise, sharpening and JPEG, in this order."""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synth.surface import clouds, to_bytes

Gray = NDArray[np.uint8]
Box = tuple[int, int, int, int]

_KERNELS = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST)
_NOISE_SIZE = 1 << 20
_RAMP = np.linspace(0, 1, 256, dtype=np.float32)
_SQUARE = ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))


@dataclass(frozen=True)
class View:
    """Where the camera stands and what the detector cut out.

    ``tilt`` in degrees, ``shear`` and ``keystone`` as shares, ``margins`` left, top, right, bottom as shares
    of the plate's width and height, ``stretch`` multiplies the crop's height.
    """

    tilt: float
    shear: tuple[float, float]
    keystone: tuple[float, ...]
    margins: tuple[float, float, float, float]
    stretch: float


@dataclass(frozen=True)
class Optics:
    """What light, lens, sensor and codec do.

    Lengths in px of the crop; ``contrast`` (the plate's standard deviation) and ``noise`` in gray levels;
    ``exposure`` from 0 (dark) to 1 (bright), above it the paper saturates and thins the characters.
    """

    contrast: float
    exposure: float
    gamma: float
    shade: float
    glare: float
    defocus: float
    motion: float
    motion_angle: float
    noise: float
    shot_noise: float
    sharpen: float
    comb: int
    jpeg: int
    kernel: int


def draw_view(rng: random.Random, level: float, aspect: float) -> View:
    """A random view of a plate of that aspect; at level 0 frontal, with small even margins."""
    tilt = rng.gauss(0, 2.5) if rng.random() < 0.7 else rng.triangular(-20, 20, 0)
    # Seen from beside its lane a plate's lines fall or rise while its characters stay upright.
    fall = rng.gauss(0, 0.02) if rng.random() < 0.7 else rng.gauss(0, 0.11)
    # A detector is tight or loose on all sides alike: in pixels, so in more of a low plate's height.
    widest = rng.choices((0.03, 0.12, 0.25, 0.4), (0.45, 0.35, 0.15, 0.05))[0]
    upright = widest * rng.uniform(1.0, max(1.5, 0.8 * aspect))
    margins = tuple(_margin(rng, level, limit) for limit in (widest, upright, widest, upright))
    return View(
        tilt=max(-20.0, min(20.0, tilt)) * level,
        shear=(rng.gauss(0, 0.09) * level, fall * level),
        keystone=tuple(rng.uniform(-0.04, 0.04) * level for _ in range(8)),
        margins=(margins[0], margins[1], margins[2], margins[3]),
        stretch=math.exp(rng.gauss(0, 0.12) * level),
    )


def _margin(rng: random.Random, level: float, widest: float) -> float:
    if rng.random() < 0.025:
        # Cuts into the first or last character, or into the header.
        return rng.uniform(-0.07, -0.02) * level
    return 0.02 + (rng.uniform(-0.03, widest) - 0.02) * level


def draw_optics(rng: random.Random, level: float) -> Optics:
    """Random light, lens, sensor and codec; at level 0 nearly a clean picture."""
    # Most pictures are good in most respects: each draws how bad it may get before it draws in what.
    level *= 0.15 + 0.85 * rng.random()
    contrast = rng.uniform(5, 24) if rng.random() < 0.3 else rng.uniform(22, 85)
    defocus = rng.choice((rng.uniform(0.2, 0.8), rng.uniform(0.3, 1.6), rng.uniform(0.6, 2.6)))
    return Optics(
        contrast=70 + (contrast - 70) * level,
        exposure=0.5 + (rng.uniform(0.5, 1.2) if rng.random() < 0.14 else rng.uniform(-0.5, 0.56)) * level,
        gamma=math.exp(rng.gauss(0, 0.35) * level),
        shade=rng.uniform(0, 0.7) * level if rng.random() < 0.35 else 0.0,
        glare=rng.uniform(0.2, 1.0) * level if rng.random() < 0.08 else 0.0,
        defocus=max(0.25, defocus * level),
        motion=rng.uniform(1, 6) * level if rng.random() < 0.25 else 0.0,
        motion_angle=rng.choice((0.0, 0.0, 90.0, rng.uniform(0, 180))),
        noise=rng.choice((0.5, rng.uniform(0, 4), rng.uniform(0, 14))) * level,
        shot_noise=rng.uniform(0, 0.6) * level,
        sharpen=rng.uniform(0.2, 1.6) * level if rng.random() < 0.3 else 0.0,
        comb=rng.choice((-1, 1)) if rng.random() < 0.04 * level else 0,
        jpeg=rng.randrange(18, 96) if rng.random() < 0.65 * level else 0,
        kernel=rng.choices(_KERNELS, (0.58, 0.22, 0.15, 0.05))[0],
    )


def photograph(
    rng: random.Random,
    canvas: Gray,
    box: Box,
    view: View,
    optics: Optics,
    width: int,
    light: random.Random | None = None,
) -> Gray:
    """The crop of a plate, uint8 [h, ``width``]; shadows and glare come from ``light`` if given."""
    crop = frame(box, view)[1]
    height = max(8, min(2 * width, round(width * view.stretch * crop[3] / crop[2])))
    # Small crops are seen at twice their size first, so that lens and sampling are two steps.
    over = 2 if width < 110 else 1
    size = (width * over, height * over)
    halved = 0.5 if size[0] / crop[2] < 0.5 else 1.0
    source: NDArray[Any] = canvas
    if halved < 1:
        half = (canvas.shape[1] // 2, canvas.shape[0] // 2)
        source = cv2.resize(canvas, half, interpolation=cv2.INTER_AREA)
    phase = (rng.uniform(-0.5, 0.5) * over, rng.uniform(-0.5, 0.5) * over)
    matrix = projection(box, view, size, halved, phase)
    seen = cv2.warpPerspective(source, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    image = lit(light or rng, seen, tone_curve(canvas, box, optics), optics)
    image = blurred(image, optics, over, width)
    if over > 1:
        image = cv2.resize(image, (width, height), interpolation=optics.kernel)
    return sensed(rng, image, optics)


def corners_in_crop(
    box: Box, view: View, parts: Sequence[tuple[float, float, float, float]]
) -> NDArray[np.float32]:
    """Where ``photograph`` of the plate ``box`` puts rectangles of its canvas, float32 [parts, 4, 2].

    Each is x, y, width, height on the canvas and becomes its corners from the top left clockwise: x and y as
    shares of the crop's width and height; a corner that the crop cuts off is outside 0-1.
    """
    matrix = _to_shares(box, view)
    points = np.array([[(x, y), (x + w, y), (x + w, y + h), (x, y + h)] for x, y, w, h in parts], np.float32)
    return np.asarray(cv2.perspectiveTransform(points.reshape(-1, 1, 2), matrix), np.float32).reshape(
        -1, 4, 2
    )


@functools.lru_cache(maxsize=1)  # asked for twice a plate, as _to_shares: by the picture, by its corners
def frame(box: Box, view: View) -> tuple[NDArray[np.float32], tuple[float, float, float, float]]:
    """The plate's corners as seen, and the detector's box x, y, width, height around them."""
    _, _, width, height = box
    cos, sin = math.cos(math.radians(view.tilt)), math.sin(math.radians(view.tilt))
    (a, b), shifts = view.shear, iter(view.keystone)
    xs, ys = [], []
    # In plain numbers: for so few, arrays take several times as long.
    for side, level in _SQUARE:
        x, y = (side + next(shifts)) * width, (level + next(shifts)) * height
        xs.append(x * (cos - sin * b) + y * (cos * a - sin))
        ys.append(x * (sin + cos * b) + y * (sin * a + cos))
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    wide, tall = right - left, bottom - top
    before, above, after, below = view.margins
    crop = (left - before * wide, top - above * tall, wide * (1 + before + after), tall * (1 + above + below))
    return np.array([xs, ys], np.float32).T, crop


@functools.lru_cache(maxsize=1)
def _to_shares(box: Box, view: View) -> NDArray[np.float64]:
    """The map from px of the canvas to shares of the crop, float64 [3, 3]."""
    x, y, w, h = box
    corners, crop = frame(box, view)
    source = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32)
    target = (corners - np.array(crop[:2], np.float32)) / np.array(crop[2:], np.float32)
    return np.asarray(cv2.getPerspectiveTransform(source, target.astype(np.float32)), np.float64)


def projection(
    box: Box, view: View, size: tuple[int, int], halved: float, phase: tuple[float, float]
) -> NDArray[np.float64]:
    """The perspective from a canvas shrunk by ``halved`` to a picture of ``size``, moved by ``phase`` px."""
    first, second, third = _to_shares(box, view).tolist()
    rows = [
        [size[0] * a + phase[0] * c for a, c in zip(first, third, strict=True)],
        [size[1] * b + phase[1] * c for b, c in zip(second, third, strict=True)],
        third,
    ]
    return np.array([[a / halved, b / halved, c] for a, b, c in rows])


def tone_curve(canvas: Gray, box: Box, optics: Optics) -> NDArray[np.float32]:
    """Gray seen for each gray of the canvas: gamma, then an exposure that keeps the plate in range."""
    x, y, w, h = box
    curve = _RAMP ** np.float32(optics.gamma)
    center, deviations = cv2.meanStdDev(
        cv2.LUT(np.ascontiguousarray(canvas[y : y + h : 2, x : x + w : 2]), curve)
    )
    mean, deviation = float(center[0, 0]), float(deviations[0, 0])
    spread = optics.contrast / 255
    level = 1.1 * spread + optics.exposure * (1 - 2.2 * spread)
    scale = spread / max(0.02, deviation)
    return np.asarray((curve * np.float32(scale) + np.float32(level - mean * scale)) * 255, np.float32)


def lit(rng: random.Random, seen: NDArray[Any], curve: NDArray[np.float32], optics: Optics) -> NDArray[Any]:
    """Gray seen through the curve, with shadows and glare, float32 in gray levels, not cut to 0-255."""
    image: NDArray[Any] = cv2.LUT(seen, curve)
    height, width = image.shape
    if optics.shade:
        shade = clouds(rng, (height, width), 3)
        shade *= 1.5
        shade += 0.3
        np.clip(shade, 0, 1, out=shade)
        shade *= -optics.shade
        shade += 1
        image *= shade
    if optics.glare:
        spot = np.zeros((max(4, height // 8), max(4, width // 8)), np.float32)
        center = (int(rng.random() * spot.shape[1]), int(rng.uniform(-0.2, 1) * spot.shape[0]))
        cv2.circle(
            spot, center, max(1, round(rng.uniform(0.03, 0.1) * spot.shape[1])), 400 * optics.glare, -1
        )
        image += cv2.resize(
            cv2.GaussianBlur(spot, (0, 0), 1.5), (width, height), interpolation=cv2.INTER_LINEAR
        )
    return image


def blurred(image: NDArray[Any], optics: Optics, over: int, width: int) -> NDArray[Any]:
    """Defocus and motion of a crop of ``width`` px that is seen at ``over`` times its size."""
    # Bounded by the width of a character, about a ninth of the crop: past it nobody reads the plate.
    sigma = min(optics.defocus, 0.1 + width * 0.016) * over
    if sigma > 0.3:
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    length = min(optics.motion, width * 0.045) * over
    if length > 1.5:
        image = cv2.filter2D(image, -1, _motion_kernel(round(length), round(optics.motion_angle / 15) * 15))
    return image


@functools.cache
def _motion_kernel(length: int, angle: int) -> NDArray[Any]:
    size = length | 1
    kernel = np.zeros((size, size), np.float32)
    dx, dy = math.cos(math.radians(angle)) * size / 2, math.sin(math.radians(angle)) * size / 2
    middle = size // 2
    cv2.line(
        kernel, (round(middle - dx), round(middle - dy)), (round(middle + dx), round(middle + dy)), 1.0, 1
    )
    return np.asarray(kernel / kernel.sum(), np.float32)


@functools.lru_cache(maxsize=1)
def _noise_bank() -> NDArray[Any]:
    return np.random.default_rng(20240).standard_normal(_NOISE_SIZE, dtype=np.float32)


def sensed(rng: random.Random, image: NDArray[Any], optics: Optics) -> Gray:
    """Noise, sharpening and codec of an image in gray levels, gray or BGR."""
    amount = min(optics.noise, 0.4 * optics.contrast)
    if amount > 0.3:
        start = rng.randrange(max(1, _NOISE_SIZE - image.size))
        # Over a crop with more pixels than the bank, wide and high, the noise is repeated.
        noise = _noise_bank()[start : start + image.size]
        noise = noise.reshape(image.shape) if noise.size == image.size else np.resize(noise, image.shape)
        if optics.shot_noise > 0.05:
            spread = np.clip(image, 0, 255)
            spread *= optics.shot_noise / 128
            spread += 1 - optics.shot_noise
            noise = noise * np.sqrt(spread, out=spread)
        image = cv2.scaleAdd(noise, amount, image)
    if optics.comb:
        # Interlaced video of something that moves: every second line lies beside its place.
        image[1::2] = np.roll(image[1::2], optics.comb, axis=1)
    if optics.sharpen:
        image = cv2.addWeighted(
            image, 1 + optics.sharpen, cv2.GaussianBlur(image, (0, 0), 1.0), -optics.sharpen, 0
        )
    out = to_bytes(image)
    if optics.jpeg:
        _, code = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, optics.jpeg])
        out = np.asarray(cv2.imdecode(code, cv2.IMREAD_ANYCOLOR), np.uint8)
    return out
