"""What a distribution of crop widths suggests, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lprfast.evaluation.sizes import (
    FULL_WIDTH,
    INPUT_WIDTH,
    LOST_WIDTH,
    WEAK_WIDTH,
    kept_share,
    share_below,
    spread,
    widths_spec,
)

# Shares under this are not worth a change of anything.
_NOTABLE = 0.1
_FEW_CROPS = 100


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One thing to do or to leave.

    Attributes:
        topic: ``sample``, ``reader``, ``camera``, ``training``, ``super-resolution`` or ``resolution``.
        advice: what to do.
        reason: the figures behind it.
    """

    topic: str
    advice: str
    reason: str

    def to_dict(self) -> dict[str, str]:
        """Plain values."""
        return {"topic": self.topic, "advice": self.advice, "reason": self.reason}


def suggestions(widths: Sequence[int]) -> list[Suggestion]:
    """What these widths, in pixels, suggest; nothing for no widths.

    The figures are those of the shipped reader (docs/results.md): full accuracy from 60 px up, about 85 % of
    it at 40 px, about 46 % at 30 px.
    """
    if not widths:
        return []
    rules: tuple[Callable[[Sequence[int]], Suggestion | None], ...] = (
        _sample,
        _reader,
        _camera,
        _training,
        _super_resolution,
        _resolution,
    )
    return [found for rule in rules if (found := rule(widths)) is not None]


def _sample(widths: Sequence[int]) -> Suggestion | None:
    if len(widths) >= _FEW_CROPS:
        return None
    return Suggestion(
        "sample",
        f"look at more crops before anything is changed: {_FEW_CROPS} or more, from day and night",
        f"a share among {len(widths)} crops is uncertain by {_margin(len(widths)):.0%} or so",
    )


def _margin(n: int) -> float:
    """Half of the widest 95 % interval of a share, 1.96 / (2 sqrt n), at most 1."""
    return float(min(1.0, 0.98 / n**0.5))


def _reader(widths: Sequence[int]) -> Suggestion:
    kept, narrow = kept_share(widths), share_below(widths, FULL_WIDTH)
    reason = (
        f"{narrow:.0%} of the crops are under {FULL_WIDTH} px, where the shipped reader begins to lose; at "
        f"these widths it keeps about {kept:.0%} of its accuracy on single crops (99 % at {FULL_WIDTH} "
        f"px, 85 % at {WEAK_WIDTH} px, 46 % at {LOST_WIDTH} px; crops that are blurred too do worse)"
    )
    if narrow < _NOTABLE:
        return Suggestion("reader", "leave the sizes as they are: they cost next to nothing", reason)
    return Suggestion(
        "reader", "vote over all crops of a vehicle: a track's widest crops carry its narrow ones", reason
    )


def _camera(widths: Sequence[int]) -> Suggestion | None:
    lost = share_below(widths, LOST_WIDTH)
    if lost < _NOTABLE:
        return None
    advice = (
        "move the camera or its trigger line closer, take a longer lens, or cut the crops from the stream of "
        "full resolution"
    )
    quarter = dict(spread(widths).percentiles)[25]
    if quarter < FULL_WIDTH:
        factor = FULL_WIDTH / quarter
        advice += f"; {factor:.1f} times the width brings three quarters of the crops to {FULL_WIDTH} px"
    reason = (
        f"{lost:.0%} of the crops are under {LOST_WIDTH} px, about 4 px a character: what is not in the "
        "picture no training brings back"
    )
    return Suggestion("camera", advice, reason)


def _training(widths: Sequence[int]) -> Suggestion | None:
    weak = share_below(widths, FULL_WIDTH) - share_below(widths, LOST_WIDTH)
    if weak < _NOTABLE:
        return None
    advice = (
        f"train on such widths: training/train_ocr.py --widths {widths_spec(widths)} --multi-scale 1 1, or "
        f"without --widths a lower --multi-scale, 0.3 1.0; lprfast eval --width {WEAK_WIDTH} before and "
        "after tells the gain"
    )
    reason = (
        f"{weak:.0%} of the crops are from {LOST_WIDTH} to {FULL_WIDTH} px, where training moves most: "
        "shrinking crops in training gained 10 points at 40 px and lost nothing at full size "
        "(docs/experiments.md)"
    )
    return Suggestion("training", advice, reason)


def _super_resolution(widths: Sequence[int]) -> Suggestion | None:
    if share_below(widths, FULL_WIDTH) < _NOTABLE:
        return None
    band = share_below(widths, WEAK_WIDTH) - share_below(widths, LOST_WIDTH)
    reason = (
        f"{band:.0%} of the crops are from {LOST_WIDTH} to {WEAK_WIDTH} px. Wider ones still show their "
        "strokes, which is a matter of training; in narrower ones they are gone and would be invented. The "
        "reader enlarges small crops itself"
    )
    if band < _NOTABLE:
        return Suggestion("super-resolution", "not worth a trial", reason)
    advice = (
        f"a trial may pay for crops from {LOST_WIDTH} to {WEAK_WIDTH} px, but only against a reader "
        "retrained on such widths, which costs no time per crop; lprfast compare-sr measures both"
    )
    return Suggestion("super-resolution", advice, reason)


def _resolution(widths: Sequence[int]) -> Suggestion | None:
    wide = 1 - share_below(widths, INPUT_WIDTH + 1)
    if wide < 0.5:
        return None
    return Suggestion(
        "resolution",
        "a smaller stream or a wider view would do: check with lprfast eval --width",
        f"{wide:.0%} of the crops are wider than the {INPUT_WIDTH} px that the reader takes, and are shrunk",
    )
