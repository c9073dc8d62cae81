"""The studies: every run has settings that training takes, what is done is not done again, and the tables."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from training import label_study, sr_study
from training.sr import run as run_module
from training.sr.config import Config
from training.sr.studies import STUDIES

pytestmark = pytest.mark.usefixtures("process_as_it_was")

TINY = ["--batch", "2", "--val-size", "2", "--workers", "0", "--threads", "1"]


# What changes along with a factor: settings that only have a meaning beside it, and a network's own rate,
# patches and batch.
FACTORS = (
    {"loss", "contrastive", "weighting", "metric", "embedding"},
    {"weighting", "weight_lr"},
    {"weighting", "ratio"},
    {"arch", "lr", "patch", "repeat", "batch"},
)


def configs_of(study: str, *flags: str) -> dict[str, Config]:
    given, passed_on = sr_study.make_parser().parse_known_args([study, "--out", "x", *flags])
    runs = sr_study.wanted_runs(STUDIES[study], given, passed_on)
    return {name: sr_study.settings_of(flags) for name, flags in runs.items()}


@pytest.mark.parametrize("name", STUDIES)
def test_every_run_of_a_study_has_settings_that_training_takes(name: str) -> None:
    configs = list(configs_of(name, "--steps", "7").values())
    assert len({(config.scale, config.channels, config.widths) for config in configs}) == 1
    assert len(set(configs)) == len(configs)
    assert {(config.steps, config.eval_steps, config.select) for config in configs} == {(7, 1, "last")}


@pytest.mark.parametrize("name", STUDIES)
def test_every_run_differs_from_its_parent_in_one_factor(name: str) -> None:
    configs = {run: config.to_dict() for run, config in configs_of(name).items()}
    parents = {run: study_run.parent for run, study_run in STUDIES[name].runs.items()}
    for run, parent in parents.items():
        if parent is not None:
            changed = {key for key, value in configs[run].items() if value != configs[parent][key]}
            assert len(changed) == 1 or any(changed <= factor for factor in FACTORS), (run, changed)
    alone = [run for run, parent in parents.items() if parent is None]
    assert (
        alone
        == {
            "grid": ["42k-l1", "lpsr-pecl"],
            "table1": ["lpsr-l1"],
            "ablation": ["mse"],
        }[name]
    )


def test_the_ablation_balances_all_that_it_can() -> None:
    weightings = {run: config.weighting for run, config in configs_of("ablation").items() if run != "mse"}
    others = {"clipped", "pull-fixed", "as-printed-fixed", "as-printed-l2-fixed"}
    assert {run for run, weighting in weightings.items() if weighting != "balanced"} == others


def test_imagenet_weights_go_to_the_runs_that_have_an_encoder() -> None:
    configs = configs_of("table1", "--encoder-weights", "resnet18.pth")
    given = {run for run, config in configs.items() if config.encoder_weights == "resnet18.pth"}
    assert given == {"lpsr-pecl"}


TINY_STUDY = ["grid", "--only", "espcn-l1", *TINY, "--widths", "40", "80"]


def test_what_a_study_has_trained_it_does_not_train_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*TINY_STUDY, "--out", str(tmp_path), "--steps"]
    assert sr_study.main([*command, "1"]) == 0
    model = tmp_path / "espcn-l1" / sr_study.EXPORTED
    made = model.stat().st_mtime_ns
    assert "| espcn-l1 | 42k-l1 | 1: " in capsys.readouterr().out
    assert sr_study.main([*command, "1", "--workers", "1"]) == 0
    assert model.stat().st_mtime_ns == made
    for other, message in (
        (["2"], "espcn-l1: was trained with --steps 1, expected 2; choose another --out"),
        (["1", "--seed", "3"], "espcn-l1: was trained with --seed 0, expected 3"),
        (["1", "--margin", "1"], "--margin: --loss l1 does not use it"),
        (["1", "--only", "no-such"], "--only no-such: expected of 42k-l1, "),
    ):
        assert sr_study.main([*command, *other]) == 2
        assert message in capsys.readouterr().err


def test_a_stopped_study_says_so_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [*TINY_STUDY, "--steps", "2", "--out", str(tmp_path)]
    plain = run_module.Ema.update

    def update(self: Any, model: Any, step: int) -> None:
        plain(self, model, step)
        signal.raise_signal(signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(run_module.Ema, "update", update)
        assert sr_study.main(command) == 1
    assert "sr_study: espcn-l1: left no model.onnx" in capsys.readouterr().err
    assert sr_study.main(command) == 0
    assert (tmp_path / "espcn-l1" / sr_study.EXPORTED).is_file()


def test_the_study_of_labels_writes_its_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "labels"
    flags = ["--steps", "1", "--test-size", "60", "--workers", "0", "--threads", "1", "--out", str(out)]
    assert label_study.main(["--sizes", "20", *flags]) == 0
    rows = json.loads((out / "study.json").read_text(encoding="utf-8"))
    assert [(row["size"], row["multi_scale"]) for row in rows] == [(20, "on"), (20, "off")]
    widths = rows[0]["widths"]  # half of the judging crops are narrower than any of the set
    assert 15 <= sum(group["n"] for name, group in widths.items() if name != "100+") <= 45
    assert sum(group["n"] for group in widths.values()) == rows[0]["all"]["n"] <= 60
    assert len((out / "train-20.csv").read_text(encoding="utf-8").splitlines()) == 21
    assert "| 20 | off | " in capsys.readouterr().out
    assert label_study.main(["--sizes", "20", *flags]) == 2
    assert "holds files already" in capsys.readouterr().err
    assert label_study.main(["--difficulty", "1.5", *flags]) == 2
    assert "--difficulty: expected 0 to 1, got 1.5" in capsys.readouterr().err
    flags[-1] = str(out / "study.json")
    assert label_study.main(["--sizes", "20", *flags]) == 2
    assert "study.json: expected a folder, got a file" in capsys.readouterr().err
