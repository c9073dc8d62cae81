"""How many plates to label? Fine-tunes on more and more of a label file, judged on its other half."""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from torch import nn

from lprfast.evaluation import Sample, Settings, fold, make_report, parse_fold
from training.command_line import dated_folder, make_new
from training.ocr.checkpoint import averaged_model, load_checkpoint
from training.ocr.config import Config
from training.ocr.data import ValidationSet, labelled_validation, synthetic_validation
from training.ocr.evaluate import evaluate, read
from training.ocr.initial import Initial, load_weights, read_initial
from training.ocr.labels import LabelFile, LabelledCrop, read_label_file
from training.ocr.model import build_model, time_steps
from training.ocr.text import Codec
from training.ocr.train import train

Row = dict[str, Any]


def make_parser() -> argparse.ArgumentParser:
    """The defaults are those recommended to users: docs/training.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("labels", metavar="LABELS_CSV", help="labelled crops, all of one kind; its column split is not used")
    add("--sizes", type=int, nargs="+", default=[25, 50, 100, 200], help="crops to train on (%(default)s)")
    add("--init", default="default", metavar="MODEL", help="model to start from (%(default)s)")
    add("--steps", type=int, default=400, help="optimiser steps of each size (%(default)s)")
    add("--minutes", type=float, help="end of each size, if it comes before --steps")
    add("--lr", type=float, default=5e-4, help="peak learning rate (%(default)s)")
    add("--data-share", type=float, default=0.5, help="share of your crops in a batch (%(default)s)")
    add("--batch", type=int, default=128, help="images a step (%(default)s)")
    add("--fold", metavar="O0,I1", help="symbols that count as the same")
    add("--seed", type=int, default=0, help="decides the halves and the order of the crops (%(default)s)")
    add("--val-size", type=int, default=1000, help="synthetic plates that show what is forgotten")
    add("--workers", type=int, help="processes that draw plates")
    add("--threads", type=int, help="threads of the training process")
    add("--out", type=Path, metavar="FOLDER", help="default runs/finetune-<time>")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: all sizes done, 1: stopped before, 2: the arguments cannot be used."""
    given = make_parser().parse_args(arguments)
    out = given.out or dated_folder("finetune")
    try:
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise ValueError("expected one process: run it without torchrun")
        return _study(given, out)
    except ValueError as error:
        print(f"finetune_study: {error}", file=sys.stderr)
        return 2


def _study(given: argparse.Namespace, out: Path) -> int:
    table = parse_fold(given.fold) if given.fold else {}
    initial = read_initial(given.init)
    file = read_label_file(given.labels, None, time_steps(initial.arch, initial.input))
    train_half, test_half = halves(file.rows, table, given.seed)
    for size in given.sizes:
        if not 1 <= size <= len(train_half):
            raise ValueError(f"--sizes: expected 1 to {len(train_half)} (half of the file), got {size}")
    configs = {size: _config(given, initial, out / f"train-{size}.csv") for size in sorted(given.sizes)}
    make_new(out)
    test = labelled_validation(LabelFile(file.path, 1.0, test_half), initial.input)
    synthetic = synthetic_validation(given.val_size, initial.input)

    codec = Codec(initial.charset)
    model = build_model(initial.arch, codec.classes, initial.input[0]).eval()
    load_weights(model, Config(arch=initial.arch, input=initial.input), codec, initial)
    rows = [_judged(0, model, codec, test, synthetic, table)]
    for size, config in configs.items():
        print(f"--- {size} of {len(train_half)} crops; judged on {len(test_half)} others ---", flush=True)
        _write_labels(out / f"train-{size}.csv", train_half[:size])
        outcome = train(config, out / f"size-{size}", init=initial)
        state = load_checkpoint(outcome.checkpoint)
        codec = Codec(state["charset"])
        row = _judged(size, averaged_model(state).eval(), codec, test, synthetic, table)
        rows.append({**row, "minutes": round(state["minutes"], 2), "steps": state["step"]})
        _write(out, given, initial, rows)
        if not outcome.finished:
            return 1
    print((out / "study.md").read_text(encoding="utf-8"))
    return 0


def halves(
    rows: Sequence[LabelledCrop], table: Mapping[str, str], seed: int
) -> tuple[tuple[LabelledCrop, ...], tuple[LabelledCrop, ...]]:
    """Rows that train, in random order, and rows that judge: half each, no (folded) text on both sides.

    Raises:
        ValueError: there are fewer than two texts.
    """
    texts = sorted({fold(row.text, table) for row in rows})
    if len(texts) < 2:
        raise ValueError("expected labels of two plates at least, to train on one and judge on the other")
    random = np.random.default_rng(seed)
    sides: dict[str, bool] = {}
    trained = 0
    for text in random.permutation(texts).tolist():
        sides[text] = 2 * trained < len(rows) and len(sides) < len(texts) - 1
        trained += sides[text] * sum(fold(row.text, table) == text for row in rows)
    train_half = [row for row in rows if sides[fold(row.text, table)]]
    test_half = tuple(row for row in rows if not sides[fold(row.text, table)])
    return tuple(train_half[i] for i in random.permutation(len(train_half))), test_half


def _config(given: argparse.Namespace, initial: Initial, labels: Path) -> Config:
    same = ("steps", "minutes", "lr", "data_share", "batch", "seed", "val_size", "workers", "threads")
    flags = {name: getattr(given, name) for name in same}
    return Config(arch=initial.arch, input=initial.input, data=(str(labels),), export=False, **flags)


def _write_labels(path: Path, rows: Sequence[LabelledCrop]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "text", "type", "region"])
        writer.writerows([row.path.absolute(), row.text, row.type, row.region] for row in rows)


def _judged(
    size: int,
    model: nn.Module,
    codec: Codec,
    test: ValidationSet,
    synthetic: ValidationSet,
    table: Mapping[str, str],
) -> Row:
    settings = Settings(table)
    samples = []
    for raw, label in zip(read(model, codec, test), test.texts, strict=True):
        text, label = settings.prepare(raw), settings.prepare(label)
        samples.append(Sample(text, label, raw, "ok", cluster=label))
    rates = make_report(test.name, samples, [], settings).crops.to_dict()
    drawn = evaluate(model, codec, synthetic).exact_match
    return {"size": size, **rates, "synthetic_exact_match": drawn, "minutes": 0.0, "steps": 0}


def _write(out: Path, given: argparse.Namespace, initial: Initial, rows: Sequence[Row]) -> None:
    settings = {key: value for key, value in vars(given).items() if key not in ("labels", "out")}
    study = {"init": initial.name, "settings": settings, "rows": rows}
    (out / "study.json").write_text(json.dumps(study, indent=1), encoding="utf-8")
    (out / "study.md").write_text(markdown(rows), encoding="utf-8")


def markdown(rows: Sequence[Row]) -> str:
    """The table for people."""
    lines = [
        "| labelled crops | exact match | 95 % interval | CER | synthetic plates | minutes |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        ends = row["exact_match_interval"]
        interval = f"{ends[0]:.3f} - {ends[1]:.3f}" if ends else "-"
        lines.append(
            f"| {row['size']} | {row['exact_match']:.3f} | {interval} | {row['cer']:.4f} "
            f"| {row['synthetic_exact_match']:.3f} | {row['minutes']:.1f} |"
        )
    n, texts = rows[0]["n"], rows[0]["clusters"]
    return "\n".join([*lines, "", f"Judged on {n} crops of {texts} plates; the interval is over plates.\n"])


if __name__ == "__main__":
    sys.exit(main())
