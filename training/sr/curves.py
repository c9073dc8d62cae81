"""Contrast of training curves, eq. 20 of arXiv 2501.01483: ``python -m training.sr.curves --help``.

(PSNR - PSNR of the first run) / PSNR of the first run, over steps. A ratio: 0.1 is a PSNR 10 % higher.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lprfast.evaluation.image_quality import contrast
from training.sr.drawing import line_chart, save

Curve = list[tuple[float, float]]


def read_curve(run: Path, data: str, measure: str) -> Curve:
    """(step, value) of each validation in a run's folder or log file.

    Raises:
        ValueError: it cannot be read, or holds no such figure.
    """
    path = run / "log.jsonl" if run.is_dir() else run
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be read as a training log: {error}") from None
    checks = [line for line in lines if isinstance(line, dict) and line.get("event") == "validation"]
    curve = [
        (float(each["step"]), float(each[data][measure]))
        for each in checks
        if isinstance(each.get(data), dict) and measure in each[data]
    ]
    if not curve:
        known = sorted({name for each in checks for name, value in each.items() if isinstance(value, dict)})
        raise ValueError(f"{path}: no {measure} of set {data!r}; its sets: {', '.join(known) or 'none'}")
    # A run that was resumed may have validated a step twice.
    return sorted(dict(curve).items())


def contrast_curve(curve: Curve, baseline: Curve) -> Curve:
    """The contrast at the curve's steps within the baseline's, which is interpolated between its own.

    Raises:
        ValueError: no step is within; a value of the baseline is 0.
    """
    steps, values = zip(*baseline, strict=True)
    inside = [(step, value) for step, value in curve if steps[0] <= step <= steps[-1]]
    if not inside:
        raise ValueError(f"no step from {steps[0]:g} to {steps[-1]:g}, where the first run has values")
    base = np.interp([step for step, _ in inside], steps, values)
    found = contrast([value for _, value in inside], base)
    return [(step, float(value)) for (step, _), value in zip(inside, found, strict=True)]


def curves(runs: Sequence[Path], data: str, measure: str) -> dict[str, Curve]:
    """Contrast of each run but the first against that, by the run's folder name.

    Raises:
        ValueError: as ``read_curve`` and ``contrast_curve``; the message names the run.
    """
    baseline = read_curve(runs[0], data, measure)
    answer = {}
    for run in runs[1:]:
        try:
            found = contrast_curve(read_curve(run, data, measure), baseline)
        except ValueError as error:
            text = str(error)
            raise ValueError(text if text.startswith(str(run)) else f"{run}: {text}") from None
        name = run.name if run.is_dir() else run.parent.name
        answer[name if name not in answer else str(run)] = found
    return answer


def main(arguments: list[str] | None = None) -> int:
    """Writes the picture; 0: written, 2: the arguments cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m training.sr.curves",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="+", type=Path, metavar="RUN", help="folders or logs, the baseline first"
    )
    parser.add_argument("--set", default="synthetic", help="validation set (default %(default)s)")
    parser.add_argument("--measure", choices=("psnr", "exact"), default="psnr", help="default %(default)s")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG")
    given = parser.parse_args(arguments)
    if len(given.runs) < 2:
        parser.error("expected at least two runs, the baseline first")
    try:
        found = curves(given.runs, given.set, given.measure)
        save(given.out, line_chart(found, "step", f"contrast of {given.measure} to {given.runs[0].name}"))
    except ValueError as error:
        print(f"curves: {error}", file=sys.stderr)
        return 2
    for name, curve in found.items():
        print(f"{name}: " + "  ".join(f"{step:g}: {value:+.4f}" for step, value in curve))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
