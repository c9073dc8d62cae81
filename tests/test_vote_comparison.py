"""Rules of voting compared on the same reads, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lprfast
from lprfast.evaluation.vote_rules import Track, compare_rules, markdown, vote_all
from lprfast.voting import RULES
from training import compare_votes, second_plates


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
    given += ["--stop-at", "0.01", "--out", str(out)]
    assert compare_votes.main(given) == 0
    found = json.loads(out.read_text(encoding="utf-8"))["equal"]
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
        (["--out", "none/x.json"], "--out none/x.json: there is no such folder"),
        (["no-such-model"], "no-such-model"),
    ],
)
def test_bad_arguments_are_named(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compare_votes.main(arguments) == 2
    assert message in capsys.readouterr().err


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
