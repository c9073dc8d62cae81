"""What a run says: a progress bar on a terminal or plain lines elsewhere, and JSON lines in its folder."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class RunLog:
    """Collects step figures and writes them every ``every`` seconds, and what is left of them before any
    other event, so that a run's last steps are in its log; silent but in the first process."""

    def __init__(self, out: Path, active: bool, every: float = 10.0) -> None:
        self._active = active
        self._every = every
        self._file = (out / "log.jsonl").open("a", encoding="utf-8") if active else None
        self._bar: Progress | None = None
        if active and sys.stdout.isatty():
            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console())
            self._task = self._bar.add_task("training", total=1.0)
            self._bar.start()
        self._reset()

    def _reset(self) -> None:
        self._since = time.monotonic()
        self._loss, self._steps, self._images, self._waited = 0.0, 0, 0, 0.0
        self._terms: dict[str, float] = {}
        self._last: dict[str, Any] = {}

    def step(
        self,
        step: int,
        minutes: float,
        progress: float,
        lr: float,
        loss: float,
        images: int,
        waited: float,
        terms: Mapping[str, float] | None = None,
    ) -> None:
        """Takes the figures of one step; ``waited``: seconds spent waiting for its batch; ``terms``: parts of
        the loss. Written is the mean of the steps since the last event."""
        if not self._active:
            return
        self._loss += loss
        self._steps += 1
        self._images += images
        self._waited += waited
        for name, value in (terms or {}).items():
            self._terms[name] = self._terms.get(name, 0.0) + value
        self._last = {
            "step": step, "minutes": round(minutes, 3), "progress": round(min(progress, 1.0), 4),
            "lr": float(f"{lr:.3g}"),
        }  # fmt: skip
        if time.monotonic() - self._since >= self._every:
            self._write_steps()

    def _write_steps(self) -> None:
        """One event of the steps since the last one, if there are any."""
        if not self._steps:
            return
        spent = max(time.monotonic() - self._since, 1e-9)
        means = {
            "loss": round(self._loss / self._steps, 4),
            "images_per_s": round(self._images / spent, 1),
            "data_wait": round(min(1.0, self._waited / spent), 3),
        }
        terms = {name: float(f"{value / self._steps:.4g}") for name, value in self._terms.items()}
        values = {**self._last, **({"terms": terms} if terms else {}), **means}
        self._reset()
        self.write("step", **values)
        if self._bar is not None:
            self._bar.update(self._task, completed=values["progress"])

    def write(self, event: str, **values: Any) -> None:
        """One event: a line for people and a JSON object for programs."""
        if not self._active or self._file is None:
            return
        if event != "step":
            self._write_steps()
        self._file.write(json.dumps({"event": event, **values}, ensure_ascii=False) + "\n")
        self._file.flush()
        line = f"{event:<10} " + "  ".join(f"{key} {_plain(value)}" for key, value in values.items())
        if self._bar is None:
            print(line, flush=True)
        elif event == "step":
            self._bar.update(self._task, description=line)
        else:
            self._bar.console.print(line, highlight=False, markup=False)

    def close(self) -> None:
        """Ends the bar and the file."""
        self._write_steps()
        if self._bar is not None:
            self._bar.stop()
        if self._file is not None:
            self._file.close()


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(v)}" for key, v in value.items())
    return f"{value:.4g}" if isinstance(value, float) else str(value)
