"""Everything that decides what a training run does; stored inside its checkpoints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from training.ocr.model import ARCHITECTURES, default_input, has_locator
from training.settings import Settings, require


@dataclass(frozen=True)
class Config(Settings):
    """Settings of one run. ``data`` and ``val`` name label files, ``data`` with an optional ``:weight``."""

    CHANGEABLE: ClassVar[frozenset[str]] = frozenset(
        {"minutes", "steps", "workers", "threads", "val", "eval_every", "checkpoint_minutes", "export"}
        | {"name"}
    )

    arch: str = "aligned_slim"
    input: tuple[int, int] = (0, 0)  # height, width in pixels; (0, 0): what the architecture is made for
    minutes: float | None = None
    steps: int | None = None
    batch: int = 128  # over all processes
    repeat: int = 2
    lr: float = 3e-3
    weight_decay: float = 0.02
    clip: float = 2.0
    ema: float = 0.998
    seed: int = 0
    multi_scale: tuple[float, float] = (0.4, 1.0)
    widths: str | None = None
    data: tuple[str, ...] = ()
    data_share: float = 0.3
    balance: str | None = None  # column of the label files
    confusion: str | None = None
    curriculum: bool | None = None  # None: unless the run starts from trained weights
    init: str | None = None  # name of the model whose weights the run starts from, and what it learnt from
    init_data: tuple[str, ...] = ()
    val: tuple[str, ...] = ()
    val_size: int = 1000
    precision: str = "auto"
    workers: int | None = None
    threads: int | None = None
    eval_every: float = 5.0  # minutes
    checkpoint_minutes: float = 2.0
    export: bool = True
    name: str = "lprfast-ocr"

    def __post_init__(self) -> None:
        require(self.arch in ARCHITECTURES, "arch", f"one of {', '.join(ARCHITECTURES)}", self.arch)
        if self.input == (0, 0):
            object.__setattr__(self, "input", default_input(self.arch))
        low, high = self.multi_scale
        require(0 < low <= high <= 1, "--multi-scale", "0 < LOW <= HIGH <= 1", self.multi_scale)
        require(0 <= self.data_share <= 1, "--data-share", "0 to 1", self.data_share)
        require(self.batch >= 2, "--batch", "2 or more (batch normalisation)", self.batch)
        require(self.repeat >= 1, "--repeat", "1 or more", self.repeat)
        require(0 < self.lr < math.inf, "--lr", "a positive finite number", self.lr)
        require(0 <= self.seed < 2**63, "--seed", "0 to 2**63 - 1", self.seed)
        minutes = self.minutes
        require(minutes is None or minutes < math.inf, "--minutes", "a finite number", minutes)
        require(self.val_size >= 1, "--val-size", "1 or more", self.val_size)
        for flag in ("minutes", "steps", "threads", "eval_every", "checkpoint_minutes"):
            value = getattr(self, flag)
            require(value is None or value > 0, f"--{flag.replace('_', '-')}", "a positive number", value)
        require(self.workers is None or self.workers >= 0, "--workers", "0 or more", self.workers)
        height, width = self.input
        require(
            height % 16 == width % 4 == 0 and 16 <= height <= 256 and 64 <= width <= 1024,
            "--input",
            "HxW with H a multiple of 16 up to 256 and W a multiple of 4 from 64 to 1024",
            f"{height}x{width}",
        )
        require(
            (width == 4 * height and height % 32 == 0) or not has_locator(self.arch),
            "--input",
            f"HxW with H a multiple of 32 and W four times H for {self.arch}",
            f"{height}x{width}",
        )
        require(self.balance in (None, "type", "region"), "--balance", "type or region", self.balance)
        known = ("auto", "fp32", "bf16")
        require(self.precision in known, "--precision", "auto, fp32 or bf16", self.precision)
