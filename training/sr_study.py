"""Trains the networks that docs/sr_results.md compares: ``sr_study.py grid --out runs/grid``.

One run after the other, each in a folder of its own; what is finished is not trained again, and a run that
was stopped goes on, so the same command ends what was begun. ``--steps`` is the length of every run.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from training import train_sr
from training.ocr.checkpoint import CHECKPOINT

EXPORTED = "model.onnx"


class Study(NamedTuple):
    """``common`` flags of ``train_sr.py`` for all ``runs``; a run's own come after them."""

    common: str
    runs: dict[str, str]


# Learning rates: at a few thousand steps small networks are still far from their best at the papers' 1e-4.
SMALL, LARGE = "--lr 1e-3", "--lr 3e-4"

STUDIES = {
    # Before the readers, x4 gray; the reader that the losses ask is the bundled default.
    "grid": Study(
        "--scale 4 --channels 1",
        {
            "42k-l1": f"--arch compact_42k --loss l1 {SMALL}",
            "42k-confidence": f"--arch compact_42k --loss confidence {SMALL}",
            "42k-reading": f"--arch compact_42k --loss reading {SMALL}",
            "1m-l1": f"--arch compact_1m --loss l1 {LARGE}",
            "lpsr-pecl": f"--arch lpsr --loss pecl --contrastive pull {LARGE}",
            "espcn-l1": f"--arch espcn --loss l1 {SMALL}",
        },
    ),
    # The plate paper's Table 1: x8 RGB, made small by the mean of pixels alone, 64 x 64 patches.
    "table1": Study(
        "--scale 8 --channels 3 --degradation shrink",
        {
            "srcnn": f"--arch srcnn --loss l1 {SMALL}",
            "espcn": f"--arch espcn --loss l1 {SMALL}",
            "42k": f"--arch compact_42k --loss l1 {SMALL}",
            "1m": f"--arch compact_1m --loss l1 {LARGE}",
            "tbsrn": f"--arch tbsrn --loss l1 {LARGE}",
            "msrn": f"--arch msrn --loss l1 {LARGE}",
            "lpsr-pecl": f"--arch lpsr --loss pecl --contrastive pull {LARGE}",
            "esrgan": f"--arch esrgan --loss l1 {LARGE}",
            "swinir": f"--arch swinir --loss l1 {LARGE}",
        },
    ),
    # Its ablation, one factor at a time from PECL pull, L1, d = 128.
    "ablation": Study(
        f"--scale 8 --channels 3 --degradation shrink --arch lpsr {LARGE}",
        {
            "mse": "--loss mse",
            "pull": "--loss pecl --contrastive pull",
            "as-printed": "--loss pecl --contrastive as_printed",
            "pull-push": "--loss pecl --contrastive pull_push --train-encoder",
            "l2": "--loss pecl --contrastive pull --metric l2",
            "d64": "--loss pecl --contrastive pull --embedding 64",
            "d256": "--loss pecl --contrastive pull --embedding 256",
            "d512": "--loss pecl --contrastive pull --embedding 512",
            "clipped": "--loss pecl --contrastive as_printed --weighting clipped_learnable --weight-lr 0.01",
        },
    ),
}


def make_parser() -> argparse.ArgumentParser:
    """Flags that are not known here are passed on to ``train_sr.py``, for all runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("study", choices=tuple(STUDIES), help="which networks")
    add("--out", type=Path, required=True, metavar="FOLDER", help="one folder a run is made in it")
    add("--steps", type=int, default=2000, help="optimiser steps of each run (%(default)s)")
    add("--only", action="append", metavar="RUN", help="this run of the study; repeatable (default: all)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: all runs done, 1: one failed, 2: an argument cannot be used."""
    given, passed_on = make_parser().parse_known_args(arguments)
    study = STUDIES[given.study]
    if unknown := set(given.only or ()) - set(study.runs):
        known = ", ".join(study.runs)
        print(f"sr_study: --only {', '.join(sorted(unknown))}: expected of {known}", file=sys.stderr)
        return 2
    for name, flags in study.runs.items():
        if given.only and name not in given.only:
            continue
        print(f"--- {name}", flush=True)
        own = [*study.common.split(), *flags.split(), "--steps", str(given.steps), *passed_on]
        if code := _train(given.out / name, name, own):
            return code
    print(markdown(given.out, list(study.runs)))
    return 0


def _train(out: Path, name: str, flags: list[str]) -> int:
    if (out / EXPORTED).exists():
        return 0
    if (out / CHECKPOINT).exists():
        return train_sr.main(["--resume", "--out", str(out)])
    return train_sr.main([*flags, "--name", name, "--out", str(out)])


def markdown(out: Path, names: list[str]) -> str:
    """PSNR (dB) and exact match of every validation on the synthetic plates: the curves of the runs."""
    lines = ["| run | step: PSNR / exact match |", "|---|---|"]
    for name in names:
        path = out / name / "log.jsonl"
        if path.is_file():
            points = [_point(event) for event in _validations(path)]
            lines.append(f"| {name} | {', '.join(points)} |")
    return "\n".join(lines)


def _validations(path: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [event for event in events if event["event"] == "validation"]


def _point(event: dict[str, Any]) -> str:
    scores = event["synthetic"]
    return f"{event['step']}: {scores['psnr']:.2f} / {scores['exact']:.3f}"


if __name__ == "__main__":
    sys.exit(main())
