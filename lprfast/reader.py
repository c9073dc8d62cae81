"""PlateReader: crops in, plates out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lprfast import _core
from lprfast._arguments import checked_color, checked_times, crop_list, stop_probability, whole_number
from lprfast._opening import calibration_options, find_model, model_layouts, wrong_precision
from lprfast._ort_library import ort_library_path
from lprfast._ranking import (
    FIRST_PICTURES,
    FIRST_SHARE,
    best_first,
    evidence_of,
    first_looks,
    vote_best_first,
)
from lprfast.formats.prior import LayoutChoice, LayoutPrior, layout_prior
from lprfast.model import ModelContract
from lprfast.models import DEFAULT_MODEL
from lprfast.results import Alternative, PlateRead, PlateVote, Quality
from lprfast.sr_contract import SrContract
from lprfast.super_resolution import DEFAULT_SR_BATCH, DEFAULT_SR_BELOW, checked_sr_below, open_upscaler
from lprfast.vote_settings import VoteSettings
from lprfast.voting import vote, with_times

Crop = npt.NDArray[np.uint8]

DEFAULT_BATCH = 16
DEFAULT_MIN_CONFIDENCE = 0.01


class PlateReader:
    """Reads licence plates from crops.

    One reader may be used from many threads at once. The worker threads start with the first read. A child
    forked while no thread was reading may go on with the reader, with threads of its own; a fork in the
    middle of another thread's read can leave ONNX Runtime's locks held in the child, where they stay.

    Args:
        model: name of a bundled model, path of an ONNX file written by ``training/export.py``, or its bytes.
        device: ``cpu``, ``cuda`` or ``cuda:N``; one that cannot be had is an error, never another device.
        threads: worker threads; None takes every processor that affinity and cgroup allow.
        color: channel order of crops with 3 or 4 channels, ``bgr`` (OpenCV) or ``rgb`` (Pillow).
        batch: crops in one run of the model, at most.
        min_confidence: a text of less ``confidence`` than this, 0-1, is answered as ``unreadable``.
        precision: ``fp32`` or ``int8``, to be sure which weights are run; a bundled model that comes in both
            is opened accordingly, one given as ``sr`` too. None takes what there is, int8 of a bundled model
            that has it.
        layouts: which plates to expect, softly: ``"world"``, ``"ro"``, ``"LLLDDDD"``, several of these, or a
            :class:`lprfast.formats.LayoutPrior`; see :func:`lprfast.formats.layout_prior` and
            docs/layouts.md. They are weighed in reads, in ``read_track`` and by a ``TrackVoter`` with this
            reader. ``model``: those that the model file names. None: none.
        sr: name of a bundled super-resolution model, path of one (ONNX), or its bytes; crops narrower than
            ``sr_below`` are enlarged by it before they are read, on the same threads and device
            (docs/sr_runtime.md).
        sr_below: pixels, 1 to 1024; only with ``sr``. None: 100.

    Raises:
        ModelError: the model file is missing, cannot be loaded, or its metadata are missing or contradictory.
        OrtError: ONNX Runtime cannot be found or loaded, or the device cannot be had.
        TypeError, ValueError: another argument is of another type or out of range; there is no such layout.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes = DEFAULT_MODEL,
        *,
        device: str = "cpu",
        threads: int | None = None,
        color: Literal["bgr", "rgb"] = "bgr",
        batch: int = DEFAULT_BATCH,
        min_confidence: float = DEFAULT_MIN_CONFIDENCE,
        precision: Literal["fp32", "int8"] | None = None,
        layouts: LayoutChoice | Literal["model"] | None = "model",
        sr: str | os.PathLike[str] | bytes | None = None,
        sr_below: int | None = None,
    ) -> None:
        chosen = None if layouts is None or layouts == "model" else layout_prior(layouts)
        source, name = find_model(model, precision)
        threads = None if threads is None else whole_number("threads", threads)
        batch = whole_number("batch", batch)
        checked_color(color)
        if sr is None and sr_below is not None:
            raise ValueError(
                "sr_below: says which crops sr enlarges, and there is no sr; give one or leave it out"
            )
        self._sr_below = DEFAULT_SR_BELOW if sr_below is None else checked_sr_below(sr_below)
        self._session = _core.Session(source, ort_library_path(), device, 1)
        self._contract = ModelContract.from_metadata(self._session.metadata, name)
        if precision not in (None, self._contract.precision):
            raise ValueError(wrong_precision(precision, name, self._contract.precision))
        self._layouts = model_layouts(self._contract, name) if layouts == "model" else chosen
        self._model = name
        self._color = color
        self._device = device
        self._threads = _core.usable_processors() if threads is None else threads
        self._sr_contract: SrContract | None = None
        upscaler = None
        if sr is not None:
            upscaler, self._sr_contract, _ = open_upscaler(
                sr, device, self._threads, color, DEFAULT_SR_BATCH, precision=precision, argument="sr"
            )
        contract = self._contract
        charset = list(contract.charset)
        charset.insert(contract.blank, "")
        self._symbols = tuple(charset)
        self._vote_settings = contract.vote_settings
        if self._layouts is not None:
            self._vote_settings = replace(contract.vote_settings or VoteSettings(), layouts=self._layouts)
        try:
            self._reader = _core.Reader(
                self._session,
                symbols=self._symbols,
                blank=contract.blank,
                height=contract.input_height,
                width=contract.input_width,
                fit=contract.resize_fit,
                kernel=contract.resize_kernel,
                mean=contract.mean,
                scale=contract.scale,
                color=color,
                logits=contract.output == "logits",
                temperature=contract.temperature,
                min_confidence=min_confidence,
                threads=self._threads,
                batch=batch,
                two_line=contract.two_line == "halves",
                upscaler=upscaler,
                upscale_below=self._sr_below,
                **calibration_options(contract),
                prior=None if self._layouts is None else self._layouts.through(self._symbols),
            )
        except _core.ModelError as error:
            raise _core.ModelError(f"{name}: {error}") from None

    @property
    def contract(self) -> ModelContract:
        """What the model file says of itself."""
        return self._contract

    @property
    def model(self) -> str:
        """Path of the model file, or ``<bytes>``."""
        return self._model

    @property
    def device(self) -> str:
        """Where the model runs."""
        return self._device

    @property
    def threads(self) -> int:
        """Number of worker threads."""
        return self._threads

    @property
    def layouts(self) -> LayoutPrior | None:
        """The plates that reads, and votes over them, expect; or None."""
        return self._layouts

    @property
    def sr_contract(self) -> SrContract | None:
        """What the super-resolution model says of itself, or None."""
        return self._sr_contract

    @property
    def sr_below(self) -> int:
        """The width in pixels below which crops are enlarged, where there is a super-resolution model."""
        return self._sr_below

    @property
    def calibrated(self) -> bool:
        """Whether ``confidence`` is calibrated; else it is the model's own probability of the text."""
        return bool(self._contract.calibration)

    def __repr__(self) -> str:
        return f"PlateReader({self._contract.name!r}, device={self._device!r}, threads={self._threads})"

    def read(self, crop: Crop, nbest: int = 0) -> PlateRead:
        """Reads one crop: uint8 ``[H, W]`` or ``[H, W, 1 | 3 | 4]``, any strides. See :meth:`read_many`."""
        return self._read([crop], nbest)[0]

    def read_many(
        self,
        crops: Sequence[Crop] | npt.NDArray[np.uint8],
        nbest: int = 0,
        *,
        enlarged: Sequence[Crop | None] | None = None,
    ) -> list[PlateRead]:
        """Reads many crops, batched over the worker threads.

        Args:
            crops: a sequence of crops of any sizes, uint8 ``[H, W]`` or ``[H, W, 1 | 3 | 4]``, or one array
                ``[N, H, W, C]``.
            nbest: alternatives wanted for each crop, by beam search, 0-100.
            enlarged: one per crop: the same crop as some super-resolution made it, which is read in its place
                (size, quality and calibration stay those of the crop), or None.

        Returns:
            One read per crop, in order. A crop that cannot be used costs only itself: its status is ``error``
            and ``error`` says why.

        Raises:
            TypeError: ``crops`` is no sequence of crops.
            ValueError: ``nbest`` is out of range, or ``enlarged`` has another length than ``crops``.
            OrtError: the model could not be run.
        """
        given = crop_list(crops)
        return self._read(given, nbest) if enlarged is None else self._read(given, nbest, list(enlarged))

    def read_track(
        self,
        crops: Sequence[Crop] | npt.NDArray[np.uint8],
        times: Sequence[float] | None = None,
        *,
        stop_at: float | Literal["model"] | None = "model",
    ) -> PlateVote:
        """Reads the crops of one vehicle and votes. See :meth:`read_many` and :func:`lprfast.vote`.

        Args:
            crops: as for :meth:`read_many`.
            times: of the crops, in seconds, as for :func:`lprfast.vote`.
            stop_at: a probability over 0 and up to 1. The crops are then read best first (wide and sharp
                ones, near-duplicates late), two at a time or more, until the vote's probability reaches it on
                the evidence of two different pictures (docs/streaming.md). ``model``: the one that the model
                file holds, ``contract.stop_at``. None, here or there, reads all.

        Returns:
            The vote, with one contribution for each crop. Those that were not read say so.

        Raises:
            TypeError, ValueError: ``stop_at`` is no such probability, ``times`` are not finite numbers, one
                per crop; and what :meth:`read_many` raises.
        """
        return self._read_track(crops, stop_at, times)[0]

    def _read_track(
        self, crops: Any, stop_at: float | Literal["model"] | None, times: Sequence[float] | None = None
    ) -> tuple[PlateVote, dict[int, PlateRead]]:
        """The vote, and the reads that it is made of by the index of their crop."""
        stop_at = self._contract.stop_at if stop_at == "model" else stop_probability("stop_at", stop_at)
        crops = crop_list(crops)
        seconds = checked_times(times, len(crops))
        reads: dict[int, PlateRead] = {}

        def read(batch: list[int]) -> list[PlateRead]:
            found = self._read([crops[index] for index in batch], 0)
            reads.update(zip(batch, found, strict=True))
            return found

        if stop_at is None:
            answer = vote(read(list(range(len(crops)))))
        else:
            order = best_first(*first_looks(crops, self._contract, self._color))
            evidence = evidence_of(FIRST_PICTURES, FIRST_SHARE, self._vote_settings)
            answer = vote_best_first(len(crops), order, read, vote, stop_at, evidence)
        return (answer if seconds is None else with_times(answer, seconds)), reads

    def _read(self, crops: list[Any], nbest: int, enlarged: list[Any] | None = None) -> list[PlateRead]:
        answers = self._reader.read(crops, whole_number("nbest", nbest), enlarged)
        return [_plate_read(fields, self._symbols, self._vote_settings) for fields in answers]


def _plate_read(
    fields: tuple[Any, ...], symbols: tuple[str, ...], vote_settings: VoteSettings | None
) -> PlateRead:
    text, confidence, char_confidences, status, error, width, height = fields[:7]
    quality, runners_up, runner_up_confidences, steps, alternatives, posteriors, signature = fields[7:14]
    lines, raw_confidence, upscaled = fields[14:]
    return PlateRead(
        text=text,
        confidence=confidence,
        raw_confidence=raw_confidence,
        char_confidences=char_confidences,
        status=status,
        error=error,
        width=width,
        height=height,
        quality=Quality(*quality),
        runners_up=runners_up,
        runner_up_confidences=runner_up_confidences,
        time_steps=steps,
        alternatives=tuple(Alternative(*other) for other in alternatives),
        charset=symbols,
        log_posteriors=posteriors,
        signature=signature,
        lines=lines,
        upscaled=upscaled,
        vote_settings=vote_settings,
    )
