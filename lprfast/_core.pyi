import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

version: str
vote_correlation: float  # the built-in one
vote_floor: float
vote_narrow: int  # crop widths in pixels between which weights grow
vote_wide: int
vote_same: float  # gray levels: two signatures within are one picture
vote_different: float  # from here on they are two
vote_max_reads: int  # that take part in one vote

class ModelError(ValueError): ...
class OrtError(RuntimeError): ...

def usable_processors() -> int: ...
def best_isa() -> str: ...
def available_isas() -> list[str]: ...
def prepare(
    crops: list[Any],
    height: int,
    width: int,
    fit: str,
    kernel: str,
    mean: float,
    scale: float,
    color: str,
    isa: str = "auto",
) -> npt.NDArray[np.float32]: ...
def summarize(
    crop: Any, height: int, width: int, fit: str, kernel: str, color: str, isa: str = "auto"
) -> tuple[float, float, float, bytes]: ...
def ctc_log_softmax(scores: Any, isa: str = "auto") -> npt.NDArray[np.float32]: ...
def ctc_greedy(
    scores: Any, blank: int, logits: bool, isa: str = "auto"
) -> tuple[
    npt.NDArray[np.int64],
    npt.NDArray[np.int32],
    npt.NDArray[np.float32],
    npt.NDArray[np.int32],
    npt.NDArray[np.float32],
    npt.NDArray[np.int32],
]: ...
def ctc_texts(offsets: Any, labels: Any, symbols: list[str]) -> tuple[str, ...]: ...
def ctc_beam(
    scores: Any, blank: int, logits: bool, beam_size: int, nbest: int, prune: float, isa: str = "auto"
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]: ...
def ctc_score(
    scores: Any, texts: list[list[list[int]]], blank: int, logits: bool, isa: str = "auto"
) -> npt.NDArray[np.float64]: ...
def ort_shapes(
    library: str, model: bytes, input: str, shape: list[int], names: list[str]
) -> dict[str, tuple[int, ...]]: ...
def ort_info(library: str) -> dict[str, Any]: ...
def vote_decide(
    ballots: list[tuple[Any, ...]],
    *,
    classes: int,
    blank: int = 0,
    floor: float = ...,
    correlation: float = ...,
    reserve: float = ...,
    alternatives: int = ...,
    rule: str = "fused",
    prior: TextPrior | None = None,
    watchlist: tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], float] | None = ...,
    calibration_features: list[str] = ...,
    calibration_weights: list[float] = ...,
    calibration_bias: float = ...,
) -> dict[str, Any]: ...
def half_round_trip(
    values: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float32]]: ...

class Layouts:
    def __init__(
        self,
        patterns: Sequence[tuple[float, Sequence[Sequence[str]]]],
        *,
        free_logs: dict[str, float],
        rare_log: float,
        length_log: float,
        escape: float,
        strength: float,
        ceiling: float,
    ) -> None: ...

class TextPrior:
    def __init__(self, layouts: Layouts, symbols: list[str]) -> None: ...
    def log_weights(self, texts: list[list[int]]) -> list[float]: ...

class Session:
    def __init__(
        self, model: str | os.PathLike[str] | bytes, library: str, device: str = "cpu", threads: int = 1
    ) -> None: ...
    @property
    def inputs(self) -> list[tuple[str, int, tuple[int, ...]]]: ...
    @property
    def outputs(self) -> list[tuple[str, int, tuple[int, ...]]]: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    def run(self, array: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]: ...

class Upscaler:
    def __init__(
        self,
        session: Session,
        *,
        scale: int,
        channels: int,
        color: str,
        threads: int,
        batch: int,
        patch: int = 128,
    ) -> None: ...
    def upscale(self, crops: list[Any]) -> list[npt.NDArray[np.uint8] | str]: ...

class Reader:
    def __init__(
        self,
        session: Session,
        *,
        symbols: tuple[str, ...],
        blank: int,
        height: int,
        width: int,
        fit: str,
        kernel: str,
        mean: float,
        scale: float,
        color: str,
        logits: bool,
        temperature: float,
        min_confidence: float,
        threads: int,
        batch: int,
        two_line: bool,
        calibration_features: list[str] = ...,
        calibration_weights: list[float] = ...,
        calibration_bias: float = ...,
        prior: TextPrior | None = None,
        upscaler: Upscaler | None = None,
        upscale_below: int = 0,
    ) -> None: ...
    def read(
        self, crops: list[Any], nbest: int = 0, enlarged: list[Any] | None = None
    ) -> list[tuple[Any, ...]]: ...
    @property
    def steps(self) -> int: ...
