"""Two vehicles in one track: when the vote notices it, and when there is nothing to notice."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from test_vote import clear_read, random_reads

from lprfast import Conflict, PlateRead, PlateVote, TrackVoter, read_from_text, vote
from lprfast._conflict import apart, edits
from lprfast._ranking import NOT_READ, different_looks, vote_best_first

FIRST, SECOND = "AB12CD", "XY89ZW"


def several(text: str, count: int, seed: int, sure: float = 0.97) -> list[PlateRead]:
    """Reads of different pictures."""
    return [clear_read(text, 100 * seed + index, sure) for index in range(count)]


def test_edits_by_hand() -> None:
    assert edits("", "ABC") == 3
    assert edits("ABC", "ABC") == 0
    assert edits("AC", "ABC") == 1
    assert edits("KITTEN", "SITTING") == 3
    assert edits("BC", "ABCD", within=True) == 0
    assert edits("BXD", "ABCDE", within=True) == 1
    assert edits("XYZ", "ABCDE", within=True) == 3


@pytest.mark.parametrize(
    ("left", "right", "far"),
    [
        ("AB12CD", "AB12CD", False),
        ("AB12CD", "AB1XYZ", False),  # 3 of 6 is no more than half
        ("AB12CD", "ABXXYZ", True),
        ("AB12CDE", "AB1", False),  # 4 of 7, but cut out of it
        ("AB12CDE", "2CDE", False),
        ("AB12CDE", "XY34", True),
        ("AB12CD", "", False),
        ("B12CD", "AB12CD", False),
    ],
)
def test_texts_apart(left: str, right: str, far: bool) -> None:
    assert apart(left, right) is far
    assert apart(right, left) is far


def test_two_plates_of_two_pictures_each() -> None:
    reads = [*several(FIRST, 3, 1), *several(SECOND, 2, 2)]
    answer = vote(reads)
    assert answer.text == FIRST
    assert answer.conflict is not None
    assert (answer.conflict.text, answer.conflict.indices) == (SECOND, (3, 4))
    assert answer.conflict.share == pytest.approx(sum(c.weight for c in answer.contributions[3:]))
    assert answer.conflict.probability == vote(reads[3:]).probability
    plain = answer.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["conflict"] == answer.conflict.to_dict()
    # The order of the reads changes their places only.
    turned = vote(reads[::-1])
    assert turned.text == FIRST
    assert turned.conflict == replace(answer.conflict, indices=(0, 1))


def test_one_very_sure_read_is_enough_and_a_sure_one_is_not() -> None:
    very = clear_read(SECOND, 9, 0.999)
    assert very.confidence > 0.98
    assert vote([*several(FIRST, 3, 1), very]).conflict is not None
    assert vote([*several(FIRST, 3, 1), clear_read(SECOND, 9, 0.99)]).conflict is None


def test_copies_are_one_picture() -> None:
    copy = clear_read(SECOND, 9, 0.97)
    assert vote([*several(FIRST, 3, 1), *[copy] * 5]).conflict is None
    unsigned = replace(copy, signature=None)
    assert vote([*several(FIRST, 3, 1), *[unsigned] * 5]).conflict is None
    bare = read_from_text(SECOND, [0.97] * 6)
    assert vote([*several(FIRST, 3, 1), *[bare] * 5]).conflict is None
    # Of another reader's 1.0 two looks are needed as well.
    assert vote([*several(FIRST, 3, 1), read_from_text(SECOND, [1.0] * 6)]).conflict is None


def test_reads_made_elsewhere_can_show_it() -> None:
    reads = [read_from_text(text, [sure] * 6) for text in (FIRST, SECOND) for sure in (0.99, 0.98, 0.97)]
    conflict = vote(reads).conflict
    assert conflict is not None
    assert conflict.text in (FIRST, SECOND)


def test_what_is_no_second_plate() -> None:
    good = several(FIRST, 3, 1)
    assert vote(good).conflict is None
    # One character wrong, an end cut off, half cut off: the same plate.
    for text in ("A812CD", "AB12C", "B12CD", "AB12", "12CD"):
        assert vote([*good, *several(text, 2, 3)]).conflict is None, text
    # Two or three characters are no plate.
    assert vote([*good, *several("XYZ", 2, 3)]).conflict is None
    # Unsure reads, each of something else: garbage.
    garbage = [clear_read(text, 50 + n, 0.8) for n, text in enumerate(("XY89ZW", "QQ77PP", "MM00LL", "7777"))]
    assert vote([*good, *garbage]).conflict is None
    # Twice the same garbage, unsure.
    assert vote([*good, *several(SECOND, 2, 3, 0.7)]).conflict is None
    # A second plate beside a vote that is itself unsure says only that nobody knows.
    assert vote([*several(SECOND, 1, 3, 0.75), *several(FIRST, 1, 1, 0.8)]).conflict is None


def test_noisy_reads_of_one_plate_raise_no_alarm() -> None:
    random = np.random.default_rng(81)
    for _ in range(60):
        assert vote(random_reads(random, int(random.integers(2, 12)))).conflict is None


def test_other_rules_notice_it_too() -> None:
    reads = [*several(FIRST, 3, 1), *several(SECOND, 2, 2)]
    for rule in ("best", "majority", "rover"):
        conflict = vote(reads, rule).conflict  # type: ignore[arg-type]
        assert conflict is not None
        assert conflict.text == SECOND


def test_reading_best_first_goes_on_at_a_second_plate() -> None:
    crops = [clear_read(FIRST, seed) for seed in range(8)]
    conflict = Conflict(SECOND, 0.9, 0.5, (1,))

    def read_until(gone_after: int) -> list[int]:
        def voted(reads: list[PlateRead]) -> PlateVote:
            second = conflict if len(reads) < gone_after else None
            return replace(vote(reads), probability=0.99, effective_reads=1.5, conflict=second)

        order = [6, 3, 1, 5, 0, 2, 4, 7]
        answer = vote_best_first(8, order, lambda some: [crops[index] for index in some], voted, 0.9)
        return [one.index for one in answer.contributions if one.reason != NOT_READ]

    assert read_until(gone_after=2) == [3, 6]
    assert read_until(gone_after=4) == [1, 3, 5, 6]
    assert read_until(gone_after=9) == list(range(8))


def test_a_stream_tells_and_does_not_settle() -> None:
    voter = TrackVoter(stop_at=0.2)
    reads = [*several(FIRST, 2, 1), *several(SECOND, 3, 2), *several(FIRST, 1, 3)]
    events = [event for time, read in enumerate(reads) for event in voter.update(1, read, time)]
    first = next(event for event in events if event.vote.conflict)
    assert (first.kind, first.reads) == ("updated", 4)
    conflict = first.vote.conflict
    assert conflict is not None
    assert {conflict.text, first.vote.text} == {FIRST, SECOND}
    assert first.to_dict()["vote"]["conflict"]["text"] == conflict.text
    assert all(event.kind != "final" for event in events)
    (final,) = voter.finish(1)
    assert final.vote.conflict is not None


def test_different_looks() -> None:
    signed = clear_read(FIRST, 1)
    bare, surer = read_from_text(FIRST, [0.9] * 6), read_from_text(FIRST, [0.95] * 6)
    unsigned = replace(signed, signature=None)
    other = replace(clear_read(FIRST, 2, 0.8), signature=None)
    reads = [signed, signed, bare, bare, surer, unsigned, other, unsigned]
    assert different_looks(reads) == [signed, signed, bare, surer, unsigned, other]
    assert different_looks([]) == []
