"""SuperResolver: small crops in, larger ones out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lprfast import _core
from lprfast._arguments import checked_color, crop_list, whole_number
from lprfast._opening import find_model, wrong_precision
from lprfast._ort_library import ort_library_path
from lprfast.sr_contract import SrContract

Model = str | os.PathLike[str] | bytes
Color = Literal["bgr", "rgb"]
Precision = Literal["fp32", "int8"]

DEFAULT_SR_BELOW = 100  # pixels
LARGEST_SR_BELOW = 1024
DEFAULT_SR_BATCH = 16
# A crop of more pixels than two patches of this side is run in patches.
PATCH = 128


@dataclass(frozen=True, slots=True, eq=False)
class UpscaledCrop:
    """One crop enlarged, or the reason why it is not.

    Attributes:
        image: uint8 ``[scale * H, scale * W]``, of a colour model ``[scale * H, scale * W, 3]``; or None.
        error: the reason, or None.
    """

    image: npt.NDArray[np.uint8] | None = None
    error: str | None = None


class SuperResolver:
    """Enlarges crops with a super-resolution model (docs/sr_runtime.md).

    A gray model gives gray pictures, of crops in colour too; a colour model gives colour, and takes a gray
    crop as three equal channels. What comes of a crop does not depend on the others. One resolver may be used
    from many threads at once.

    Args:
        model: name of a bundled super-resolution model, path of an ONNX file of task ``sr``, or its bytes.
        device: ``cpu``, ``cuda`` or ``cuda:N``.
        threads: worker threads; None takes every processor that affinity and cgroup allow.
        color: channel order of crops with 3 or 4 channels, and of what is answered in colour.
        batch: crops in one run of the model, at most.
        patch: crops of more pixels than two squares of this side are cut into such squares, which overlap by
            32 pixels and are blended; a multiple of 16 from 48 to 1024.
        precision: ``fp32`` or ``int8``, to be sure which weights are run; a bundled model that comes in both
            is opened accordingly. None takes what there is, int8 of a bundled model that has it.

    Raises:
        ModelError: the model file is missing, cannot be loaded, is no super-resolution model, or its metadata
            are missing or contradictory.
        OrtError: ONNX Runtime cannot be found or loaded, or the device cannot be had.
        ValueError: another argument is out of range.
    """

    def __init__(
        self,
        model: Model,
        *,
        device: str = "cpu",
        threads: int | None = None,
        color: Color = "bgr",
        batch: int = DEFAULT_SR_BATCH,
        patch: int = PATCH,
        precision: Precision | None = None,
    ) -> None:
        self._threads = _core.usable_processors() if threads is None else whole_number("threads", threads)
        self._upscaler, self._contract, self._model = open_upscaler(
            model,
            device,
            self._threads,
            color,
            whole_number("batch", batch),
            whole_number("patch", patch),
            precision=precision,
        )
        if precision not in (None, self._contract.precision):
            raise ValueError(wrong_precision(precision, self._model, self._contract.precision))

    @property
    def contract(self) -> SrContract:
        """What the model file says of itself."""
        return self._contract

    @property
    def model(self) -> str:
        """Path of the model file, or ``<bytes>``."""
        return self._model

    @property
    def scale(self) -> int:
        """How many times as high and as wide a crop becomes."""
        return self._contract.scale

    @property
    def threads(self) -> int:
        """Number of worker threads."""
        return self._threads

    def __repr__(self) -> str:
        return f"SuperResolver({self._contract.name!r}, scale={self.scale}, threads={self._threads})"

    def upscale(self, crop: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Enlarges one crop: uint8 ``[H, W]`` or ``[H, W, 1 | 3 | 4]``, any strides.

        Returns:
            uint8 ``[scale * H, scale * W]``, of a colour model ``[scale * H, scale * W, 3]``.

        Raises:
            ValueError: the crop cannot be used; the message says why.
            OrtError: the model could not be run.
        """
        answer = self.upscale_many([crop])[0]
        if answer.image is None:
            raise ValueError(f"crop: {answer.error}")
        return answer.image

    def upscale_many(self, crops: Sequence[npt.NDArray[np.uint8]]) -> list[UpscaledCrop]:
        """Enlarges many crops, batched over the worker threads.

        Returns:
            One answer per crop, in order. A crop that cannot be used costs only itself.

        Raises:
            TypeError: ``crops`` is no sequence of crops.
            OrtError: the model could not be run.
        """
        answers: list[Any] = self._upscaler.upscale(crop_list(crops, "upscale()"))
        return [
            UpscaledCrop(error=answer) if isinstance(answer, str) else UpscaledCrop(answer)
            for answer in answers
        ]


def open_upscaler(
    model: Model,
    device: str,
    threads: int,
    color: Color,
    batch: int,
    patch: int = PATCH,
    *,
    precision: Precision | None = None,
    argument: str = "model",
) -> tuple[_core.Upscaler, SrContract, str]:
    """The compiled upscaler of a model, its contract, and its path or ``<bytes>``.

    ``precision`` chooses among the files of a bundled model; ``argument`` is what errors call ``model``.

    Raises:
        TypeError: ``model`` is neither text, a path nor bytes.
        ModelError, OrtError, ValueError: as :class:`SuperResolver`.
    """
    if not isinstance(model, (str, os.PathLike, bytes)):
        kind = type(model).__name__
        raise TypeError(f"{argument}: expected a bundled model's name, a path or bytes, got {kind}")
    checked_color(color)
    if not 48 <= patch <= 1024:
        raise ValueError(f"patch: expected a multiple of 16 from 48 to 1024, got {patch}")
    source, name = find_model(model, precision, "sr")
    session = _core.Session(source, ort_library_path(), device, 1)
    contract = SrContract.from_metadata(session.metadata, name)
    try:
        upscaler = _core.Upscaler(
            session,
            scale=contract.scale,
            channels=contract.channels,
            color=color,
            threads=threads,
            batch=batch,
            patch=patch,
        )
    except _core.ModelError as error:
        raise _core.ModelError(f"{name}: {error}") from None
    return upscaler, contract, name


def checked_sr_below(value: int) -> int:
    """The argument ``sr_below`` in pixels; TypeError or ValueError when it is none."""
    number = whole_number("sr_below", value)
    if not 1 <= number <= LARGEST_SR_BELOW:
        raise ValueError(f"sr_below: expected 1 to {LARGEST_SR_BELOW} pixels, got {number}")
    return number
