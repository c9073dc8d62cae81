"""Rates per width, region, type and number of lines, by hand and through the command line's output."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from lprfast.cli._eval_output import print_reports
from lprfast.data.labels import LabelRow
from lprfast.evaluation import BY, Sample, Score, Settings, Traits, VehicleSample, breakdown, make_report
from lprfast.evaluation.breakdown import group_name
from lprfast.evaluation.run import run_rows
from lprfast.results import PlateRead, PlateVote

FEW = Settings({}, resamples=20)


def sample(text: str, label: str, traits: Traits, cluster: str = "t") -> Sample:
    return Sample(text, label, text, "ok", cluster, 0.5, None, traits)


@pytest.mark.parametrize(
    ("width", "name"),
    [(0, "unknown"), (1, "under 20"), (19, "under 20"), (20, "20-40"), (39, "20-40"), (40, "40-60"),
     (60, "60-80"), (80, "80-100"), (99, "80-100"), (100, "100+"), (5000, "100+")],
)  # fmt: skip
def test_widths_by_their_edges(width: int, name: str) -> None:
    assert group_name("width", Traits(width)) == name


def test_groups_come_in_order_with_their_own_rates() -> None:
    samples = [
        sample("AB12", "AB12", Traits(120, "Utopia", "", 1)),
        sample("AB1", "AB12", Traits(35, "Utopia", "taxi", 1)),
        sample("XY", "AB12", Traits(35, "Arcadia", "taxi", 2), "u"),
        sample("", "AB12", Traits(9, "", "taxi", 0), "u"),
    ]
    votes = [VehicleSample("AB12", "AB12", 0.9, Traits(120, "Utopia", "", 1))]
    widths = breakdown("width", samples, votes, FEW)
    assert [group.name for group in widths] == ["under 20", "20-40", "100+"]
    middle = widths[1].crops
    assert middle is not None
    assert middle.score == Score(n=2, exact=0, distance=5, characters=8, within_one=1)
    assert middle.clusters == 2
    assert [group.vehicles is None for group in widths] == [True, True, False]
    assert [group.name for group in breakdown("region", samples, votes, FEW)] == [
        "Arcadia", "Utopia", "unknown",
    ]  # fmt: skip
    lines = breakdown("lines", samples, votes, FEW)
    assert [(g.name, g.crops.score.n if g.crops else 0) for g in lines] == [
        ("one", 2), ("two", 1), ("none answered", 1),
    ]  # fmt: skip
    types = breakdown("type", samples, votes, FEW)
    assert [(g.name, g.crops.score.n if g.crops else 0) for g in types] == [("taxi", 3), ("unknown", 1)]
    with pytest.raises(ValueError, match="expected one of width, region, type, lines, got 'color'"):
        breakdown("color", samples, votes, FEW)


def test_a_vehicle_may_be_of_a_group_without_crops() -> None:
    (group,) = breakdown("width", [], [VehicleSample("A", "B", 0.5, Traits(50))], FEW)
    assert group.to_dict()["crops"] is None
    assert group.to_dict()["vehicles"]["within_one"] == 1
    assert group.name == "40-60"


def test_a_report_holds_the_breakdowns_that_were_asked_for() -> None:
    samples = [sample("A", "A", Traits(30)), sample("B", "A", Traits(70))]
    votes = [VehicleSample("A", "A", 0.8, Traits(70)), VehicleSample("A", "C", 0.6, Traits(70))]
    values = make_report("x", samples, votes, FEW, by=BY).to_dict()
    assert list(values["by"]) == list(BY)
    assert [(g["name"], g["crops"]["exact"]) for g in values["by"]["width"]] == [("20-40", 1), ("60-80", 0)]
    assert values["vehicle_confidence"]["brier"] == pytest.approx((0.2**2 + 0.6**2) / 2)
    # The vote of 0.8 is right and that of 0.6 wrong: risks 0 and 1/2.
    assert values["vehicle_selective"]["aurc"] == pytest.approx(0.25)
    assert values["selective"]["aurc"] == pytest.approx(0.5)
    plain = make_report("x", samples, [], FEW).to_dict()
    assert (plain["by"], plain["vehicle_confidence"], plain["vehicle_selective"]) == ({}, None, None)


class LinesReader:
    """Answers one text, on two lines where the crop is higher than half its width."""

    def read_many(self, crops: Sequence[npt.NDArray[np.uint8]], nbest: int = 0) -> list[PlateRead]:
        return [
            PlateRead(text="AB", confidence=0.5, width=w, height=h, lines=1 + (2 * h > w))
            for h, w in (crop.shape[:2] for crop in crops)
        ]


def test_a_run_keeps_what_tells_crops_apart(tmp_path: Path) -> None:
    sizes = [(50, 10), (90, 20), (30, 20)]
    for index, size in enumerate(sizes):
        Image.new("L", size, 9).save(tmp_path / f"{index}.png")
    rows = [
        LabelRow(tmp_path / f"{index}.png", "AB", index, region="Utopia", type="taxi", track="v")
        for index in range(3)
    ]
    rows[2] = LabelRow(tmp_path / "2.png", "AB", 2, track="v", box=(0, 0, 20, 4))
    vote = PlateVote(text="AB", probability=0.9, status="ok")
    outcome = run_rows(LinesReader(), tmp_path, rows, Settings({}), lambda reads: vote, width=80)
    assert [s.traits for s in outcome.samples] == [
        Traits(50, "Utopia", "taxi", 1),
        Traits(80, "Utopia", "taxi", 1),  # shrunk to 80
        Traits(20, "", "", 1),  # its box is 20 x 4
    ]
    assert outcome.vehicles == [VehicleSample("AB", "AB", 0.9, Traits(80, "Utopia", "taxi", 1))]


def test_the_tables_on_request(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    samples = [sample("AB12", "AB12", Traits(30)), sample("AB1", "AB12", Traits(70), "u")]
    facts = {"splits": {"x": "all"}, "width": None, "fold": {}, "model": "m", "model_sha256": None,
             "compared": "as written", "resamples": 20, "seed": 0}  # fmt: skip
    for by in ((), ("width",)):
        report = make_report("x", samples, [], FEW, by=by)
        print_reports([report, report], facts, [])
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert (["x", "20-40", "1", "100.0%", "(-)", "100.0%", "0.00%"] in lines) == bool(by)
        assert (["x", "60-80", "1", "0.0%", "(-)", "100.0%", "25.00%"] in lines) == bool(by)
        # Both have the confidence 0.5: every share of them is as wrong as both.
        assert ["x", "crops", "0.5000", "0.3466", "0.0%", "0.0%"] in lines
