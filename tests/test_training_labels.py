"""Labelled crops: splits, groups, weights of the loss, and the fine-tuning study."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from training import finetune_study, quantize, train_ocr
from training.ocr import run as run_module
from training.ocr import train as train_module
from training.ocr.checkpoint import load_checkpoint
from training.ocr.config import Config
from training.ocr.data import Batch, BatchKey, BatchMaker, ValidationSet
from training.ocr.evaluate import scores_of_groups
from training.ocr.labels import LabelFile, LabelledCrop, parse_spec, read_label_file, read_train_rows
from training.ocr.loss import batch_loss
from training.ocr.splits import without_trained
from training.ocr.text import Codec
from training.synth import CHARSET

CPU = torch.device("cpu")


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), restval="")
        writer.writeheader()
        for row in rows:
            Image.fromarray(np.full((20, 60), 90, np.uint8)).save(path.parent / row["path"])
            writer.writerow(row)
    return path


def file_of(*texts: str, name: str = "a") -> LabelFile:
    return LabelFile(Path(f"{name}/labels.csv"), 1.0, tuple(LabelledCrop(Path("x"), text) for text in texts))


def test_texts_that_train_do_not_judge(capsys: pytest.CaptureFixture[str]) -> None:
    judging, training = file_of("A1", "B2", "B2", "C3", "", name="val"), file_of("B2", "D4", "")
    kept = without_trained(judging, [training])
    assert [row.text for row in kept.rows] == ["A1", "C3", ""]
    assert (
        "2 of 5 rows are left out of the report: their 1 texts also train in a/labels"
        in capsys.readouterr().err
    )
    assert without_trained(judging, [file_of("Z")]) is judging
    alike = without_trained(file_of("O1B", "OQ", "1"), [file_of("0IB", "I")])
    assert [row.text for row in alike.rows] == ["OQ"]
    with pytest.raises(
        ValueError, match=r"--val .*labels\.csv: every row has the text of a plate that trains"
    ):
        without_trained(file_of("B2"), [training])


def test_a_file_that_trains_whole_cannot_judge_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = str(write(tmp_path / "l.csv", [{"path": "a.png", "text": "A"}]))
    flags = ["--steps", "1", "--workers", "0", "--data", labels, "--val", labels]
    assert train_ocr.main([*flags, "--out", str(tmp_path / "run")]) == 2
    assert "every row has the text of a plate that trains" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_rows_that_cannot_be_read_are_not_replaced_by_the_other_split(tmp_path: Path) -> None:
    path = write(tmp_path / "l.csv", [{"path": "a.png", "text": "A", "split": "train"}])
    path.write_text(path.read_text(encoding="utf-8") + "b.png,B,dev,more\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"no row of the split 'dev' can be used, and 1 rows .*line 3: expected 3"
    ):
        read_label_file(str(path), "dev")
    assert [row.text for row in read_label_file(str(path), "train").rows] == ["A"]


def test_tools_that_tune_take_train_rows_only(tmp_path: Path) -> None:
    rows = [{"path": "a.png", "text": "A", "split": "train"}, {"path": "b.png", "text": "B", "split": "dev"}]
    both = write(tmp_path / "both.csv", rows)
    assert [row.text for row in read_train_rows(str(both)).rows] == ["A"]
    images, labelled = quantize.calibration_crops(quantize.Recipe((str(both),), crops=2))
    assert (len(images), labelled) == (3, 1)
    for name, row in (("dev", rows[1]), ("none", {"path": "c.png", "text": "C"})):
        path = write(tmp_path / f"{name}.csv", [row])
        with pytest.raises(ValueError, match=rf"{name}\.csv: no row (is )?of (the )?split '?train"):
            read_train_rows(str(path))
        with pytest.raises(ValueError, match=r"no row (is )?of (the )?split '?train"):
            quantize.calibration_crops(quantize.Recipe((str(path),), crops=1))


def test_a_file_is_used_whole_only_when_no_row_names_a_split(tmp_path: Path) -> None:
    rows = [{"path": "a.png", "text": "A", "split": "train"}, {"path": "b.png", "text": "B", "split": ""}]
    train = str(write(tmp_path / "train.csv", rows))
    assert [row.text for row in read_label_file(train, "train").rows] == ["A"]
    with pytest.raises(ValueError, match=r"train\.csv: no row is of the split 'dev', only 'train'; write"):
        read_label_file(train, "dev")
    whole = str(write(tmp_path / "whole.csv", [{**row, "split": ""} for row in rows]))
    assert [row.text for row in read_label_file(whole, "dev").rows] == ["A", "B"]


def test_balance_counts_groups_by_the_root_of_their_size(tmp_path: Path) -> None:
    rows = [{"path": f"{n}.png", "text": "BIG", "type": "car"} for n in range(16)]
    rows.append({"path": "x.png", "text": "LONE", "type": "truck"})
    labels = write(tmp_path / "l.csv", rows)
    drawn = {}
    for balance in (None, "type"):
        config = Config(arch="slim", steps=1, batch=300, data=(str(labels),), data_share=1.0, balance=balance)
        maker = BatchMaker(config, Codec(CHARSET), [read_label_file(str(labels), "train")], 0, 1)
        _, _, lengths, *_ = maker[BatchKey(0, 1.0)]
        drawn[balance] = int((lengths == 4).sum())
    assert 6 <= drawn[None] <= 34  # 300 / 17 = 18, four deviations
    assert 37 <= drawn["type"] <= 83  # 300 / (1 + 4) = 60
    with pytest.raises(ValueError, match="--balance region: expected a --data file whose column 'region'"):
        BatchMaker(
            Config(arch="slim", steps=1, balance="region"),
            Codec(CHARSET),
            [read_label_file(str(labels), "train")],
            0,
            1,
        )


def test_groups_are_scored_apart() -> None:
    texts, groups = ["A", "B", "C"], ["taxi", "", "taxi"]
    data = ValidationSet("x", torch.zeros(3, 1, 32, 128), texts, {"type": groups})
    scores = scores_of_groups(["A", "B", "X"], data, "type")
    assert {name: (s.n, s.exact) for name, s in scores.items()} == {"(none)": (1, 1), "taxi": (2, 1)}


def test_a_run_reports_the_groups_that_a_file_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "l.csv", [{"path": f"{r}.png", "text": "A", "region": r} for r in ("UK", "AR")])
    flags = ["--steps", "1", "--batch", "4", "--val-size", "2", "--workers", "0", "--threads", "1"]
    out = tmp_path / "run"
    assert train_ocr.main([*flags, "--no-export", "--val", str(labels), "--out", str(out)]) == 0
    events = [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    (groups,) = [event for event in events if event["event"] == "groups"]
    assert (groups["column"], groups["count"]) == ("region", {"AR": 1, "UK": 1})
    assert "column region  exact AR" in capsys.readouterr().out


def test_files_to_report_on_must_differ_in_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [flag for side in "ab" for flag in ("--val", str(tmp_path / side / "x" / "l.csv"))]
    assert train_ocr.main(["--steps", "1", *flags, "--out", str(tmp_path / "run")]) == 2
    assert "--val: 2 files are called x/l.csv (folder and file name)" in capsys.readouterr().err


def test_a_validation_that_fails_costs_no_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object) -> None:
        raise RuntimeError("the validation failed")

    monkeypatch.setattr(run_module.Run, "validate", fail)
    flags = ["--arch", "slim", "--steps", "1", "--batch", "4", "--val-size", "2", "--workers", "0"]
    with pytest.raises(RuntimeError, match="the validation failed"):
        train_ocr.main([*flags, "--threads", "1", "--out", str(tmp_path / "run")])
    assert load_checkpoint(tmp_path / "run" / "last.pt")["step"] == 1


def test_a_loss_that_is_not_finite_stops_the_run_before_it_spoils_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, usual = tmp_path / "run", train_module.batch_loss
    losses = iter([1.0, float("nan")])
    monkeypatch.setattr(train_module, "batch_loss", lambda *given: usual(*given) * next(losses))
    flags = ["--arch", "slim", "--steps", "3", "--batch", "4", "--val-size", "2", "--workers", "0"]
    flags += ["--threads", "1", "--checkpoint-minutes", "1e-9", "--out", str(out)]
    assert train_ocr.main(flags) == 2
    assert "step 2: the loss is nan and the norm of its gradient nan" in capsys.readouterr().err
    state = load_checkpoint(out / "last.pt")
    assert state["step"] == 1
    assert all(torch.isfinite(value).all() for value in state["model"].values())


# Weights of the loss


class Answer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.answers = nn.Parameter(torch.randn(3, 8, 5, generator=torch.Generator().manual_seed(1)))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.answers.log_softmax(-1)


BATCH = Batch(torch.zeros(3, 1, 32, 128), torch.tensor([1, 2, 3, 3]), torch.tensor([2, 0, 2]))


def test_weights_of_one_change_nothing_and_others_count_as_given() -> None:
    model = Answer()
    plain = batch_loss(model, BATCH, CPU, "fp32")
    usual = functional.ctc_loss(
        model(BATCH.images).transpose(0, 1), BATCH.targets, torch.full((3,), 8), BATCH.lengths,
        zero_infinity=True,
    )  # fmt: skip
    assert torch.equal(plain, usual)
    torch.testing.assert_close(batch_loss(model, BATCH, CPU, "fp32", torch.ones(3)), plain)
    one = [batch_loss(model, BATCH, CPU, "fp32", 3 * torch.eye(3)[i]).item() for i in range(3)]
    weighted = batch_loss(model, BATCH, CPU, "fp32", torch.tensor([0.5, 1.0, 1.5]))
    assert weighted.item() == pytest.approx((0.5 * one[0] + one[1] + 1.5 * one[2]) / 3)


def test_confusion_weights_reach_the_loss_with_their_strength(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    # A is read right 90 times and as B 10 times, B always right 100 times, C is not there.
    matrix = [[0, 0, 0], [0, 90, 10], [0, 0, 100]]
    path.write_text(
        json.dumps({"schema_version": 1, "kind": "confusion", "symbols": ["", "A", "B"], "matrix": matrix})
    )
    run = run_module.Run.__new__(run_module.Run)
    run.config, run.codec = Config(confusion=f"{path}:0.5"), Codec("ABC")
    run.loss_weights = run_module._loss_weights(run.config, run.codec)
    weights = run.weights_of(BATCH)  # the texts AB, nothing, CC
    assert weights is not None
    rates = {"A": (10 + 0.5) / 110, "B": 0.5 / 110, "C": 0.05}
    expected = torch.tensor([1 + 0.5 * (rates["A"] + rates["B"]) / 2, 1.0, 1 + 0.5 * rates["C"]])
    torch.testing.assert_close(weights, expected / expected.mean())
    assert parse_spec("c.json", "--confusion") == (Path("c.json"), 1.0)
    with pytest.raises(ValueError, match="--confusion c:0: expected a positive number"):
        parse_spec("c:0", "--confusion")


# Settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seed": -1}, r"--seed: expected 0 to 2\*\*63 - 1, got -1"),
        ({"seed": 2**63}, "--seed: expected"),
        (
            {"input": (48, 192)},
            "--input: expected HxW with H a multiple of 32 and W four times H for aligned_slim",
        ),
        ({"input": (64, 128)}, "--input: expected HxW with H a multiple of 32 and W four times H"),
        ({"lr": float("inf")}, "--lr: expected a positive finite number, got inf"),
        ({"lr": float("nan")}, "--lr: expected"),
        ({"minutes": float("inf")}, "--minutes: expected a finite number, got inf"),
        ({"minutes": float("nan")}, "--minutes: expected"),
    ],
)
def test_numbers_that_no_run_can_use_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Config(**settings)
    assert Config(seed=2**63 - 1, minutes=0.5, lr=1e-3).seed == 2**63 - 1


def test_processes_take_equal_shares_of_two_images_at_least() -> None:
    train_module._require_equal_shares(6, 3)
    for batch, processes in ((128, 3), (2, 2), (4, 3)):
        with pytest.raises(
            ValueError, match=rf"--batch: expected a multiple .* of the {processes}, got {batch}"
        ):
            train_module._require_equal_shares(batch, processes)


# The study


def test_halves_share_no_text_and_are_halves() -> None:
    texts = ["O1", "01", "B", "B", "C", "D", "E", "F"]
    rows = [LabelledCrop(Path(str(n)), text) for n, text in enumerate(texts)]
    for seed in range(20):
        train, test = finetune_study.halves(rows, {"0": "O"}, seed)
        assert Counter([*train, *test]) == Counter(rows)
        assert 4 <= len(train) <= 5
        sides = [{row.text.replace("0", "O") for row in side} for side in (train, test)]
        assert not sides[0] & sides[1]
    assert finetune_study.halves(rows, {}, 3) == finetune_study.halves(rows, {}, 3)
    with pytest.raises(ValueError, match="expected labels of two plates at least"):
        finetune_study.halves(rows[:2], {"0": "O"}, 0)


def test_a_study_writes_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_module, "CALIBRATION_IMAGES", 8)
    rows = [{"path": f"{n}.png", "text": f"AB{n}"} for n in range(4)]
    labels = str(write(tmp_path / "l.csv", rows))
    flags: list[Any] = ["--steps", "1", "--batch", "4", "--val-size", "2", "--workers", "0", "--threads", "1"]
    out = tmp_path / "study"
    assert finetune_study.main([labels, "--sizes", "1", "2", *flags, "--out", str(out)]) == 0
    study = json.loads((out / "study.json").read_text(encoding="utf-8"))
    assert [(row["size"], row["n"], row["steps"]) for row in study["rows"]] == [
        (0, 2, 0),
        (1, 2, 1),
        (2, 2, 1),
    ]
    assert "| 2 | " in capsys.readouterr().out
    one, two = ((out / f"train-{n}.csv").read_text(encoding="utf-8").splitlines() for n in (1, 2))
    assert (len(two), two[:2]) == (3, one)
    assert finetune_study.main([labels, "--sizes", "3", *flags]) == 2
    assert "--sizes: expected 1 to 2 (half of the file), got 3" in capsys.readouterr().err


def test_photographs_around_plates_are_not_learnt(tmp_path: Path) -> None:
    # CCPD's example name with a box of 16 x 4 pixels, on a photograph and on the plate cut out of one.
    name = "025-95_113-4&2_20&6-20&6_4&6_4&2_20&2-0_0_22_27_27_33_16-37-15"
    for folder, size in (("photos", (40, 20)), ("crops", (16, 4))):
        (tmp_path / folder).mkdir()
        Image.new("L", size, 9).save(tmp_path / folder / f"{name}.png")
    Image.new("L", (16, 4), 9).save(tmp_path / "crops" / "other.png")
    with pytest.raises(ValueError, match="cut the plates out"):
        read_label_file(str(tmp_path / "photos"), None)
    found = read_label_file(str(tmp_path / "crops"), None)
    assert [row.text for row in found.rows] == ["皖AY339S"]
    assert len(found.bad_rows) == 1  # a name without a text is no plate without one
