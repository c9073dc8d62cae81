"""Rates of parts of the crops: by width, region, type and number of lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lprfast.evaluation.rates import Rates, Settings, rates
from lprfast.evaluation.samples import Sample, Traits, VehicleSample

BY = ("width", "region", "type", "lines")
WIDTHS = (20, 40, 60, 80, 100)
_UNKNOWN = "unknown"
_LINES = ("none answered", "one", "two")


@dataclass(frozen=True, slots=True)
class Group:
    """Some of the crops and vehicles.

    Attributes:
        name: such as ``40-60`` or a region; ``unknown`` where the label file or the reader does not tell.
        crops: their rates; None without crops.
        vehicles: rates over votes; None without vehicles.
    """

    name: str
    crops: Rates | None
    vehicles: Rates | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "crops": self.crops.to_dict() if self.crops else None,
            "vehicles": self.vehicles.to_dict() if self.vehicles else None,
        }


def breakdown(
    by: str, samples: Sequence[Sample], vehicles: Sequence[VehicleSample], settings: Settings
) -> tuple[Group, ...]:
    """Rates per group, in order: widths and lines as they grow, names by code point, the unknown last.

    Args:
        by: one of ``BY``.
        samples: the crops.
        vehicles: the votes. A vehicle is in the group of its own traits, which need not be that of a crop.
        settings: of the bootstrap.

    Raises:
        ValueError: ``by`` is none of ``BY``.
    """
    if by not in BY:
        raise ValueError(f"by: expected one of {', '.join(BY)}, got {by!r}")
    crops: dict[str, list[Sample]] = {}
    votes: dict[str, list[VehicleSample]] = {}
    for sample in samples:
        crops.setdefault(group_name(by, sample.traits), []).append(sample)
    for vehicle in vehicles:
        votes.setdefault(group_name(by, vehicle.traits), []).append(vehicle)
    names = sorted({*crops, *votes}, key=lambda name: _place(by, name))
    return tuple(
        Group(name, crop_rates(crops.get(name, ()), settings), vehicle_rates(votes.get(name, ()), settings))
        for name in names
    )


def crop_rates(samples: Sequence[Sample], settings: Settings) -> Rates | None:
    """Rates over crops; None without any."""
    clusters = [sample.cluster for sample in samples]
    return rates([(s.text, s.label) for s in samples], clusters, settings) if samples else None


def vehicle_rates(vehicles: Sequence[VehicleSample], settings: Settings) -> Rates | None:
    """Rates over votes, each a cluster of its own; None without any."""
    pairs = [(vehicle.text, vehicle.label) for vehicle in vehicles]
    return rates(pairs, range(len(pairs)), settings) if pairs else None


def group_name(by: str, traits: Traits) -> str:
    """The group that traits belong to. Of width it is ``20-40`` from 20 to below 40 pixels, and so on."""
    if by == "width":
        return _width_name(traits.width)
    if by == "lines":
        return _LINES[traits.lines] if 0 <= traits.lines < len(_LINES) else _UNKNOWN
    name: str = getattr(traits, by)
    return name or _UNKNOWN


def _width_name(width: int) -> str:
    if width < 1:
        return _UNKNOWN
    above = next((place for place, edge in enumerate(WIDTHS) if width < edge), len(WIDTHS))
    if above == 0:
        return f"under {WIDTHS[0]}"
    return f"{WIDTHS[above - 1]}-{WIDTHS[above]}" if above < len(WIDTHS) else f"{WIDTHS[-1]}+"


def _place(by: str, name: str) -> tuple[bool, int, str]:
    order = [_width_name(width) for width in (1, *WIDTHS)] if by == "width" else [*_LINES[1:], _LINES[0]]
    known = by in ("width", "lines") and name in order
    return name == _UNKNOWN, order.index(name) if known else 0, name
