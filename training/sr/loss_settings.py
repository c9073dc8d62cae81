"""Which settings of a run belong to which loss, what they may be, and what they are where none was given."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.settings import require
from training.sr.losses.pecl import default_margin
from training.sr.losses.reading import CONFIDENCE_WEIGHT

if TYPE_CHECKING:
    from training.sr.config import Config

PECL_WEIGHT = 0.5
LEARNT_WEIGHTINGS = ("clipped_learnable", "uncertainty")
LOSS_SETTINGS: Mapping[str, tuple[str, ...]] = {
    "l1": (),
    "mse": (),
    "confidence": ("pixel", "weight"),
    "reading": ("pixel", "weight", "ratio"),
    "pecl": (
        "contrastive", "weighting", "metric", "embedding", "margin", "pixel", "weight", "ratio",
        "weight_lr", "encoder", "encoder_weights", "train_encoder",
    ),
    "lcofl": ("weight", "ratio", "confusion"),
    "adversarial": ("pixel", "weight", "ratio", "adversarial"),
}  # fmt: skip
# Of these, what matters only beside another setting: how to say it, and whether a run has it so.
_BESIDE: Mapping[str, tuple[str, Callable[[Config], bool]]] = {
    "weight": ("--weighting fixed", lambda c: c.loss != "pecl" or c.weighting == "fixed"),
    "ratio": (
        "no --weight, in PECL with --weighting balanced",
        lambda c: c.weighting == "balanced" if c.loss == "pecl" else c.weight is None,
    ),
    "margin": ("--contrastive as_printed or pull_push", lambda c: c.contrastive != "pull"),
    "weight_lr": ("--weighting clipped_learnable or uncertainty", lambda c: c.weighting in LEARNT_WEIGHTINGS),
    "encoder_weights": ("--encoder resnet18", lambda c: c.encoder == "resnet18"),
}


def check_ranges(config: Config) -> None:
    """Raises ValueError, naming the flag, for a number that no loss can use."""
    weight, margin = config.weight, config.margin
    if config.loss == "pecl":
        good = weight is None or 0 <= weight <= 1
        require(good, "--weight", "0 to 1 with --loss pecl: the pixels have what is left of 1", weight)
    good = weight is None or 0 <= weight < math.inf
    require(good, "--weight", "a finite number, 0 or more", weight)
    require(0 < config.ratio < math.inf, "--ratio", "a positive finite number", config.ratio)
    require(margin is None or 0 < margin < math.inf, "--margin", "a positive finite number", margin)
    opinion = config.adversarial
    require(0 <= opinion < math.inf, "--adversarial", "a finite number, 0 or more", opinion)
    if config.loss == "pecl" and config.contrastive == "pull_push" and not config.train_encoder:
        raise ValueError(
            "--contrastive pull_push: needs --train-encoder: the push moves the encoder alone, and beside a "
            "frozen one it is pull"
        )
    require(8 <= config.embedding <= 4096, "--embedding", "8 to 4096", config.embedding)


def refuse_unused(config: Config, given: Iterable[str]) -> None:
    """Raises ValueError for a setting of losses in ``given`` that does nothing in this run."""
    for key in given:
        losses = [loss for loss, keys in LOSS_SETTINGS.items() if key in keys]
        flag = f"--{key.replace('_', '-')}"
        if losses and config.loss not in losses:
            raise ValueError(
                f"{flag}: --loss {config.loss} does not use it; leave it out, or choose --loss "
                f"{' or '.join(losses)}"
            )
        if losses and not _matters(config, key):
            raise ValueError(f"{flag}: used with {_BESIDE[key][0]} only; leave it out")


def _matters(config: Config, key: str) -> bool:
    return key not in _BESIDE or _BESIDE[key][1](config)


def pixel_of(config: Config) -> str:
    """The pixel term of a loss of several."""
    return config.pixel or ("mse" if config.loss == "pecl" else "l1")


def weight_of(config: Config) -> float | None:
    """The second term's weight; None: by the gradients."""
    if config.weight is None:
        return {"confidence": CONFIDENCE_WEIGHT, "pecl": PECL_WEIGHT}.get(config.loss)
    return config.weight


def margin_of(config: Config) -> float:
    """PECL's margin."""
    if config.margin is None:
        return default_margin(config.contrastive, config.metric, config.embedding)
    return config.margin


def weight_lr_of(config: Config) -> float:
    """Peak learning rate of the weights that a loss learns."""
    return config.lr if config.weight_lr is None else config.weight_lr


def used_settings(config: Config) -> dict[str, Any]:
    """The settings that matter to the chosen loss, as they are used, and files by their names.

    Where there is no ``weight``, it follows the gradients by ``ratio``.
    """
    values = {
        **config.to_dict(),
        "pixel": pixel_of(config),
        "weight": weight_of(config),
        "margin": margin_of(config),
        "weight_lr": weight_lr_of(config),
    }
    for key in ("encoder_weights", "confusion"):
        values[key] = Path(values[key]).name if values[key] else None
    used = {key: values[key] for key in LOSS_SETTINGS[config.loss] if _matters(config, key)}
    return {key: value for key, value in used.items() if key != "weight" or value is not None}
