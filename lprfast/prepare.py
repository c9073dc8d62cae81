"""From crops to the reader's input: gray, resized, normalised. Training uses it too, so both see the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from lprfast import _core
from lprfast._arguments import checked_color
from lprfast.model import ModelContract


def prepare(
    crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8],
    *,
    height: int = ModelContract.input_height,
    width: int = ModelContract.input_width,
    fit: Literal["stretch", "letterbox"] = ModelContract.resize_fit,
    kernel: Literal["bilinear", "bicubic"] = ModelContract.resize_kernel,
    mean: float = ModelContract.mean,
    scale: float = ModelContract.scale,
    color: Literal["bgr", "rgb"] = "bgr",
    isa: str = "auto",
) -> NDArray[np.float32]:
    """Resizes and normalises crops into one batch.

    Gray is BT.601 luma. Coordinates are pixel centres; shrinking is antialiased, enlarging is not. The value
    written is ``(gray - mean) * scale`` with gray in 0-255, not rounded to whole levels; the exact arithmetic
    stands in ``docs/numerics.md``. The result is the same, bit for bit, on every processor.

    Args:
        crops: uint8 arrays ``[H, W]`` (gray) or ``[H, W, 1, 3 or 4]`` (a fourth channel is ignored), each
            side 1 to 16384 pixels, any strides; or one array ``[N, H, W]`` or ``[N, H, W, C]``.
        height, width: size of the output in pixels, 1 to 4096.
        fit: ``"stretch"`` fills the output; ``"letterbox"`` keeps the aspect, centres the crop and pads with
            0.0 (that is, with gray = mean).
        kernel: ``"bilinear"`` or ``"bicubic"`` (a = -0.5).
        mean, scale: normalisation, in gray levels and per gray level.
        color: order of the first three channels; gray crops do not care.
        isa: ``"auto"``, or one of ``lprfast._core.available_isas()``; for tests.

    Returns:
        float32 ``[N, 1, height, width]``, C order; N may be 0.

    Raises:
        ValueError: a crop or an argument cannot be used; the message names the crop by its index.
    """
    batch: NDArray[np.float32] = _core.prepare(
        _as_list(crops), height, width, fit, kernel, mean, scale, checked_color(color), isa
    )
    return batch


def _as_list(crops: Any) -> list[Any]:
    if isinstance(crops, np.ndarray):
        one_crop = crops.ndim == 2 or (crops.ndim == 3 and crops.shape[2] in (1, 3, 4))
        if one_crop or crops.ndim not in (3, 4):
            raise ValueError(
                "crops: expected a sequence of crops or one array [N, H, W] or [N, H, W, C], got an array of "
                f"shape {crops.shape}; put a single crop into a list"
            )
    return list(crops)
