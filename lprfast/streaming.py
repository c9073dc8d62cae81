"""Tracks as they come: crops or reads in, events out. docs/streaming.md explains the rules and the memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from lprfast._arguments import finite_number, stop_probability, whole_number
from lprfast._ballots import check_read
from lprfast._packed import Charset, PackedRead, PackedReads, one_charset, pack
from lprfast._ranking import (
    FINAL_PICTURES,
    FINAL_SHARE,
    MAX_COMPARED,
    different_looks,
    evidence_of,
    without_copies,
)
from lprfast.formats.prior import LayoutChoice, LayoutPrior, layout_prior
from lprfast.reader import PlateReader
from lprfast.results import Conflict, PlateRead, PlateVote
from lprfast.track_event import TrackEvent
from lprfast.vote_settings import common_settings
from lprfast.voting import vote

DEFAULT_MAX_TRACKS = 1000
# Errors of one vehicle's crops are correlated: 16 reads are worth 1.7 independent ones, and no number of them
# is worth more than 1.8.
DEFAULT_MAX_READS = 16
DEFAULT_EXPIRE_AFTER = 2.0

Layouts = LayoutPrior | Literal["reads"] | None

# How far the probability must move for an event while the text stays.
UPDATE_STEP = 0.05


@dataclass(slots=True, eq=False)
class _Track:
    time: float
    reads: list[PackedRead] = field(default_factory=list)
    charset: Charset | None = None
    given: int = 0
    announced: bool = False
    text: str = ""  # of the last event
    probability: float = 0.0
    second: str = ""  # of its conflict
    settled: bool = False  # final by its probability: nothing more is read or said
    layouts: Layouts = "reads"

    def vote(self) -> PlateVote:
        reads = PackedReads(self.reads, self.charset)
        times = [read.time for read in self.reads]
        return replace(vote(reads, times=times, layouts=self.layouts), reads=reads)

    def is_sure(self, answer: PlateVote, stop_at: float) -> bool:
        """Whether the vote may make the track final; reads that may be copies are not counted as evidence."""
        if answer.probability < stop_at or answer.conflict is not None:
            return False
        looks = different_looks(answer.reads)
        if len(looks) < len(answer.reads):
            answer = vote(looks, layouts=self.layouts)
        return answer.probability >= stop_at and answer.effective_reads > self.final_evidence()

    def final_evidence(self) -> float:
        """Independent reads that it needs before its probability can make it final."""
        settings = common_settings(read.settings for read in self.reads if read.value > 0)
        return evidence_of(FINAL_PICTURES, FINAL_SHARE, settings)

    def add(self, read: PackedRead, limit: int) -> bool:
        """False when the new read is the one to go: the vote stays as it was."""
        self.reads.append(read)
        if len(self.reads) <= limit:
            return True
        values = without_copies([r.value for r in self.reads], [r.signature for r in self.reads])
        least = min(range(len(values)), key=values.__getitem__)  # of equal ones the oldest
        return self.reads.pop(least) is not read


class TrackVoter:
    """Votes on many vehicles at once while their crops come in.

    May be used from many threads: crops are read outside its lock. Call ``finish`` for a track when the
    updates of that track have returned; one that comes later begins a new track of the same name.

    Args:
        reader: reads the crops; not needed when every update brings a :class:`PlateRead`.
        max_tracks: 1 or more. One more makes the track that was longest without an update ``final``.
        max_reads_per_track: 1-100. Of one more the least useful goes: near-duplicates first, then what the
            vote weighs least (narrow, unsure), of equal ones the oldest.
        expire_after: seconds without an update after which ``expire`` makes a track ``final``, 0 or more.
        stop_at: a probability over 0 and up to 1 that makes a track ``final`` at once, given the evidence of
            at least four different crops (docs/streaming.md; reads without a signature that repeat another
            not counted) and no ``conflict``; its later crops are not read.
            None: only ``finish``, ``expire`` and ``max_tracks`` end a track.
        layouts: which plates to expect, softly, as in :func:`lprfast.vote`.

    Raises:
        TypeError, ValueError: an argument is of another type or out of range; the message names it.
    """

    def __init__(
        self,
        reader: PlateReader | None = None,
        *,
        max_tracks: int = DEFAULT_MAX_TRACKS,
        max_reads_per_track: int = DEFAULT_MAX_READS,
        expire_after: float = DEFAULT_EXPIRE_AFTER,
        stop_at: float | None = None,
        layouts: LayoutChoice | Literal["reads"] | None = "reads",
    ) -> None:
        if reader is not None and not hasattr(reader, "read"):
            raise TypeError(f"reader: expected a PlateReader or None, got {type(reader).__name__}")
        self._reader = reader
        self._max_tracks = whole_number("max_tracks", max_tracks)
        self._max_reads = whole_number("max_reads_per_track", max_reads_per_track)
        self._expire_after = finite_number("expire_after", expire_after)
        self._stop_at = stop_probability("stop_at", stop_at)
        if self._max_tracks < 1:
            raise ValueError(f"max_tracks: expected 1 or more, got {max_tracks}")
        if not 1 <= self._max_reads <= MAX_COMPARED:
            raise ValueError(f"max_reads_per_track: expected 1 to {MAX_COMPARED}, got {max_reads_per_track}")
        if self._expire_after < 0:
            raise ValueError(f"expire_after: expected 0 or more seconds, got {expire_after}")
        given = not (layouts is None or layouts == "reads")
        self._layouts: Layouts = layout_prior(layouts) if given else layouts  # type: ignore[arg-type, assignment]
        self._lock = threading.Lock()
        self._tracks: OrderedDict[Hashable, _Track] = OrderedDict()  # longest without an update first

    def __len__(self) -> int:
        """Number of live tracks."""
        return len(self._tracks)

    def update(
        self, track_id: Hashable, crop_or_read: PlateRead | npt.NDArray[np.uint8], time: float
    ) -> list[TrackEvent]:
        """One more crop of a vehicle.

        Args:
            track_id: of the tracker; anything hashable.
            crop_or_read: uint8 ``[H, W]`` or ``[H, W, 1 | 3 | 4]``, or a read of it. A crop that cannot be
                used costs only itself.
            time: seconds on any clock that all updates share. It may run backwards (frames out of order): the
                read counts as any other, and the track keeps its latest time.

        Returns:
            At most two events: the ``final`` of a track that had to go for a new one, and one of this track.

        Raises:
            TypeError: ``track_id`` is not hashable, ``time`` is no number, a crop without a reader, a
                read with a field of another type.
            ValueError: ``time`` is NaN or infinite, or the read is of another charset than its track. No
                track is changed by an error.
            OrtError: the model could not be run.
        """
        _check_hashable(track_id)
        time = finite_number("time", time)
        if self._skips(track_id, time):
            return []
        read = self._read(crop_or_read)
        packed = pack(read, time)
        charset = one_charset(tuple(read.charset or ())) if packed.has_posteriors else None
        with self._lock:
            track = self._track_for(track_id, time, charset)
            event = self._add(track_id, track, packed)
            gone = self._evict()
        events = [_final(*item) for item in gone if not item[1].settled]
        return events if event is None else [*events, event]

    def finish(self, track_id: Hashable) -> list[TrackEvent]:
        """The vehicle has left: its ``final`` event.

        Nothing for a track that is not there, or that has been ``final`` by its probability.

        Raises:
            TypeError: ``track_id`` is not hashable.
        """
        _check_hashable(track_id)
        with self._lock:
            track = self._tracks.pop(track_id, None)
        return [] if track is None or track.settled else [_final(track_id, track)]

    def expire(self, now: float) -> list[TrackEvent]:
        """Ends the tracks without an update for ``expire_after`` seconds at the time ``now``.

        Call it as often as final events are wanted: nothing else looks at the time.

        Raises:
            TypeError, ValueError: ``now`` is no number, NaN or infinite.
        """
        before = finite_number("now", now) - self._expire_after
        with self._lock:
            gone = [(track_id, track) for track_id, track in self._tracks.items() if track.time <= before]
            for track_id, _ in gone:
                del self._tracks[track_id]
        # Voted outside the lock: nobody else holds these tracks now.
        return [_final(track_id, track) for track_id, track in gone if not track.settled]

    def _skips(self, track_id: Hashable, time: float) -> bool:
        """Whether the track is settled, so that the crop need not be read."""
        with self._lock:
            track = self._tracks.get(track_id)
            if track is None or not track.settled:
                return False
            self._touch(track_id, track, time)
            return True

    def _read(self, crop_or_read: Any) -> PlateRead:
        if isinstance(crop_or_read, PlateRead):
            check_read("crop_or_read", crop_or_read)
            return crop_or_read
        if self._reader is None:
            raise TypeError(
                "crop_or_read: expected a PlateRead, as this TrackVoter has no reader, got "
                f"{type(crop_or_read).__name__}; give it one: TrackVoter(PlateReader())"
            )
        return self._reader.read(crop_or_read)

    def _track_for(self, track_id: Hashable, time: float, charset: Charset | None) -> _Track:
        """The track, made when it is not there; raises before anything is changed."""
        track = self._tracks.get(track_id)
        if track is None:
            track = self._tracks[track_id] = _Track(time, layouts=self._layouts)
        elif charset is not None and track.charset is not None and charset != track.charset:
            raise ValueError(
                f"track_id {track_id!r}: the charset of this read differs from that of the reads before it; "
                "give one track reads of one model, or pass the others through read_from_text"
            )
        track.charset = track.charset or charset
        self._touch(track_id, track, time)
        return track

    def _touch(self, track_id: Hashable, track: _Track, time: float) -> None:
        track.time = max(track.time, time)
        self._tracks.move_to_end(track_id)

    def _evict(self) -> Sequence[tuple[Hashable, _Track]]:
        surplus = max(len(self._tracks) - self._max_tracks, 0)
        return [self._tracks.popitem(last=False) for _ in range(surplus)]

    def _add(self, track_id: Hashable, track: _Track, packed: PackedRead) -> TrackEvent | None:
        if track.settled:  # by another thread, while this crop was read
            return None
        track.given += 1
        if not track.add(packed, self._max_reads):
            return None
        answer = track.vote()
        kind = self._kind(track, answer)
        if kind is None:
            return None
        track.announced = True
        track.text, track.probability = answer.text, answer.probability
        track.second = _second(answer.conflict)
        if kind == "final":
            track.settled = True
            track.reads.clear()
        return TrackEvent(kind, track_id, track.time, answer, track.given)

    def _kind(self, track: _Track, answer: PlateVote) -> Literal["new", "updated", "final"] | None:
        if self._stop_at is not None and track.is_sure(answer, self._stop_at):
            return "final"
        if not track.announced:
            return "new" if answer.text else None
        moved = abs(answer.probability - track.probability) >= UPDATE_STEP
        changed = answer.text != track.text or _second(answer.conflict) != track.second
        return "updated" if moved or changed else None


def _second(conflict: Conflict | None) -> str:
    return "" if conflict is None else conflict.text


def _check_hashable(track_id: Hashable) -> None:
    try:
        hash(track_id)
    except TypeError:
        raise TypeError(
            f"track_id: expected a hashable value such as a number or a text, got {type(track_id).__name__}"
        ) from None


def _final(track_id: Hashable, track: _Track) -> TrackEvent:
    return TrackEvent("final", track_id, track.time, track.vote(), track.given)
