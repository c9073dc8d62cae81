"""The log of a training run: no step is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from training.ocr.log import RunLog


def events(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text("utf-8").splitlines()]


def step(log: RunLog, number: int, loss: float) -> None:
    log.step(number, 0.0, number / 4, 0.001, loss, 16, 0.0, {"pixel": loss / 2})


def test_steps_are_written_before_other_events_and_at_the_end(tmp_path: Path) -> None:
    log = RunLog(tmp_path, active=True)
    step(log, 1, 1.0)
    step(log, 2, 3.0)
    assert events(tmp_path) == []  # not yet ten seconds
    log.write("validation", step=2)
    step(log, 3, 4.0)
    log.close()
    first, validation, last = events(tmp_path)
    assert (first["event"], first["step"], first["loss"]) == ("step", 2, 2.0)  # the mean of both
    assert first["terms"] == {"pixel": 1.0}  # of both, too
    assert validation == {"event": "validation", "step": 2}
    assert (last["event"], last["step"], last["loss"], last["progress"]) == ("step", 3, 4.0, 0.75)


def test_steps_are_written_as_time_passes(tmp_path: Path) -> None:
    log = RunLog(tmp_path, active=True, every=0.0)
    step(log, 1, 1.0)
    step(log, 2, 3.0)
    log.close()
    assert [event["loss"] for event in events(tmp_path)] == [1.0, 3.0]


def test_only_the_first_process_writes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = RunLog(tmp_path, active=False)
    step(log, 1, 1.0)
    log.close()
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""
