"""The ways to start training: every documented command runs from the root of a clone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SMALL = ["--steps", "2", "--batch", "8", "--val-size", "4", "--threads", "1", "--no-export"]


def start(command: list[str]) -> str:
    """Runs a command from the root without help from PYTHONPATH; returns what it printed."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("how", [["training/train_ocr.py"], ["-m", "training.train_ocr"]])
def test_training_starts(how: list[str], tmp_path: Path) -> None:
    printed = start([sys.executable, *how, *SMALL, "--workers", "1", "--out", str(tmp_path / "run")])
    assert "validation" in printed
    assert (tmp_path / "run" / "last.pt").exists()


def test_training_starts_in_two_processes(tmp_path: Path) -> None:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    printed = start(
        [*torchrun, "training/train_ocr.py", *SMALL, "--workers", "0", "--out", str(tmp_path / "run")]
    )
    assert "processes 2" in printed
    assert printed.count("checkpoint:") == 1
    assert (tmp_path / "run" / "last.pt").exists()


def test_synth_starts(tmp_path: Path) -> None:
    start(
        [sys.executable, "-m", "training.synth", "sheet", "--rows", "1", "--out", str(tmp_path / "sheet.png")]
    )
    assert (tmp_path / "sheet.png").stat().st_size > 1000


def test_benchmarks_start() -> None:
    pytest_one = [sys.executable, "-m", "pytest", "bench/bench_vote.py"]
    printed = start([*pytest_one, "--benchmark-only", "--benchmark-max-time=0.1"])
    assert "passed" in printed
    assert "median of" in printed
