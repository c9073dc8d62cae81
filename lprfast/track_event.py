"""What a ``TrackVoter`` has to say."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

from lprfast.results import SCHEMA_VERSION, PlateVote


@dataclass(frozen=True, slots=True)
class TrackEvent:
    """Something new about one track.

    Attributes:
        kind: ``new``, the first text; ``updated``, since the last event another text, a probability that has
            moved by 0.05 or more, or a second plate (``vote.conflict``) that has come, gone or changed;
            ``final``, the last event of this track.
        track_id: as given to ``update``.
        time: of the track's latest update, seconds, on the caller's clock.
        vote: over the reads that the track holds; its contributions are in the order in which they came, and
            have their times.
            A ``final`` vote has no text (see its status) when no text was seen.
        reads: how many the track was given so far, at least as many as it holds.
    """

    kind: Literal["new", "updated", "final"]
    track_id: Hashable
    time: float
    vote: PlateVote
    reads: int

    def to_dict(self) -> dict[str, Any]:
        """A dictionary of plain values (``track_id`` as it is), with ``schema_version``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": self.kind,
            "track_id": self.track_id,
            "time": self.time,
            "reads": self.reads,
            "vote": self.vote.to_dict(),
        }
