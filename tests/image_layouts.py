"""One crop in every memory layout and on every instruction set: all must give the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from lprfast import _core
from lprfast.prepare import prepare

Crop = npt.NDArray[np.uint8]

DEFAULTS: dict[str, Any] = {
    "height": 32,
    "width": 128,
    "fit": "stretch",
    "kernel": "bicubic",
    "mean": 127.5,
    "scale": 1 / 64,
    "color": "bgr",
}
OTHER = {"bgr": "rgb", "rgb": "bgr"}


def strided(crop: Crop) -> Iterator[Crop]:
    """The same pixels: as they are, in column order, backwards, inside a frame, spread out, read-only."""
    yield np.ascontiguousarray(crop)
    yield np.asfortranarray(crop)
    yield np.ascontiguousarray(crop[::-1])[::-1]
    yield np.ascontiguousarray(crop[::-1, ::-1])[::-1, ::-1]
    frame = np.full((crop.shape[0] + 5, crop.shape[1] + 7, *crop.shape[2:]), 99, np.uint8)
    frame[2:-3, 3:-4] = crop
    yield frame[2:-3, 3:-4]
    spread = np.full((crop.shape[0] * 2, crop.shape[1] * 3, *crop.shape[2:]), 77, np.uint8)
    spread[::2, ::3] = crop
    yield spread[::2, ::3]
    locked = crop.copy()
    locked.setflags(write=False)
    yield locked


def channels(crop: Crop, color: str) -> Iterator[tuple[Crop, str]]:
    """The same picture with one, three and four channels, in either order of colours."""
    if crop.ndim == 2:
        yield crop, color
        yield crop[..., None], color
        crop = np.repeat(crop[..., None], 3, axis=2)
    yield crop, color
    crop = crop[..., :3]
    yield crop[..., ::-1], OTHER[color]
    yield np.ascontiguousarray(crop[..., ::-1]), OTHER[color]
    alpha = np.random.default_rng(0).integers(0, 256, (*crop.shape[:2], 1), dtype=np.uint8)
    four = np.concatenate([crop, alpha], axis=2)
    yield four, color
    yield four[..., :3], color
    yield np.concatenate([alpha, crop], axis=2)[..., 1:], color
    yield np.ascontiguousarray(crop.transpose(2, 0, 1)).transpose(1, 2, 0), color


def layouts(crop: Crop, color: str) -> Iterator[tuple[Crop, str]]:
    for picture, order in channels(crop, color):
        for view in strided(picture):
            yield view, order
        yield picture, order


def prepared(crop: Crop, **options: Any) -> npt.NDArray[np.float32]:
    """float32 [height, width]; checks that every layout on every instruction set gives the same bits."""
    spec = {**DEFAULTS, **options}
    expected = prepare([crop], **spec, isa="scalar")
    for view, order in layouts(crop, spec["color"]):
        for isa in _core.available_isas():
            result = prepare([view], **{**spec, "color": order}, isa=isa)
            np.testing.assert_array_equal(result.view(np.uint32), expected.view(np.uint32), strict=True)
    assert expected.shape == (1, 1, spec["height"], spec["width"])
    assert expected.dtype == np.float32
    return expected[0, 0]


def summarized(crop: Crop, **options: Any) -> tuple[float, float, float, bytes]:
    """(sharpness, contrast, clipped, signature), the same on every layout and instruction set."""
    spec = {name: {**DEFAULTS, **options}[name] for name in ("height", "width", "fit", "kernel", "color")}
    expected = _core.summarize(crop, **spec, isa="scalar")
    for view, order in layouts(crop, spec["color"]):
        for isa in _core.available_isas():
            assert _core.summarize(view, **{**spec, "color": order}, isa=isa) == expected
    return expected
