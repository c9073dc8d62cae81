"""Trains the networks of a study: ``sr_study.py grid --out runs/grid``.

One run after the other, each in a folder of its own; what is finished is not trained again, and a run that
was stopped goes on, so the same command ends what was begun. Every run takes ``--steps`` steps, is validated
five times, and ends as the weights of its last step: none is chosen by the plates that it is judged on. What
comes of them is in docs/results.md ("Does super-resolution help?"), the runs are in training/sr/studies.py.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from training import train_sr
from training.ocr.checkpoint import CHECKPOINT
from training.sr.checkpoint import load_checkpoint
from training.sr.config import Config
from training.sr.loss_settings import refuse_unused
from training.sr.studies import STUDIES, Study

EXPORTED = "model.onnx"
VALIDATIONS = 5
# How a run is run; all else must be what the study wants.
_FREE = ("name", "workers", "threads", "checkpoint_minutes", "eval_every", "export")


def make_parser() -> argparse.ArgumentParser:
    """Flags that are not known here are passed on to ``train_sr.py``, for all runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("study", choices=tuple(STUDIES), help="which networks")
    add("--out", type=Path, required=True, metavar="FOLDER", help="one folder a run is made in it")
    add("--steps", type=int, default=2000, help="optimiser steps of each run (%(default)s)")
    add("--only", action="append", metavar="RUN", help="this run of the study; repeatable (default: all)")
    add("--encoder-weights", metavar="FILE", help="ImageNet ResNet-18 of the runs with PECL (random)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: all runs done, 1: one failed or was stopped, 2: an argument or a folder
    cannot be used."""
    given, passed_on = make_parser().parse_known_args(arguments)
    study = STUDIES[given.study]
    try:
        runs = wanted_runs(study, given, passed_on)
        for name, flags in runs.items():
            refuse_other_settings(given.out / name, settings_of(flags))
    except ValueError as error:
        print(f"sr_study: {error}", file=sys.stderr)
        return 2
    for name, flags in runs.items():
        print(f"--- {name}", flush=True)
        if code := _train(given.out / name, name, flags):
            return code
    print(markdown(given.out, study))
    return 0


def wanted_runs(study: Study, given: argparse.Namespace, passed_on: Sequence[str]) -> dict[str, list[str]]:
    """The flags of ``train_sr.py`` of each run that was asked for.

    Raises:
        ValueError: there is no such run.
    """
    if unknown := set(given.only or ()) - set(study.runs):
        raise ValueError(f"--only {', '.join(sorted(unknown))}: expected of {', '.join(study.runs)}")
    ending = ["--steps", str(given.steps), "--eval-steps", str(max(1, given.steps // VALIDATIONS))]
    ending += ["--select", "last", *passed_on]
    runs = {}
    for name, run in study.runs.items():
        own = [*study.common.split(), *run.flags.split()]
        if given.encoder_weights and "pecl" in own:
            own += ["--encoder-weights", given.encoder_weights]
        if not given.only or name in given.only:
            runs[name] = [*own, *ending]
    return runs


def settings_of(flags: Sequence[str]) -> Config:
    """The settings that ``train_sr.py`` makes of these flags.

    Raises:
        ValueError: it would refuse them.
    """
    given = vars(train_sr.make_parser().parse_args(flags))
    if "init" in given:
        given["init"] = given["init"].name
    config = Config.from_dict(given)
    refuse_unused(config, given)
    return config


def refuse_other_settings(out: Path, wanted: Config) -> None:
    """Raises ValueError, naming them, if the run in ``out``, begun or finished, has other settings."""
    if not any((out / name).exists() for name in (EXPORTED, CHECKPOINT)):
        return
    stored = load_checkpoint(out / CHECKPOINT)["config"]
    found = Config.from_dict(stored).to_dict()
    for key, value in wanted.to_dict().items():
        resolved = key == "precision" and value == "auto"
        if key not in _FREE and found[key] != value and not resolved:
            raise ValueError(
                f"{out}: was trained with --{key.replace('_', '-')} {found[key]}, expected {value}; choose "
                "another --out, or delete that folder"
            )


def _train(out: Path, name: str, flags: Sequence[str]) -> int:
    """Trains what is not trained yet; the exit code: 1 where no model came of it."""
    if (out / EXPORTED).exists():
        return 0
    begun = (out / CHECKPOINT).exists()
    code = train_sr.main(
        ["--resume", "--out", str(out)] if begun else [*flags, "--name", name, "--out", str(out)]
    )
    if code == 0 and not (out / EXPORTED).exists():
        print(
            f"sr_study: {name}: left no {EXPORTED}, since it was stopped or told not to export; the same "
            "command goes on with it",
            file=sys.stderr,
        )
        return 1
    return code


def markdown(out: Path, study: Study) -> str:
    """PSNR (dB) and exact match of every validation on the synthetic plates: the curves of the runs, each
    beside the run that it differs from in one factor."""
    lines = ["| run | differs from | step: PSNR / exact match |", "|---|---|---|"]
    for name, run in study.runs.items():
        path = out / name / "log.jsonl"
        if path.is_file():
            points = [_point(event) for event in _validations(path)]
            lines.append(f"| {name} | {run.parent or '-'} | {', '.join(points)} |")
    return "\n".join(lines)


def _validations(path: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [event for event in events if event["event"] == "validation"]


def _point(event: Mapping[str, Any]) -> str:
    scores = event["synthetic"]
    return f"{event['step']}: {scores['psnr']:.2f} / {scores['exact']:.3f}"


if __name__ == "__main__":
    sys.exit(main())
