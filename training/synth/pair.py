"""A plate as a camera sees it, and the same view as it would be without lens, sensor and codec."""

from __future__ import annotations

import random
from typing import Any

import cv2
from numpy.typing import NDArray

from training.synth import camera
from training.synth.camera import Box, Gray, Optics, View

LEAST_HEIGHT = 4  # pixels of a small crop


def scene(
    rng: random.Random,
    canvas: Gray,
    box: Box,
    view: View,
    optics: Optics,
    size: tuple[int, int],
    scale: int,
) -> NDArray[Any]:
    """What ``photograph`` sees before lens and sensor, lit, float32 [h, ``scale`` * width] in gray levels.

    ``size``: width of the crop that ``degraded`` is to make of it, and its least height; the height is a
    multiple of ``scale``. Where the plate lies on the sensor's grid is drawn too.
    """
    width, least = size
    crop = camera.frame(box, view)[1]
    # Of a plate at x8 few rows are left: a larger least height would stretch it.
    height = max(LEAST_HEIGHT, min(2 * width, round(width * view.stretch * crop[3] / crop[2])))
    tall = max(height, least)
    # Pixel centres: the plate may begin anywhere within a pixel of the crop, and lies in the middle.
    phase = (rng.uniform(-0.5, 0.5) * scale - 0.5, (rng.uniform(-1, 1) + tall - height) * scale / 2 - 0.5)
    matrix = camera.projection(box, view, (width * scale, height * scale), 1.0, phase)
    shape = (width * scale, tall * scale)
    seen = cv2.warpPerspective(canvas, matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return camera.lit(rng, seen, camera.tone_curve(canvas, box, optics), optics)


def degraded(rng: random.Random, image: NDArray[Any], optics: Optics, scale: int) -> Gray:
    """What lens, sensor and codec make of a ``scene``, uint8 of its size over ``scale``; gray or BGR.

    Each pixel covers ``scale`` x ``scale`` of the scene: the two are registered.
    """
    width, height = image.shape[1] // scale, image.shape[0] // scale
    image = camera.blurred(image, optics, scale, width)
    if scale > 2:  # as there: lens and sampling are two steps
        image = cv2.resize(image, (2 * width, 2 * height), interpolation=cv2.INTER_AREA)
    # OpenCV's nearest neighbour takes the first of two pixels: it would move the picture.
    kernel = cv2.INTER_AREA if optics.kernel == cv2.INTER_NEAREST else optics.kernel
    return camera.sensed(rng, cv2.resize(image, (width, height), interpolation=kernel), optics)
