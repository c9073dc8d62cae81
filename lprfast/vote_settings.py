"""What a model file says of voting over its reads. docs/voting.md explains the values."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lprfast import _core
from lprfast._logistic import check_logistic, is_finite
from lprfast._metadata import require
from lprfast.formats.prior import LayoutPrior

# What the vote's probability may be calibrated by; csrc/vote/calibrate.cpp computes them. None of them may
# weigh less than nothing: a read that agrees must not make its text less likely.
VOTE_FEATURES = ("logit_probability", "agreement", "margin")
_REMEMBERED = 64  # more models than one process meets


@dataclass(frozen=True, slots=True)
class VoteSettings:
    """How reads of one model vote; what ``training/calibrate_vote.py`` fits.

    Attributes:
        correlation: between the errors of two different crops of one vehicle, 0-1.
        floor: natural logarithm of the probability under which a crop says no more against a text, -60 to 0.
        features: out of ``VOTE_FEATURES``; none: the probability is not calibrated.
        weights: one per feature, 0 or more.
        bias: of the logistic calibration.
        layouts: the plates that the reader of these reads expects (docs/layouts.md), or None. The reader's
            affair, and in no dictionary.
    """

    correlation: float = _core.vote_correlation
    floor: float = _core.vote_floor
    features: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    bias: float = 0.0
    layouts: LayoutPrior | None = None

    def __reduce__(self) -> tuple[Callable[..., VoteSettings], tuple[object, ...]]:
        listed = tuple(self.features), tuple(self.weights)
        return _same, (self.correlation, self.floor, *listed, self.bias, self.layouts)

    @classmethod
    def from_dict(cls, vote: Mapping[str, Any]) -> VoteSettings | None:
        """Of the key ``vote`` of a model file (docs/model_contract.md); None of an empty one.

        Raises:
            ModelError: a value is missing or contradictory; the message names it.
        """
        if not vote:
            return None
        check_vote(vote)
        calibration = vote["calibration"]
        return cls(
            correlation=float(vote["correlation"]),
            floor=float(vote["floor"]),
            features=tuple(calibration.get("features", ())),
            weights=tuple(float(weight) for weight in calibration.get("weights", ())),
            bias=float(calibration.get("bias", 0.0)),
        )

    def to_dict(self) -> dict[str, Any]:
        """What :meth:`from_dict` takes, without ``fitted_on``; ``stop_at`` is the reader's affair: None."""
        calibration: dict[str, Any] = {}
        if self.features:
            calibration = {
                "method": "logistic",
                "features": list(self.features),
                "weights": list(self.weights),
                "bias": self.bias,
            }
        return {
            "correlation": self.correlation,
            "floor": self.floor,
            "stop_at": None,
            "calibration": calibration,
        }


@functools.lru_cache(_REMEMBERED)
def _same(*values: Any) -> VoteSettings:
    """Unpickled ones that are equal are one object, which a track or a vote holds once."""
    return VoteSettings(*values)


def check_vote(vote: Mapping[str, Any]) -> None:
    """Checks the key ``vote`` of a model file, when it is not empty.

    Raises:
        ModelError: a value is missing or contradictory; the message names it.
    """
    for name in ("correlation", "floor", "stop_at", "calibration"):
        require(name in vote, "vote", f"an object with {name}", sorted(vote))
    correlation, floor, stop_at = vote["correlation"], vote["floor"], vote["stop_at"]
    good = is_finite(correlation) and 0 <= correlation <= 1
    require(good, "vote", "correlation: a number from 0 to 1", correlation)
    require(is_finite(floor) and -60 <= floor < 0, "vote", "floor: a number from -60 up to 0", floor)
    good = stop_at is None or (is_finite(stop_at) and 0 < stop_at <= 1)
    require(good, "vote", "stop_at: null, or a number over 0 and up to 1", stop_at)
    calibration = vote["calibration"]
    require(isinstance(calibration, Mapping), "vote", "calibration: an object", calibration)
    if calibration:
        check_logistic("vote, calibration", calibration, VOTE_FEATURES, VOTE_FEATURES)


def common_settings(settings: Iterable[VoteSettings | None]) -> VoteSettings | None:
    """Those of all reads of a vote; None, the built-in ones, where they differ: each is fitted alone."""
    first: VoteSettings | None = None
    for number, one in enumerate(settings):
        first = one if number == 0 else first
        if one is not first and one != first:
            return None
    return first
