"""What depends on how far the training is: learning rate and difficulty of the plates."""

from __future__ import annotations

import math
import time

WARM_UP = 0.06
EASY_UNTIL = 0.08
HARD_FROM = 0.25
EASY_STEPS = 400
HARD_STEPS = 1200


def learning_rate(progress: float, peak: float) -> float:
    """Linear warm-up over the first 6 % of the run, then a cosine to a hundredth of ``peak``."""
    if progress < WARM_UP:
        return peak * (0.02 + 0.98 * progress / WARM_UP)
    angle = math.pi * min(1.0, (progress - WARM_UP) / (1 - WARM_UP))
    return peak * (0.01 + 0.99 * 0.5 * (1 + math.cos(angle)))


def hard_share(progress: float, step: int) -> float:
    """Share of full-difficulty plates: none until 8 % of the run, all from 25 % on.

    From hard plates alone CTC stays for long where it answers nothing but blanks. How soon it leaves that on
    easy ones is a matter of steps, not of the clock: a short run or a slow machine still gets 400 easy steps.
    """
    by_progress = (progress - EASY_UNTIL) / (HARD_FROM - EASY_UNTIL)
    by_step = (step - EASY_STEPS) / (HARD_STEPS - EASY_STEPS)
    return min(1.0, max(0.0, min(by_progress, by_step)))


class Clock:
    """How much of a run is used, over all its starts: by minutes, by steps, or by the nearer end."""

    def __init__(self, minutes: float | None, steps: int | None, used_minutes: float = 0.0) -> None:
        if minutes is None and steps is None:
            raise ValueError("give --minutes or --steps: training needs to know when to end")
        self._minutes = minutes
        self._steps = steps
        self._used = used_minutes
        self._start = time.monotonic()

    def minutes(self) -> float:
        """Minutes used so far."""
        return self._used + (time.monotonic() - self._start) / 60

    def progress(self, step: int) -> float:
        """0 at the start, 1 or more at the end. Depends on ``step`` alone when no minutes are given."""
        by_steps = step / self._steps if self._steps else 0.0
        by_minutes = self.minutes() / self._minutes if self._minutes else 0.0
        return max(by_steps, by_minutes)
