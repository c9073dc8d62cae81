"""Everything that decides what a training run of SR does; stored inside its checkpoints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from training.settings import Settings, require
from training.sr.loss_settings import LOSS_SETTINGS, check_ranges, used_settings
from training.sr.losses.adversarial import ADVERSARIAL_WEIGHT
from training.sr.losses.pecl import CONTRASTIVE, METRICS, WEIGHTINGS
from training.sr.models import ARCHITECTURES, CHANNELS, SCALES
from training.sr.pairs import DEGRADATIONS, LEAST_WIDTH

LOSSES = tuple(LOSS_SETTINGS)
READING_LOSSES = frozenset({"confidence", "reading", "lcofl", "adversarial"})
ENCODERS = ("resnet18", "reader")
SELECTIONS = ("psnr", "exact", "last")


@dataclass(frozen=True)
class Config(Settings):
    """Settings of one run; ``docs/super_resolution.md`` says what the losses' mean."""

    CHANGEABLE: ClassVar[frozenset[str]] = frozenset(
        {"minutes", "steps", "workers", "threads", "val", "eval_every", "checkpoint_minutes", "export"}
        | {"name", "select", "eval_steps"}
    )

    arch: str = "compact_42k"
    loss: str = "l1"
    scale: int = 4
    channels: int = 1
    minutes: float | None = None
    steps: int | None = None
    batch: int = 16
    patch: int | None = None  # side in pixels of what is compared; 0: whole plates; None: by loss
    one_line: bool | None = None  # leaves plates of two lines out; None: where the loss reads
    repeat: int | None = None  # pairs of each plate; None: 4, or 1 where they would be equal
    lr: float = 1e-4
    clip: float = 1.0
    ema: float = 0.999
    seed: int = 0
    widths: tuple[int, int] = (96, 240)  # of the large crops, in pixels
    degradation: str = "camera"
    difficulty: float = 1.0
    data: tuple[str, ...] = ()
    data_share: float = 0.5
    val: tuple[str, ...] = ()
    val_size: int = 200
    reader: str = "default"
    pixel: str | None = None  # the pixel term of a loss of several; None: mse in PECL, l1 elsewhere
    weight: float | None = None
    ratio: float = 1.0
    weight_lr: float | None = None  # of weights that the loss learns; None: lr
    adversarial: float = ADVERSARIAL_WEIGHT
    contrastive: str = "pull"
    weighting: str = "fixed"
    metric: str = "l1"
    embedding: int = 128
    margin: float | None = None
    encoder: str = "resnet18"
    encoder_weights: str | None = None
    train_encoder: bool = False
    confusion: str | None = None
    init: str | None = None  # name of the file that the weights come from
    precision: str = "fp32"
    workers: int | None = None
    threads: int | None = None
    eval_every: float = 5.0  # minutes
    eval_steps: int | None = None  # in place of eval_every
    checkpoint_minutes: float = 2.0
    select: str = "psnr"
    export: bool = True
    name: str = "lprfast-sr"

    def __post_init__(self) -> None:
        self._check_choices()
        for flag in (
            "minutes",
            "steps",
            "threads",
            "eval_every",
            "eval_steps",
            "checkpoint_minutes",
            "batch",
            "repeat",
            "lr",
            "weight_lr",
        ):
            value = getattr(self, flag)
            good = value is None or 0 < value < math.inf
            require(good, f"--{flag.replace('_', '-')}", "a positive finite number", value)
        require(self.workers is None or self.workers >= 0, "--workers", "0 or more", self.workers)
        require(0 <= self.seed < 2**63, "--seed", "0 to 2**63 - 1", self.seed)
        require(self.val_size >= 1, "--val-size", "1 or more", self.val_size)
        require(0 <= self.data_share <= 1, "--data-share", "0 to 1", self.data_share)
        require(0 <= self.difficulty <= 1, "--difficulty", "0 to 1", self.difficulty)
        check_ranges(self)
        low, high = self.widths
        least = LEAST_WIDTH * self.scale
        require(least <= low <= high <= 1024, "--widths", f"{least} <= LOW <= HIGH <= 1024", self.widths)
        self._check_patch()
        self._settle_plates()

    def _check_choices(self) -> None:
        for flag, known in (
            ("arch", tuple(ARCHITECTURES)), ("loss", LOSSES), ("scale", SCALES), ("channels", CHANNELS),
            ("degradation", DEGRADATIONS), ("contrastive", CONTRASTIVE), ("weighting", WEIGHTINGS),
            ("metric", METRICS), ("encoder", ENCODERS), ("select", SELECTIONS),
            ("pixel", (None, "l1", "mse")), ("precision", ("auto", "fp32", "bf16")),
        ):  # fmt: skip
            value = getattr(self, flag)
            require(value in known, f"--{flag}", f"one of {', '.join(map(str, known))}", value)

    def _check_patch(self) -> None:
        if self.patch is None:
            object.__setattr__(self, "patch", 0 if self.needs_plates else 64)
        if self.needs_plates:
            require(
                self.patch == 0,
                "--patch",
                f"0 (whole plates) with a loss that reads ({self.loss})",
                self.patch,
            )
        patch = self.patch or 0
        fits = patch == 0 or (patch % self.scale == 0 and 4 * self.scale <= patch <= self.widths[0])
        what = f"0 or a multiple of {self.scale} from {4 * self.scale} to the least of --widths"
        require(fits, "--patch", what, self.patch)

    def _settle_plates(self) -> None:
        if self.one_line is None:
            object.__setattr__(self, "one_line", self.needs_plates)
        if self.needs_plates and not self.one_line:
            raise ValueError(f"--no-one-line: --loss {self.loss} reads plates of one line; leave it out")
        if self.repeat is None:
            equal = self.degradation == "shrink" and self.patch == 0
            object.__setattr__(self, "repeat", 1 if equal else 4)

    @property
    def needs_plates(self) -> bool:
        """Whether the loss reads, so that patches will not do."""
        return self.loss in READING_LOSSES or (self.loss == "pecl" and self.encoder == "reader")

    def loss_settings(self) -> dict[str, Any]:
        """The settings that matter to the chosen loss, as they are used."""
        return used_settings(self)
