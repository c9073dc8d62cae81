"""Rules of voting compared on the same reads, by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import lprfast
from lprfast.evaluation.vote_rules import Track, compare_rules, markdown, vote_all
from lprfast.voting import RULES
from training import compare_votes, duplicates, second_plates


def read(text: str, confidence: float) -> lprfast.PlateRead:
    return lprfast.read_from_text(text, confidence=confidence)


# Two vehicles on which the surest read and the majority disagree, and one on which all agree.
TRACKS = [
    Track("AB12", (read("AB12", 0.5), read("AB12", 0.5), read("XX99", 0.9))),
    Track("CD34", (read("CD35", 0.5), read("CD35", 0.5), read("CD34", 0.9))),
    Track("EF56", (read("EF56", 0.9),)),
]


def test_each_rule_votes_on_all_reads() -> None:
    assert vote_all(TRACKS, "best").right == (False, True, True)
    assert vote_all(TRACKS, "majority").right == (True, False, True)
    assert vote_all(TRACKS, "best").probability == pytest.approx((0.9, 0.9, 0.9))
    assert vote_all(TRACKS, "majority").probability == pytest.approx((2 / 3, 2 / 3, 1.0))


def test_texts_are_compared_as_prepared() -> None:
    tracks = [Track("AB12", (read("AB1Z", 0.9),))]
    assert vote_all(tracks, "best").right == (False,)
    assert vote_all(tracks, "best", lambda text: text.replace("Z", "2")).right == (True,)


def test_rows_count_tracks_with_enough_reads() -> None:
    rows = compare_rules(TRACKS, ["best", "fused"], reads=2)
    assert [row["n"] for row in rows] == [2, 2]
    assert rows[0]["p_against_fused"] is not None
    assert rows[1]["p_against_fused"] is None
    assert compare_rules(TRACKS, ["best"], reads=9) == []
    assert compare_rules(TRACKS, ["best"])[0]["right"] == pytest.approx(2 / 3)
    assert "| best | 3 | 0.667 |" in markdown("three", compare_rules(TRACKS, ["best"]))


def test_all_right_has_an_exact_interval() -> None:
    (row,) = compare_rules([TRACKS[2]] * 10, ["fused"])
    # 10 of 10, Clopper-Pearson: 0.025 ** (1 / 10).
    assert row["interval"] == pytest.approx([0.025**0.1, 1.0], abs=1e-3)


def test_fewer_reads_are_the_same_for_every_rule() -> None:
    reads = tuple(read(f"AB{n:02d}", 0.9) for n in range(20))
    tracks = [Track("AB07", reads)] * 400
    first, second = (vote_all(tracks, rule, reads=1) for rule in ("best", "majority"))
    assert first.right == second.right
    assert 5 <= sum(first.right) <= 40  # one in twenty


def test_the_command_draws_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "votes.json"
    given = ["default", "--mix", "equal", "--tracks", "3", "--counts", "2", "--threads", "1"]
    given += ["--stop-at", "0.01", "--open", "0.9", "--unweighed", "--out", str(out)]
    assert compare_votes.main(given) == 0
    written = json.loads(out.read_text(encoding="utf-8"))
    assert [row["below"] for row in written["open"]] == [0.9]
    found = written["equal"]
    assert [(row["rule"], row["n"]) for row in found["unweighed"]] == [("fused", 3)]
    assert [row["rule"] for row in found["all"]] == list(RULES)
    assert {row["n"] for row in found["2"]} == {3}
    everything, few = found["best_first"]
    assert everything["reads_saved"] == 0
    assert 0 <= few["reads_saved"] <= 0.6  # two of five at least are read
    assert "| fused | 3 |" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tracks", "0"], "--tracks: expected 1 or more, got 0"),
        (["--counts", "3", "0"], "--counts: expected 1 or more, got 0"),
        (["--reads", "none.npz"], "none.npz: cannot be opened"),
        (["--reads", "x.npz", "--mix", "wide"], "--reads excludes --mix"),
        (["--stop-at", "1.5"], "--stop-at: expected probabilities"),
        (["--open", "0.9", "2"], "--open: expected probabilities"),
        (["--out", "none/x.json"], "--out none/x.json: there is no such folder"),
        (["no-such-model"], "no-such-model"),
    ],
)
def test_bad_arguments_are_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare_votes.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_open_characters_by_hand() -> None:
    tracks = [
        Track("AB12", (lprfast.read_from_text("AB13", [0.99, 0.95, 0.8, 0.6]),)),  # a wrong one that is open
        Track("CD34", (lprfast.read_from_text("CO34", [0.7, 0.92, 0.99, 0.99]),)),  # one that is shown
        Track("EF56", (lprfast.read_from_text("EF567"),)),  # another length: takes no part
    ]
    votes = compare_votes.characters_of(tracks, str, None)
    assert [right.tolist() for right, _ in votes] == [[True, True, True, False], [True, False, True, True]]
    (row,) = compare_votes.open_characters(votes, [0.9])
    assert row == {
        "below": 0.9,
        "n": 2,
        "wrong_hidden": 1 / 2,
        "right_hidden": 2 / 6,
        "wrong_shown": 1 / 5,
        "fitting": 1 / 2,
    }
    assert "| 0.9 | 2 | 0.500 | 0.3333 | 0.2000 | 0.5000 |" in compare_votes.open_table("all", [row])
    assert math.isnan(compare_votes.open_characters(votes[:1], [1.0])[0]["wrong_shown"])
    assert compare_votes.open_characters([], [0.9]) == []


def test_what_copies_change_by_hand() -> None:
    votes = [lprfast.PlateVote(text="AB12", probability=p, effective_reads=1.5) for p in (0.5, 0.8)]
    more = [
        replace(votes[0], probability=0.505, effective_reads=1.7),
        replace(votes[1], probability=0.7, text="AB17"),
    ]
    found = duplicates.figures(list(zip(votes, more, strict=True)))
    assert found["n"] == 2
    assert found["largest"] == pytest.approx(0.005)
    assert (found["over_0.001"], found["over_0.01"]) == (0.5, 0)
    assert found["mean"] == pytest.approx(-0.0475)
    assert found["effective_reads"] == pytest.approx(0.1)
    assert found["other_text"] == 1


def test_copies_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert duplicates.main(["default", "--mix", "equal", "--tracks", "3", "--threads", "1"]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[1:3] for row in rows] == [
        ["each twice", "3"],
        ["one 2 to 15 times", "3"],
        ["each twice, JPEG", "3"],
        ["one 2 to 15 times, JPEG", "3"],
        ["each JPEG in its place", "3"],
    ]
    for row in rows[:2]:  # exact copies change nothing
        assert row[3:] == ["0", "0.000", "0.000", "+0.0000", "+0.000", "0 |"]
    assert duplicates.main(["--tracks", "0"]) == 2
    assert "--tracks: expected 1 or more, got 0" in capsys.readouterr().err


def test_copies_are_of_the_crops() -> None:
    crops = [np.full((16, 48), level, np.uint8) for level in (40, 90)]
    found = duplicates.copies_of(crops, duplicates.random.Random(1))
    twice, one, anew, one_anew, in_place = found.values()
    assert in_place is anew
    assert [int(crop[0, 0]) for crop in twice] == [40, 90]
    assert 1 <= len(one) == len(one_anew) <= 14
    assert len({int(crop[0, 0]) for crop in one}) == 1
    assert [crop.shape for crop in anew] == [(16, 48)] * 2
    assert [abs(int(crop.mean()) - level) <= 2 for crop, level in zip(anew, (40, 90), strict=True)] == [
        True
    ] * 2


def test_second_plates_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert second_plates.main(["default", "--mix", "wide", "--tracks", "4", "--threads", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()[2:]
    found = {line.split(" | ")[1]: line.split(" | ")[2] for line in lines}
    assert found["one vehicle"] == "0 of 4"
    assert found["one vehicle and 2 crops of something else"].endswith(" of 4")
    assert found["two vehicles"].endswith(" of 2")
    assert second_plates.main(["--tracks", "1"]) == 2
    assert "--tracks: expected 2 or more, got 1" in capsys.readouterr().err
    assert second_plates.main(["--reads", str(tmp_path / "none.npz")]) == 2
    assert "none.npz: cannot be opened" in capsys.readouterr().err
