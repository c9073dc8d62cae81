"""Reads gathered per vehicle and let go as soon as a vehicle is complete."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from lprfast.results import PlateRead


class TrackCollector:
    """Holds reads only until their vehicle's last one has come, so that memory follows the open vehicles.

    Args:
        tracks: the vehicle of every read that will come, in any order.
    """

    def __init__(self, tracks: Iterable[str]) -> None:
        self._missing = Counter(tracks)
        self._reads: dict[str, list[PlateRead]] = {}

    def add(self, track: str, read: PlateRead) -> list[PlateRead] | None:
        """Takes the next read of a vehicle; returns all its reads when this was the last, else None.

        Raises:
            ValueError: more reads come for ``track`` than were announced.
        """
        if self._missing[track] < 1:
            raise ValueError(f"track: no more reads were announced for {track!r}")
        self._missing[track] -= 1
        reads = self._reads.setdefault(track, [])
        reads.append(read)
        return None if self._missing[track] else self._reads.pop(track)
