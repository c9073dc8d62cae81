"""CTC from its definition, slowly: every path of one class per step is walked, none is summed cleverly."""

from __future__ import annotations

import itertools
import math

Rows = list[list[float]]  # log-posteriors, [T][K]


def collapse(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    """Repeats become one, then the blanks go."""
    return tuple(label for label, _ in itertools.groupby(path) if label != blank)


def text_log_probs(rows: Rows, blank: int) -> dict[tuple[int, ...], float]:
    """log P of every text that any possible path spells."""
    paths: dict[tuple[int, ...], list[float]] = {}
    classes = range(len(rows[0])) if rows else range(0)
    for path in itertools.product(classes, repeat=len(rows)):
        log_prob = math.fsum(row[label] for row, label in zip(rows, path, strict=True))
        if log_prob > -math.inf:
            paths.setdefault(collapse(path, blank), []).append(log_prob)
    return {text: log_sum(log_probs) for text, log_probs in paths.items()}


def log_sum(log_probs: list[float]) -> float:
    highest = max(log_probs)
    return highest + math.log(math.fsum(math.exp(value - highest) for value in log_probs))


def log_softmax(row: list[float]) -> list[float]:
    total = log_sum(row)
    return [value - total for value in row]


def greedy(rows: Rows, blank: int) -> list[tuple[int, float, int, float, int]]:
    """(label, posterior, runner-up, its posterior, step) of each character; see csrc/ctc/ctc.hpp for ties."""
    best = [row.index(max(row)) for row in rows]
    characters = []
    for label, run in itertools.groupby(range(len(rows)), key=best.__getitem__):
        if label == blank:
            continue
        peak = max(run, key=lambda step: rows[step][label])
        others = [k for k in range(len(rows[peak])) if k not in (blank, label)]
        other = max(others, key=rows[peak].__getitem__, default=blank)
        other_posterior = 0.0 if other == blank else math.exp(rows[peak][other])
        characters.append((label, math.exp(rows[peak][label]), other, other_posterior, peak))
    return characters
