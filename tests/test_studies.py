"""The studies: every run has settings that training takes, what is done is not done again, and the tables."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from training import label_study, sr_study, train_sr
from training.sr.config import Config

TINY = ["--batch", "2", "--val-size", "2", "--workers", "0", "--threads", "1"]
SMALL = [*TINY, "--patch", "32", "--widths", "40", "80"]


@pytest.mark.parametrize("name", sr_study.STUDIES)
def test_every_run_of_a_study_has_settings_that_training_takes(name: str) -> None:
    study = sr_study.STUDIES[name]
    configs = []
    for flags in study.runs.values():
        given = train_sr.make_parser().parse_args([*study.common.split(), *flags.split(), "--steps", "7"])
        configs.append(Config.from_dict(vars(given)))
    assert len({(config.scale, config.channels) for config in configs}) == 1
    assert len(set(configs)) == len(configs)


def test_the_ablation_changes_one_factor_at_a_time() -> None:
    study = sr_study.STUDIES["ablation"]
    given = {
        name: Config.from_dict(
            vars(train_sr.make_parser().parse_args([*study.common.split(), *flags.split(), "--steps", "7"]))
        ).to_dict()
        for name, flags in study.runs.items()
    }
    factors = {
        name: {key for key, value in config.items() if value != given["pull"][key]}
        for name, config in given.items()
    }
    assert len(study.runs) <= 9
    assert factors["d64"] == factors["d256"] == factors["d512"] == {"embedding"}
    assert factors["l2"] == {"metric"}
    assert factors["as-printed"] == {"contrastive"}


def test_what_a_study_has_trained_it_does_not_train_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["grid", "--only", "espcn-l1", "--steps", "1", "--out", str(tmp_path), *SMALL]
    assert sr_study.main(command) == 0
    model = tmp_path / "espcn-l1" / sr_study.EXPORTED
    made = model.stat().st_mtime_ns
    assert "| espcn-l1 | 1: " in capsys.readouterr().out
    assert sr_study.main(command) == 0
    assert model.stat().st_mtime_ns == made
    assert sr_study.main(["grid", "--only", "no-such", "--out", str(tmp_path)]) == 2
    assert "--only no-such: expected of 42k-l1, " in capsys.readouterr().err


def test_the_study_of_labels_writes_its_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "labels"
    flags = ["--steps", "1", "--test-size", "60", "--workers", "0", "--threads", "1", "--out", str(out)]
    assert label_study.main(["--sizes", "20", *flags]) == 0
    rows = json.loads((out / "study.json").read_text(encoding="utf-8"))
    assert [(row["size"], row["multi_scale"]) for row in rows] == [(20, "on"), (20, "off")]
    assert sum(width["n"] for width in rows[0]["widths"].values()) == rows[0]["all"]["n"] <= 60
    assert len((out / "train-20.csv").read_text(encoding="utf-8").splitlines()) == 21
    assert "| 20 | off | " in capsys.readouterr().out
    assert label_study.main(["--sizes", "20", *flags]) == 2
    assert "holds files already" in capsys.readouterr().err
