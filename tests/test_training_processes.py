"""Several processes, and processes that die: what is averaged, and what is left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

from training import train_ocr
from training.ocr.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parent.parent
FLAGS = ["--batch", "4", "--val-size", "2", "--workers", "0", "--threads", "1", "--precision", "fp32"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]

GRADIENTS = """
import sys, torch
from training.ocr.data import Batch
from training.ocr.model import build_model
from training.ocr.loss import batch_loss
from training.ocr.world import start_world

world = start_world(1)
torch.manual_seed(0)
images, targets = torch.randn(8, 1, 32, 128), torch.randint(1, 5, (24,))
# Batch norms stand still: their statistics are those of each process's own share, by design.
model, alone = build_model("slim", 5).eval(), build_model("slim", 5).eval()
alone.load_state_dict(model.state_dict())
mine = Batch(images[world.rank::2], targets.view(8, 3)[world.rank::2].flatten(), torch.full((4,), 3))
averaging = world.wrap(model)  # must outlive the backward pass
batch_loss(averaging, mine, world.device, "fp32").backward()
batch_loss(alone, Batch(images, targets, torch.full((8,), 3)), world.device, "fp32").backward()
for ours, theirs in zip(model.parameters(), alone.parameters(), strict=True):
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-6, rtol=1e-4)
world.close()
"""

KILLED = """
import os, signal, sys
from training import train_ocr
from training.ocr import checkpoint

calls = 0
def die_while_writing(number):
    global calls
    calls += 1
    if calls == 3:
        os.kill(os.getpid(), signal.SIGKILL)

checkpoint.os.fsync = die_while_writing
train_ocr.main(sys.argv[1:])
"""

INTERRUPTED = """
import itertools, os, signal
from training.loading import endless

class Squares:
    def __getitem__(self, key):
        return key * key

class Keys:
    def __iter__(self):
        return itertools.count()

if __name__ == "__main__":
    asked = []
    signal.signal(signal.SIGINT, lambda *_: asked.append("asked to stop"))
    stream = endless(Squares(), Keys(), 1, False)
    next(stream)
    os.killpg(0, signal.SIGINT)
    print(*(next(stream) for _ in range(40)), *asked)
"""

FAILS = """
import os, sys
from training import train_ocr
from training.ocr import train

if os.environ["RANK"] == "0":
    def fail(*_):
        raise ValueError("the first process fails")
    train.learning_rate = fail
sys.exit(train_ocr.main(sys.argv[1:]))
"""


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_two_processes_average_the_gradients_of_the_doubled_batch(tmp_path: Path) -> None:
    script = tmp_path / "gradients.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{GRADIENTS}", encoding="utf-8")
    done = run([*TORCHRUN, str(script)])
    assert done.returncode == 0, done.stderr


def test_torchrun_trains_and_goes_on(tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    first = run([*TORCHRUN, "training/train_ocr.py", "--steps", "2", "--no-export", "--out", out, *FLAGS])
    assert first.returncode == 0, first.stderr
    assert "processes 2" in first.stdout
    assert load_checkpoint(tmp_path / "run" / "last.pt")["images"] == 8
    again = run([*TORCHRUN, "training/train_ocr.py", "--steps", "3", "--resume", "--out", out])
    assert again.returncode == 0, again.stderr
    assert load_checkpoint(tmp_path / "run" / "last.pt")["step"] == 3


def test_a_process_that_fails_ends_the_whole_run(tmp_path: Path) -> None:
    script = tmp_path / "fails.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{FAILS}", encoding="utf-8")
    done = run([*TORCHRUN, str(script), "--steps", "2", "--out", str(tmp_path / "run"), *FLAGS])
    assert done.returncode != 0
    assert "train_ocr: the first process fails" in done.stderr


def test_a_kill_while_a_checkpoint_is_written_costs_only_the_steps_since_the_last(tmp_path: Path) -> None:
    flags = ["--steps", "5", "--checkpoint-minutes", "1e-9", "--no-export", *FLAGS]
    killed = run([sys.executable, "-c", KILLED, *flags, "--out", str(tmp_path / "cut")])
    assert killed.returncode == -9, killed.stderr
    assert load_checkpoint(tmp_path / "cut" / "last.pt")["step"] == 2
    threads = torch.get_num_threads()
    try:
        assert train_ocr.main(["--resume", "--out", str(tmp_path / "cut")]) == 0
        assert train_ocr.main([*flags, "--out", str(tmp_path / "whole")]) == 0
    finally:
        torch.set_num_threads(threads)
    whole, parts = (load_checkpoint(tmp_path / name / "last.pt") for name in ("whole", "cut"))
    assert parts["step"] == 5
    assert all(torch.equal(whole["ema"][name], parts["ema"][name]) for name in whole["ema"])


def test_workers_go_on_after_a_ctrl_c_that_reaches_all_processes_of_a_terminal(tmp_path: Path) -> None:
    script = tmp_path / "interrupted.py"
    script.write_text(f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{INTERRUPTED}", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=300, start_new_session=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(key * key) for key in range(1, 41)] + ["asked", "to", "stop"]
