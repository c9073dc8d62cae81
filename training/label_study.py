"""How many labelled plates does a camera need? Readers trained on more and more of one set, and nothing else.

The set is drawn: its crops stand for labelled crops of one camera, and training sees no other plates. Each
size is trained with multi-scale augmentation and without, for the same number of steps, and judged on drawn
crops of fonts and layouts that the set does not have.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lprfast
from lprfast.data.labels import read_labels
from lprfast.evaluation import Settings, make_report
from lprfast.evaluation.run import run_rows
from training.command_line import dated_folder, make_new
from training.export import export_checkpoint
from training.ocr.config import Config
from training.ocr.train import train
from training.synth import PlateGenerator
from training.synth.__main__ import write_samples

Row = dict[str, Any]
SCALES = {"on": (0.4, 1.0), "off": (1.0, 1.0)}
TEST_SEED = 20_261_207
# The set's crops are 100 pixels wide and more; of those that judge half are narrower. No multi_scale does it:
# a low difficulty keeps it from making crops small.
TEST_WIDTHS = ((28, 100, 1.0), (100, 200, 1.0))


def make_parser() -> argparse.ArgumentParser:
    """The defaults are short runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add(
        "--sizes",
        type=int,
        nargs="+",
        default=[3000, 6000, 12000, 18000],
        help="labelled crops (%(default)s)",
    )
    add("--steps", type=int, default=600, help="optimiser steps of each run (%(default)s)")
    add("--arch", default="conv", help="network; one that finds the line needs drawn corners (%(default)s)")
    add(
        "--difficulty",
        type=float,
        default=0.4,
        help="of all crops, 0 (clean) to 1; few steps learn little of harder ones (%(default)s)",
    )
    add("--test-size", type=int, default=3000, help="held-out drawn crops that judge (%(default)s)")
    add("--seed", type=int, default=0, help="of the set and the weights (%(default)s)")
    add("--workers", type=int, help="processes that load crops")
    add("--threads", type=int, help="threads of the training process")
    add("--out", type=Path, metavar="FOLDER", help="default runs/labels-<time>")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: all runs done, 1: stopped before, 2: the arguments cannot be used."""
    given = make_parser().parse_args(arguments)
    out = given.out or dated_folder("labels")
    try:
        if min(given.sizes) < 1 or given.test_size < 1:
            raise ValueError("--sizes, --test-size: expected 1 or more")
        if not 0 <= given.difficulty <= 1:
            raise ValueError(f"--difficulty: expected 0 to 1, got {given.difficulty}")
        return _study(given, out)
    except ValueError as error:
        print(f"label_study: {error}", file=sys.stderr)
        return 2


def _study(given: argparse.Namespace, out: Path) -> int:
    configs = {
        (size, scale): _config(given, out / f"train-{size}.csv", SCALES[scale])
        for size in sorted(given.sizes)
        for scale in SCALES
    }
    make_new(out)
    _draw(out, max(given.sizes), given)
    rows = []
    for (size, scale), config in configs.items():
        print(f"--- {size} crops, multi-scale {scale}", flush=True)
        _first_rows(out / "plates" / "labels.csv", out / f"train-{size}.csv", size)
        run = out / f"{size}-{scale}"
        outcome = train(config, run)
        if not outcome.finished:
            return 1
        export_checkpoint(outcome.checkpoint, run / "model.onnx", run.name)
        rows.append({"size": size, "multi_scale": scale, **_judged(run / "model.onnx", out / "test", given)})
        (out / "study.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(markdown(rows))
    return 0


def _config(given: argparse.Namespace, labels: Path, scale: tuple[float, float]) -> Config:
    same = {name: getattr(given, name) for name in ("arch", "steps", "seed", "workers", "threads")}
    return Config(
        data=(str(labels),),
        data_share=1.0,
        curriculum=False,
        multi_scale=scale,
        val_size=200,
        export=False,
        **same,
    )


def _draw(out: Path, size: int, given: argparse.Namespace) -> None:
    plates = PlateGenerator(given.seed, difficulty=given.difficulty, multi_scale=SCALES["off"])
    write_samples(plates, out / "plates", size, given.seed)
    test = PlateGenerator(
        TEST_SEED,
        difficulty=given.difficulty,
        multi_scale=SCALES["off"],
        widths=TEST_WIDTHS,
        held_out=True,
    )
    write_samples(test, out / "test", given.test_size, TEST_SEED)


def _first_rows(labels: Path, out: Path, size: int) -> None:
    """The head of the set as a label file of its own: every size holds the smaller ones."""
    with labels.open(encoding="utf-8") as file:
        header, *rows = islice(file, size + 1)
    out.write_text(
        "".join([header, *(f"{labels.parent.absolute()}/{row}" for row in rows)]), encoding="utf-8"
    )


def _judged(model: Path, test: Path, given: argparse.Namespace) -> Row:
    settings = Settings({})
    labels = read_labels(test / "labels.csv")
    reader = lprfast.PlateReader(model, threads=given.threads, color="bgr")
    outcome = run_rows(reader, labels.path, labels.rows, settings, lprfast.vote)
    report = make_report("test", outcome.samples, [], settings, by=["width"])
    widths = {group.name: group.crops.to_dict() for group in report.breakdowns["width"] if group.crops}
    return {"all": report.crops.to_dict(), "widths": widths}


def markdown(rows: Sequence[Row]) -> str:
    """The table for people: exact match over all test crops and per width."""
    names = list(rows[0]["widths"])
    head = [f"{name} px (n {rows[0]['widths'][name]['n']})" for name in names]
    lines = [f"| labelled crops | multi-scale | all | 95 % | {' | '.join(head)} |"]
    lines.append("|" + "---|" * (4 + len(names)))
    for row in rows:
        low, high = row["all"]["exact_match_interval"]
        each = " | ".join(f"{row['widths'][name]['exact_match']:.3f}" for name in names)
        share = row["all"]["exact_match"]
        lines.append(
            f"| {row['size']} | {row['multi_scale']} | {share:.3f} | {low:.3f}-{high:.3f} | {each} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
