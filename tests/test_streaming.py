"""TrackVoter: its events, what a track holds, many tracks and threads; and reading a track best first."""

from __future__ import annotations

import json
import math
import pickle
import sys
import threading
import tracemalloc
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy_model import crop_of_text, model_bytes

import lprfast
from lprfast import PlateRead, PlateReader, TrackEvent, TrackVoter, _ranking, read_from_text, streaming
from lprfast._packed import TOP, pack, unpack
from lprfast.results import Contribution, PlateVote

CHARSET = ("", *"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
STEPS = 32
NO_PLATE = PlateRead(status="no_plate")


def picture(level: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The signature of an even crop: two of them differ by the difference of their levels."""
    return np.full(64, level, dtype=np.uint8)


def read_of(
    text: str, level: int | None = None, sure: float = 0.9, width: int = 128, **changes: Any
) -> PlateRead:
    """A read whose odd steps spell the text, each with probability ``sure``; the rest is shared evenly."""
    probabilities = np.full((STEPS, len(CHARSET)), 0.001 / 36)
    probabilities[:, 0] = 0.999
    for index, symbol in enumerate(text):
        probabilities[2 * index + 1] = (1 - sure) / 36
        probabilities[2 * index + 1, CHARSET.index(symbol)] = sure
    values: dict[str, Any] = {
        "text": text,
        "confidence": sure ** len(text),
        "char_confidences": (sure,) * len(text),
        "width": width,
        "charset": CHARSET,
        "log_posteriors": np.log(probabilities).astype(np.float16),
        "signature": None if level is None else picture(level),
    }
    return PlateRead(**{**values, **changes})


def kinds(events: list[TrackEvent]) -> list[tuple[str, object]]:
    return [(event.kind, event.track_id) for event in events]


# Events.


def test_new_then_updated_then_final() -> None:
    voter = TrackVoter()
    assert voter.update(7, NO_PLATE, 1.0) == []
    (new,) = voter.update(7, read_from_text("AB12", confidence=0.6), 1.5)
    # One read alone keeps its own figures.
    assert (new.kind, new.track_id, new.time, new.reads) == ("new", 7, 1.5, 2)
    assert (new.vote.text, new.vote.probability) == ("AB12", 0.6)
    (updated,) = voter.update(7, read_from_text("AB12", confidence=0.9), 1.75)
    assert (updated.kind, updated.time, updated.reads) == ("updated", 1.75, 3)
    assert updated.vote.probability > 0.65
    assert updated.vote.effective_reads == pytest.approx(2 / 1.55)
    (final,) = voter.finish(7)
    assert (final.kind, final.time, final.reads) == ("final", 1.75, 3)
    assert final.vote == updated.vote
    assert final.vote.contributions[0].reason == "no text was seen"
    assert voter.finish(7) == []
    assert len(voter) == 0


def test_updated_only_when_the_probability_moves_by_the_step_or_the_text_changes() -> None:
    voter = TrackVoter(max_reads_per_track=1)  # so that each vote is the read's own figures
    steps = [(0.50, "new"), (0.54, None), (0.549, None), (0.56, "updated"), (0.60, None), (0.62, "updated")]
    for time, (confidence, kind) in enumerate(steps):
        events = voter.update("a", read_from_text("AB12", confidence=confidence), time)
        assert [event.kind for event in events] == ([] if kind is None else [kind])
    (event,) = voter.update("a", read_from_text("AB17", confidence=0.63), 9.0)
    assert (event.kind, event.vote.text, event.vote.probability) == ("updated", "AB17", 0.63)


def test_a_track_without_a_text_is_final_without_one() -> None:
    voter = TrackVoter()
    assert voter.update(1, PlateRead(status="error", error="too dark"), 0.0) == []
    assert voter.update(2, NO_PLATE, 0.0) == []
    (first,), (second,) = voter.finish(1), voter.finish(2)
    assert (first.vote.status, first.vote.text, first.reads) == ("error", "", 1)
    assert first.vote.contributions[0].reason == "error: too dark"
    assert second.vote.status == "no_plate"


def test_expire_counts_from_the_latest_update() -> None:
    voter = TrackVoter(expire_after=2.0)
    voter.update("a", read_from_text("AAA"), 10.0)
    voter.update("b", read_from_text("BBB"), 10.5)
    voter.update("a", read_from_text("AAA"), 11.0)
    assert voter.expire(12.25) == []
    assert kinds(voter.expire(12.5)) == [("final", "b")]
    assert voter.expire(5.0) == []
    (final,) = voter.expire(1e9)
    assert (final.track_id, final.time, final.vote.text) == ("a", 11.0, "AAA")
    # The same name again is a new track.
    assert kinds(voter.update("a", read_from_text("CCC"), 12.0)) == [("new", "a")]


def test_the_track_longest_without_an_update_goes() -> None:
    voter = TrackVoter(max_tracks=2)
    voter.update("a", read_from_text("AAA"), 1.0)
    voter.update("b", read_from_text("BBB"), 2.0)
    voter.update("a", read_from_text("AAA"), 3.0)
    final, new = voter.update("c", read_from_text("CCC"), 4.0)
    assert kinds([final, new]) == [("final", "b"), ("new", "c")]
    assert (final.time, final.vote.text, final.reads) == (2.0, "BBB", 1)
    assert len(voter) == 2


def test_events_go_into_json_and_are_frozen() -> None:
    (event,) = TrackVoter().update("a", read_of("AB12"), 1.0)
    plain = event.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["schema_version"], plain["kind"], plain["track_id"], plain["time"]) == (1, "new", "a", 1.0)
    assert plain["vote"]["text"] == "AB12"
    with pytest.raises(AttributeError):
        event.kind = "final"  # type: ignore[misc]


# Final by its probability.


def test_one_early_read_is_never_final_however_sure() -> None:
    voter = TrackVoter(stop_at=0.5)
    sure = read_of("AB12", 10, sure=0.9999)
    assert kinds(voter.update(1, sure, 0.0)) == [("new", 1)]
    for time in range(1, 10):  # copies are no evidence
        assert voter.update(1, sure, time) == []


def test_final_at_the_fourth_different_read() -> None:
    # Equal reads of different pictures: 2 / 1.55 = 1.29, 3 / 2.1 = 1.43, 4 / 2.65 = 1.51 independent ones.
    voter = TrackVoter(stop_at=0.9)
    events = [voter.update(1, read_of("AB12", 10 * index, sure=0.99), index) for index in range(4)]
    assert [[event.kind for event in some] for some in events] == [["new"], [], [], ["final"]]
    final = events[3][0]
    assert final.vote.effective_reads == pytest.approx(4 / 2.65)
    assert (final.vote.text, final.reads) == ("AB12", 4)
    # Final once: nothing more is said, whatever comes.
    assert voter.update(1, read_of("ZZ99", 90), 5.0) == []
    assert voter.expire(6.9) == []
    assert len(voter) == 1
    assert voter.expire(7.0) == []
    assert len(voter) == 0
    assert kinds(voter.update(1, read_of("ZZ99", 90), 8.0)) == [("new", 1)]


def test_finish_and_eviction_say_nothing_of_a_settled_track() -> None:
    voter = TrackVoter(stop_at=0.9, max_tracks=1)
    for track_id in (1, 2):
        events = [voter.update(track_id, read_of("AB12", 10 * index, sure=0.99), index) for index in range(4)]
        assert kinds(events[0]) == [("new", track_id)]  # 2 pushes 1 out without a word
        assert kinds(events[3]) == [("final", track_id)]
    assert voter.finish(2) == []
    assert len(voter) == 0


def test_evidence_without_probability_is_not_final() -> None:
    voter = TrackVoter(stop_at=0.999)
    for index in range(8):
        events = voter.update(1, read_of("AB12", 10 * index, sure=0.5), index)
        assert all(event.kind != "final" for event in events)
    assert kinds(voter.finish(1)) == [("final", 1)]


class CountingReader:
    """Answers from a list; knows how many crops it was asked to read."""

    def __init__(self, answer: Callable[[], PlateRead]) -> None:
        self.answer, self.count = answer, 0

    def read(self, crop: object) -> PlateRead:
        self.count += 1
        return self.answer()


def test_crops_of_a_settled_track_are_not_read() -> None:
    levels = iter(range(0, 250, 10))
    reader = CountingReader(lambda: read_of("AB12", next(levels), sure=0.99))
    voter = TrackVoter(reader, stop_at=0.9)  # type: ignore[arg-type]
    events = [event for time in range(10) for event in voter.update(1, np.zeros((32, 128), np.uint8), time)]
    assert [event.kind for event in events] == ["new", "final"]
    assert reader.count == 4


def test_crops_are_read() -> None:
    voter = TrackVoter(PlateReader(model_bytes(), threads=1))
    (event,) = voter.update(1, crop_of_text("AB12"), 0.0)
    assert (event.vote.text, event.vote.status) == ("AB12", "ok")
    assert voter.update(1, np.zeros((0, 4), np.uint8), 0.1) == []  # costs only itself
    (final,) = voter.finish(1)
    assert (final.vote.text, final.reads) == ("AB12", 2)
    assert not final.vote.contributions[1].used


# What a track holds.


def texts_held(voter: TrackVoter, track_id: object) -> list[str]:
    (final,) = voter.finish(track_id)  # type: ignore[arg-type]
    return [contribution.text for contribution in final.vote.contributions]


def test_the_least_useful_read_goes() -> None:
    # Width / 128 times the fourth root of the confidence: AAA 1/4, BBB 1, CCC 1/2 * 0.0625 ** 0.25 = 1/4.
    voter = TrackVoter(max_reads_per_track=2)
    voter.update(1, read_from_text("AAA", confidence=1.0, width=32), 0.0)
    voter.update(1, read_from_text("BBB", confidence=1.0, width=128), 1.0)
    voter.update(1, read_from_text("CCC", confidence=0.0625, width=64), 2.0)
    assert texts_held(voter, 1) == ["BBB", "CCC"]  # of two equal ones the older goes


def test_the_newest_goes_only_by_merit() -> None:
    voter = TrackVoter(max_reads_per_track=2)
    for text, width in (("AAA", 100), ("BBB", 100), ("CCC", 99), ("DDD", 100)):
        voter.update(1, read_from_text(text, confidence=0.9, width=width), 0.0)
    assert texts_held(voter, 1) == ["BBB", "DDD"]


def test_near_duplicates_go_first() -> None:
    # BBB is a copy of AAA, less wide; CCC, narrow and unsure, is another picture and stays.
    voter = TrackVoter(max_reads_per_track=2)
    voter.update(1, read_of("AAA", 50), 0.0)
    voter.update(1, read_of("CCC", 90, width=16, sure=0.5), 1.0)
    voter.update(1, read_of("BBB", 51, width=120), 2.0)
    assert texts_held(voter, 1) == ["AAA", "CCC"]


def test_reads_without_a_text_go_before_all_others() -> None:
    voter = TrackVoter(max_reads_per_track=2)
    for read in (read_from_text("AAA", width=16, confidence=0.1), NO_PLATE, NO_PLATE, read_from_text("BBB")):
        voter.update(1, read, 0.0)
    assert texts_held(voter, 1) == ["AAA", "BBB"]


def test_copies_lose_their_value_in_order() -> None:
    # Distances: 0 to 1: 1 (the same), 0 to 2: 2 (half), 1 to 2: 1 (the same), 3 is unknown, 4 far away.
    signatures = [bytes([level] * 64) for level in (10, 11, 12)] + [None, bytes([99] * 64)]
    assert _ranking.without_copies([0.5, 0.6, 0.4, 0.3, 0.2], signatures) == [0.0, 0.6, 0.0, 0.3, 0.2]
    assert _ranking.without_copies([0.6, 0.6], signatures[0:3:2]) == pytest.approx([0.6, 0.3])
    assert _ranking.without_copies([], []) == []


def test_copies_are_late_however_many_there_are() -> None:
    copies = [bytes([100] * 64)] * 150
    others = [bytes([10 * level] * 64) for level in range(5)]
    order = _ranking.best_first([1.0] * 150 + [0.9] * 5, copies + others)
    assert order == [0, *range(150, 155), *range(1, 150)]
    # Of 101 different pictures 100 are compared with: a copy of the last one alone is not known as such.
    pictures = [bytes([index] * 32 + [(5 * index) % 256] * 32) for index in range(0, 202, 2)]
    reduced = _ranking.without_copies([1.0] * 103, [*pictures, pictures[99], pictures[100]])
    assert reduced == [1.0] * 101 + [0.0, 1.0]


def test_ten_thousand_reads_in_one_track(monkeypatch: pytest.MonkeyPatch) -> None:
    voted: list[int] = []

    def counting(reads: list[PlateRead], times: list[float], **_: object) -> lprfast.PlateVote:
        voted.append(len(reads))
        return lprfast.vote(reads, times=times)

    monkeypatch.setattr(streaming, "vote", counting)
    voter = TrackVoter(max_reads_per_track=4)
    reads = [read_of("AB12", level, sure=0.8) for level in (10, 20, 30, 40, 50)]
    for index in range(10_000):  # the fifth is another picture now and then, the others are copies of four
        voter.update(1, reads[4 if index % 1000 == 999 else index % 4], index)
    (final,) = voter.finish(1)
    assert final.reads == 10_000
    assert len(final.vote.contributions) == 4
    # 4 to fill the track; each time the fifth comes, the oldest goes, comes again, and so on round once: 5
    # votes, but 1 the tenth time, which is the end; and the final vote. All other reads bring nothing new.
    assert len(voted) == 4 + 9 * 5 + 1 + 1
    assert max(voted) == 4


# Packed reads.


def test_packing_keeps_the_best_classes_and_shares_the_rest() -> None:
    charset = ("", *"ABCDE")
    probabilities = np.array([[0.5, 0.2, 0.01, 0.1, 0.03, 0.16], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]])
    with np.errstate(divide="ignore"):
        values = np.log(probabilities).astype(np.float16)
    packed = pack(PlateRead(text="AB", confidence=0.5, charset=charset, log_posteriors=values))
    assert TOP == 4
    assert list(packed.classes) == [0, 1, 5, 3, 2, 0, 1, 3]
    assert len(packed.log_posteriors) == 2 * 5 * 2  # two steps, four classes and the rest, float16
    again = unpack(packed, charset).log_posteriors
    assert again is not None
    assert again.dtype == np.float16
    np.testing.assert_array_equal(again[0, [0, 1, 3, 5]], values[0, [0, 1, 3, 5]])
    np.testing.assert_allclose(np.exp(again[0, [2, 4]].astype(float)), 0.02, rtol=2e-3)  # (0.01 + 0.03) / 2
    assert again[1, 2] == 0
    assert again[1, [4, 5]].max() < -60


def test_packing_a_small_and_a_large_charset() -> None:
    for count, size in ((2, 1), (4, 1), (256, 1), (257, 2)):
        charset = ("", *(chr(0x4E00 + index) for index in range(count - 1)))
        values = np.log(np.random.default_rng(1).dirichlet(np.ones(count), 3)).astype(np.float16)
        packed = pack(PlateRead(text=charset[1], charset=charset, log_posteriors=values))
        assert len(packed.classes) == 3 * min(count, 4) * size
        again = unpack(packed, charset).log_posteriors
        assert again is not None
        top = np.argsort(-values, axis=1, kind="stable")[:, :TOP]
        np.testing.assert_array_equal(
            np.take_along_axis(again, top, axis=1), np.take_along_axis(values, top, axis=1)
        )
        np.testing.assert_allclose(np.exp(again.astype(float)).sum(axis=1), 1, atol=2e-3)


def test_packing_keeps_what_the_vote_needs() -> None:
    reader = PlateReader(model_bytes(), threads=1)
    for read in reader.read_many([crop_of_text("AB12"), crop_of_text("7XK")], nbest=3):
        again = unpack(pack(read), read.charset)
        left_out = {"log_posteriors", "signature", "time_steps", "upscaled"}  # as the docstring says
        for name in {field.name for field in fields(read)} - left_out:
            assert getattr(again, name) == getattr(read, name), name
        np.testing.assert_array_equal(again.signature, read.signature)
        packed_vote, full_vote = lprfast.vote([again]), lprfast.vote([read])
        assert packed_vote.text == full_vote.text
        assert packed_vote.probability == full_vote.probability
        assert packed_vote.char_confidences == full_vote.char_confidences
        assert packed_vote.runners_up == full_vote.runners_up


def test_packed_reads_vote_as_the_full_ones() -> None:
    reads = [read_of("AB12", 10, 0.7), read_of("AB17", 30, 0.4), read_of("A812", 50, 0.6)]
    full = lprfast.vote(reads)
    packed = lprfast.vote([unpack(pack(read), CHARSET) for read in reads])
    assert packed.text == full.text == "AB12"
    assert packed.probability == pytest.approx(full.probability, abs=2e-3)


def test_packed_reads_vote_as_the_full_ones_on_the_demo_tracks() -> None:
    reader = PlateReader(threads=1)
    folders = sorted((Path(lprfast.__file__).parent / "demo_tracks").glob("vehicle*"))
    assert folders
    for folder in folders:
        reads = reader.read_many([lprfast.load_image(path) for path in sorted(folder.glob("*.png"))])
        packed = [unpack(pack(read), read.charset) for read in reads]
        for count in (1, 2, 8):
            full, small = lprfast.vote(reads[:count]), lprfast.vote(packed[:count])
            assert (small.text, small.status) == (full.text, full.status)
            assert small.probability == pytest.approx(full.probability, abs=0.005)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"log_posteriors": np.full((STEPS, 37), np.nan, np.float16)}, "NaN"),
        ({"log_posteriors": np.zeros((STEPS, 36), np.float16)}, "shape"),
        ({"log_posteriors": np.zeros((513, 37), np.float16)}, "shape"),
        ({"log_posteriors": np.zeros((STEPS, 37), np.float32)}, "float16"),
        ({"charset": None}, "charset"),
        ({"text": "A" * 65}, "65 characters"),
        ({"text": "äB12"}, "symbols that its charset lacks: ä"),
        ({"confidence": math.nan}, "confidence: expected a number from 0 to 1, got nan"),
        ({"confidence": 1.5}, "confidence: expected a number from 0 to 1, got 1.5"),
        ({"confidence": None}, "confidence: expected a number from 0 to 1, got None"),
    ],
)
def test_a_read_that_cannot_vote_says_why(changes: dict[str, Any], reason: str) -> None:
    voter = TrackVoter()
    assert voter.update(1, replace(read_of("AB12"), **changes), 0.0) == []
    (event,) = voter.update(1, read_of("AB17"), 1.0)
    first = event.vote.contributions[0]
    assert not first.used
    assert reason in str(first.reason)
    assert event.vote.text == "AB17"


@pytest.mark.parametrize("changes", [{"text": "äB12"}, {"confidence": math.nan}, {"confidence": 1.5}])
def test_reads_that_cannot_vote_push_no_good_one_out(changes: dict[str, Any]) -> None:
    voter = TrackVoter(max_reads_per_track=2)
    for level in (50, 90):
        voter.update(1, read_of("AB12", level, width=60), 0.0)
    for level in range(100, 200, 10):
        voter.update(1, replace(read_of("AB12", level), **changes), 1.0)
    (final,) = voter.finish(1)
    assert (final.vote.text, final.vote.status) == ("AB12", "ok")
    assert [one.used for one in final.vote.contributions] == [True, True]


def test_a_charset_with_a_symbol_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="each symbol once in its charset, got 'A' twice"):
        TrackVoter().update(1, read_of("AB12", charset=(*CHARSET[:-1], "A")), 0.0)


# Memory.


def size_of(value: object, seen: set[int]) -> int:
    """Bytes of a value and of all that it holds, each object once."""
    if id(value) in seen or value is None or isinstance(value, type):
        return 0
    seen.add(id(value))
    size = sys.getsizeof(value)
    if is_dataclass(value):
        return size + sum(size_of(getattr(value, f.name), seen) for f in fields(value))
    if isinstance(value, dict):
        return size + sum(size_of(key, seen) + size_of(item, seen) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return size + sum(size_of(item, seen) for item in value)
    assert isinstance(value, (str, bytes, int, float)), type(value)
    return size


def test_memory_of_full_tracks_is_what_the_docs_say() -> None:
    # docs/streaming.md: at most 1,200 bytes for a read of 32 steps and up to 10 characters, 600 for a track.
    voter = TrackVoter(max_reads_per_track=16)
    random = np.random.default_rng(0)
    for track_id in range(4):
        for index in range(40):
            read = read_of("AB12CD34EF", None, float(random.uniform(0.3, 0.9)))
            signature = random.integers(0, 256, 64).astype(np.uint8)
            changes: dict[str, Any] = {
                "runners_up": tuple("8812CD34EF"),
                "runner_up_confidences": (0.05,) * 10,
                "raw_confidence": 0.123,
            }
            voter.update(track_id, replace(read, signature=signature, **changes), index)
    seen: set[int] = set()
    size_of(voter._tracks[0].charset, seen)  # one for all tracks
    reads = [read for track in voter._tracks.values() for read in track.reads]
    assert len(reads) == 4 * 16
    assert max(size_of(read, set()) for read in reads) <= 1200
    assert size_of(voter._tracks, seen) <= 4 * (16 * 1200 + 600)
    # Dense log-posteriors alone would be 32 * 37 * 2 bytes; 448 are kept.
    assert all(
        len(read.classes) + len(read.log_posteriors) == STEPS * (TOP + 2 * (TOP + 1)) for read in reads
    )


def test_a_hundred_thousand_live_tracks(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = lprfast.vote([])
    # Voting 200,000 times is not the question, nor packing as often.
    monkeypatch.setattr(streaming, "vote", lambda reads, **_: answer)
    read = read_of("AB12", 50)
    packed = pack(read)
    monkeypatch.setattr(streaming, "pack", lambda *_: packed)
    count, traced = 100_000, 1000
    voter = TrackVoter(max_tracks=count)
    try:
        for track_id in range(count):
            if track_id == count - traced:  # of the last ones all that is held, anywhere: tracing is slow
                tracemalloc.start()
            assert voter.update(track_id, read, track_id * 0.001) == []
        held, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(voter) == count
    # 600 bytes for a track, as the docs say, when its reads are shared; and nothing that grows beside them.
    assert 200 * traced < held < 600 * traced
    assert most < 700 * traced
    shared: set[int] = set()
    size_of([packed, voter._tracks[0].charset], shared)
    each = {size_of(voter._tracks[track_id], set(shared)) for track_id in range(0, count, 1000)}
    assert sys.getsizeof(voter._tracks) + count * max(each) < 600 * count
    assert all(track.reads == [packed] for track in voter._tracks.values())
    assert kinds(voter.update(count, NO_PLATE, 200.0)) == [("final", 0)]
    assert len(voter) == count
    assert kinds(voter.expire(2.003)) == [("final", 1), ("final", 2), ("final", 3)]
    assert len(voter.expire(1000.0)) == count - 3
    assert len(voter) == 0


# Bad input.


def test_times_may_run_backwards() -> None:
    voter = TrackVoter(expire_after=1.0)
    voter.update(1, read_from_text("AAA"), 5.0)
    voter.update(1, read_from_text("AAA"), 3.0)
    assert voter.expire(5.5) == []
    (final,) = voter.expire(6.0)
    assert (final.time, final.reads) == (5.0, 2)


@pytest.mark.parametrize("time", [math.nan, math.inf, -math.inf, 10**400])
def test_times_that_are_none(time: float) -> None:
    voter = TrackVoter()
    voter.update(1, read_from_text("AAA"), 0.0)
    with pytest.raises(ValueError, match="time: expected a finite number"):
        voter.update(1, read_from_text("BBB"), time)
    with pytest.raises(ValueError, match="now: expected a finite number"):
        voter.expire(time)
    assert texts_held(voter, 1) == ["AAA"]


def test_reads_of_another_charset_leave_the_track_as_it_was() -> None:
    voter = TrackVoter(max_tracks=1)
    voter.update(1, read_of("AB12"), 0.0)
    other = (*CHARSET[:-1], "!")
    with pytest.raises(ValueError, match="track_id 1: the charset of this read differs"):
        voter.update(1, read_of("AB12", charset=other), 9.0)
    with pytest.raises(ValueError, match="one blank"):
        voter.update(2, read_of("AB12", charset=("A", *CHARSET[1:])), 9.0)
    assert len(voter) == 1
    (final,) = voter.finish(1)
    assert (final.time, final.reads, final.vote.text) == (0.0, 1, "AB12")
    assert kinds(voter.update(1, read_of("AB12", charset=other), 9.0)) == [("new", 1)]  # a track of its own


def test_arguments_of_another_kind() -> None:
    voter = TrackVoter()
    for call in (lambda: voter.update([], NO_PLATE, 0.0), lambda: voter.finish([])):  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="track_id: expected a hashable value"):
            call()
    with pytest.raises(TypeError, match="time: expected a number, got '1'"):
        voter.update(1, NO_PLATE, "1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="this TrackVoter has no reader"):
        voter.update(1, np.zeros((32, 128), np.uint8), 0.0)
    assert len(voter) == 0


@pytest.mark.parametrize(
    ("argument", "value", "error"),
    [
        ("reader", "default", TypeError),
        ("max_tracks", 0, ValueError),
        ("max_tracks", 1.5, TypeError),
        ("max_reads_per_track", 0, ValueError),
        ("max_reads_per_track", 101, ValueError),
        ("expire_after", -1.0, ValueError),
        ("expire_after", math.nan, ValueError),
        ("stop_at", 0.0, ValueError),
        ("stop_at", 1.01, ValueError),
        ("stop_at", "0.9", TypeError),
    ],
)
def test_arguments_out_of_range(argument: str, value: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=argument):
        TrackVoter(**{argument: value})


# Threads.


def run_in_threads(*targets: Callable[[], object]) -> None:
    failures: list[BaseException] = []

    def guarded(target: Callable[[], object]) -> None:
        try:
            target()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=guarded, args=(target,), daemon=True) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "deadlock"
    assert not failures, failures


def test_two_threads_read_for_one_track_at_once() -> None:
    both = threading.Barrier(2)

    def answer() -> PlateRead:
        both.wait(30)  # breaks unless both are in here: the voter's lock is not held while a crop is read
        return read_from_text("AB12")

    voter = TrackVoter(CountingReader(answer))  # type: ignore[arg-type]
    crop = np.zeros((32, 128), np.uint8)
    run_in_threads(*[lambda: voter.update(1, crop, 0.0)] * 2)
    (final,) = voter.finish(1)
    assert (final.reads, final.vote.text) == (2, "AB12")


def test_many_threads_lose_and_repeat_nothing() -> None:
    voter = TrackVoter(max_tracks=3, max_reads_per_track=2, expire_after=50.0)
    events: list[TrackEvent] = []

    def work(seed: int) -> Callable[[], None]:
        def updates() -> None:
            for step in range(60):
                events.extend(voter.update((seed + step) % 5, read_from_text("AB12"), step))
                if step % 20 == 19:
                    events.extend(voter.expire(step))
                    events.extend(voter.finish(seed))

        return updates

    run_in_threads(*[work(seed) for seed in range(4)])
    events.extend(voter.expire(1e6))
    finals = [event for event in events if event.kind == "final"]
    assert sum(event.reads for event in finals) == 4 * 60  # each read is in one final
    assert len(finals) == sum(event.kind == "new" for event in events)


# Best first.


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[PlateReader, list[int]]:
    reader, batches = PlateReader(model_bytes(), threads=1), []
    read = reader._read

    def counting(crops: list[Any], nbest: int) -> list[PlateRead]:
        batches.append(len(crops))
        return read(crops, nbest)

    monkeypatch.setattr(reader, "_read", counting)
    return reader, batches


TEXTS = ("AB12", "AB12", "ZB12", "AB17", "AB12", "AB12")


def test_stop_at_none_reads_all_in_one_go(counted: tuple[PlateReader, list[int]]) -> None:
    reader, batches = counted
    crops = [crop_of_text(text) for text in TEXTS]
    assert reader.read_track(crops, stop_at=None) == lprfast.vote(reader.read_many(crops))
    assert batches == [6, 6]


def shifted(text: str, columns: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The text after so many blank columns: another picture of the same plate."""
    return np.ascontiguousarray(np.roll(crop_of_text(text), columns, axis=1))


def test_reading_stops_at_the_probability(counted: tuple[PlateReader, list[int]]) -> None:
    reader, batches = counted
    crops = [shifted("AB12", 8 * index) for index in range(6)]
    vote = reader.read_track(crops, stop_at=0.9)
    assert batches == [2]
    assert (vote.text, vote.status) == ("AB12", "ok")
    assert vote.probability >= 0.9
    assert [contribution.index for contribution in vote.contributions] == list(range(6))
    assert [c.reason for c in vote.contributions if not c.used] == [_ranking.NOT_READ] * 4
    assert sum(contribution.weight for contribution in vote.contributions) == pytest.approx(1)


def test_copies_are_no_reason_to_stop(counted: tuple[PlateReader, list[int]]) -> None:
    reader, batches = counted
    crops = [crop_of_text("AB12")] * 4
    assert reader.read_track(crops, stop_at=0.5) == reader.read_track(crops)
    assert batches == [2, 2, 4]


def test_when_it_never_stops_the_answer_is_that_of_all(counted: tuple[PlateReader, list[int]]) -> None:
    reader, batches = counted
    crops: list[Any] = [crop_of_text(text) for text in TEXTS] + [np.zeros((0, 3), np.uint8)]
    assert reader.read_track(crops, stop_at=1.0) == reader.read_track(crops)
    assert batches == [2, 2, 2, 1, 7]


def test_the_best_crops_are_read_first(counted: tuple[PlateReader, list[int]]) -> None:
    reader, _ = counted
    blurred = crop_of_text("AB12") // 2 + 60  # a quarter of the variance: 0.71 of the value
    crops: list[Any] = [
        np.zeros((0, 3), np.uint8),  # cannot be used
        shifted("AB12", 8)[::2, ::2],  # half as wide: at most 0.5
        crop_of_text("AB12"),
        blurred,  # as wide, less sharp
        crop_of_text("AB12"),  # a copy
        "no crop",
    ]
    assert _ranking.best_first(*_ranking.first_looks(crops, reader.contract, "bgr")) == [2, 3, 1, 4, 0, 5]
    assert _ranking.first_looks(crops, reader.contract, "bgr")[0][2] == 1.0


def test_crop_values_by_hand() -> None:
    assert _ranking.crop_value(64, 81.0, 81.0) == 0.5
    assert _ranking.crop_value(300, 1.0, 16.0) == 0.5
    assert _ranking.crop_value(8, 0.0, 0.0) == 0.125
    assert _ranking.read_value(read_from_text("A", confidence=0.0625, width=64)) == 0.25
    assert _ranking.read_value(NO_PLATE) == 0.0
    unreadable = replace(read_of("AB12", width=128), status="unreadable", text="", confidence=0.0)
    assert _ranking.read_value(unreadable) == pytest.approx(math.exp(-2))


def test_no_crops_and_bad_arguments(counted: tuple[PlateReader, list[int]]) -> None:
    reader, batches = counted
    assert reader.read_track([], stop_at=0.9) == reader.read_track([])
    for bad in (0.0, 1.5, math.nan):
        with pytest.raises(ValueError, match="stop_at"):
            reader.read_track([], stop_at=bad)
    with pytest.raises(TypeError, match="stop_at"):
        reader.read_track([], stop_at="0.9")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="crops: expected a sequence"):
        reader.read_track(crop_of_text("A"), stop_at=0.9)
    for stop_at in (0.9, None):
        with pytest.raises(TypeError, match=r"crops: .* got dict; give its values in a list"):
            reader.read_track({0: crop_of_text("A")}, stop_at=stop_at)  # type: ignore[arg-type]
    assert sum(batches) == 0


def test_best_first_votes_seldom_on_many_crops() -> None:
    votes: list[int] = []

    def read(indices: list[int]) -> list[PlateRead]:
        return [read_of("AB12", index % 250, sure=0.5) for index in indices]

    def vote_some(reads: list[PlateRead]) -> PlateVote:
        votes.append(len(reads))
        made = tuple(Contribution(n, True, 0.0, 0.0, "AB12", True, None) for n in range(len(reads)))
        return PlateVote(text="AB12", probability=0.1, status="ok", contributions=made)

    answer = _ranking.vote_best_first(1000, range(1000), read, vote_some, 0.9)
    assert len(answer.contributions) == 1000
    assert votes[:4] == [0, 2, 4, 6]
    assert votes[-1] == 1000
    assert len(votes) < 40


# Times, copies without a signature, and what a vote of a stream can still be asked.


def test_contributions_have_the_times_of_their_reads() -> None:
    voter = TrackVoter(max_reads_per_track=2)
    for time, width in ((5.0, 40), (3.0, 100), (7.5, 90)):  # out of order, and the first is the one to go
        voter.update(1, read_from_text("AB12", width=width), time)
    (final,) = voter.finish(1)
    assert [one.time for one in final.vote.contributions] == [3.0, 7.5]
    assert final.time == 7.5


@pytest.mark.parametrize("with_posteriors", [False, True])
def test_copies_without_a_signature_never_settle_a_track(with_posteriors: bool) -> None:
    read = read_of("AB12", None, 0.99) if with_posteriors else read_from_text("AB12", [0.99] * 4)
    voter = TrackVoter(stop_at=0.5)
    events = [event for time in range(12) for event in voter.update(1, read, time)]
    assert "final" not in [event.kind for event in events]
    # Nor do they help to it, but neither do they keep those away that are told apart.
    looks = [voter.update(1, read_of("AB12", 10 * level, 0.99), 20.0 + level) for level in range(1, 15)]
    settled = [number for number, events in enumerate(looks, 1) for event in events if event.kind == "final"]
    assert len(settled) == 1
    assert settled[0] >= 4 - 1  # the copies are one look


def test_different_reads_made_elsewhere_settle_a_track() -> None:
    voter = TrackVoter(stop_at=0.5)
    events = [
        event
        for index in range(4)
        for event in voter.update(1, read_from_text("AB12", [0.99 - index / 100] * 4), index)
    ]
    assert (events[-1].kind, events[-1].reads) == ("final", 4)


def test_a_settled_track_that_was_pushed_out_begins_anew() -> None:
    # docs/streaming.md: to remember the names of all tracks that ever settled would take room without end.
    voter = TrackVoter(stop_at=0.9, max_tracks=1)
    reads = [read_of("AB12", 10 * index, sure=0.99) for index in range(4)]
    for _ in range(2):
        assert [event.kind for read in reads for event in voter.update(1, read, 0.0)] == ["new", "final"]
        assert voter.update(1, reads[0], 0.0) == []
        assert kinds(voter.update(2, read_from_text("ZZ99"), 1.0)) == [("new", 2)]
        assert kinds(voter.finish(2)) == [("final", 2)]


def test_votes_of_a_stream_match_as_others_and_hold_little() -> None:
    reads = [read_of("AB12", 10, 0.7), read_of("AB17", 30, 0.4), read_of("A812", 50, 0.6)]
    voter = TrackVoter()
    for time, read in enumerate(reads):
        voter.update(1, read, time)
    (final,) = voter.finish(1)
    texts = ["AB12", "AB17", "A812", "A817", "XY99"]
    full = lprfast.vote(reads).match(texts)
    for match, expected in zip(final.vote.match(texts), full, strict=True):
        assert match.text == expected.text
        assert match.probability == pytest.approx(expected.probability, abs=2e-3)
    assert final.vote.match(["AB12"])[0].probability == final.vote.probability
    assert len(final.vote.reads) == 3
    assert final.vote.reads[-1].text == "A812"
    assert [read.text for read in final.vote.reads[1:]] == ["AB17", "A812"]
    # The reads stay packed: 448 bytes of log-posteriors each in place of 2,368.
    assert len(pickle.dumps(final.vote)) < 3 * 1200 + 3500
    assert pickle.loads(pickle.dumps(final.vote)).match(texts) == final.vote.match(texts)
