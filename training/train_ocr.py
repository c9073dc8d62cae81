"""Trains the plate reader: ``python training/train_ocr.py --help``."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

# Runs from a clone without an installation, as a script, under torchrun and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from training.command_line import MINUTES, finish, settle
from training.export import export_checkpoint
from training.ocr.checkpoint import load_checkpoint
from training.ocr.config import Config
from training.ocr.initial import read_initial
from training.ocr.model import ARCHITECTURES
from training.ocr.train import train


def make_parser() -> argparse.ArgumentParser:
    """Flags that are not given stay absent, so that a resumed run keeps what it was started with."""
    parser = argparse.ArgumentParser(description=__doc__, argument_default=argparse.SUPPRESS)
    add = parser.add_argument
    add("--arch", choices=sorted(ARCHITECTURES), help="network (default aligned_slim)")
    add("--input", type=_size, metavar="HxW", help="pixels of the network's input (default: by network)")
    add("--minutes", type=float, help=f"length of the run (default {MINUTES:g}, or --steps)")
    add("--steps", type=int, help="length of the run in optimiser steps")
    add("--batch", type=int, help="images a step, over all processes (default 128)")
    add("--repeat", type=int, help="uses of each synthetic plate, augmented anew (default 2)")
    add("--lr", type=float, help="peak learning rate (default 0.003)")
    add("--seed", type=int, help="decides weights and plates (default 0)")
    add("--multi-scale", type=float, nargs=2, metavar=("LOW", "HIGH"), help="shrink factors (0.4 1.0)")
    add("--widths", metavar="SPEC", help="distribution of the synthetic plates' widths; see docs/training.md")
    add("--data", action="append", metavar="LABELS_CSV[:WEIGHT]", help="labelled crops to mix in; repeatable")
    add("--data-share", type=float, help="share of labelled crops once the easy stage is over (default 0.3)")
    add("--balance", choices=("type", "region"), help="draw these groups of labelled crops more evenly")
    add("--confusion", metavar="FILE[:STRENGTH]", help="confusions to weight the loss by")
    add("--val", action="append", metavar="LABELS_CSV", help="labelled crops to report on; repeatable")
    add("--val-size", type=int, help="held-out synthetic plates to report on (default 1000)")
    add("--out", type=Path, metavar="FOLDER", help="folder of the run (default runs/ocr-<time>)")
    add("--resume", action="store_true", help="go on with the run in --out")
    add(
        "--init", metavar="MODEL", help="start from trained weights: a checkpoint, an ONNX file, or 'default'"
    )
    curriculum = "begin with easy plates (default yes, with --init no)"
    add("--curriculum", action=argparse.BooleanOptionalAction, help=curriculum)
    add("--workers", type=int, help="processes that draw plates, for each training process")
    add("--threads", type=int, help="threads of each training process")
    add("--precision", choices=("auto", "fp32", "bf16"), help="arithmetic of the network (default auto)")
    add("--eval-every", type=float, metavar="MINUTES", help="default 5")
    add("--checkpoint-minutes", type=float, metavar="MINUTES", help="default 2")
    add("--export", action=argparse.BooleanOptionalAction, help="write model.onnx at the end (default yes)")
    add("--name", help="name stored in the model file (default lprfast-ocr)")
    return parser


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    try:
        return int(height), int(width)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected HxW such as 32x128, got {text!r}") from None


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: trained, 1: the export failed, 2: the arguments cannot be used, or
    the loss is no longer finite."""
    given = vars(make_parser().parse_args(arguments))
    out = given.pop("out", None)
    resume, init = given.pop("resume", False), given.pop("init", None)
    try:
        if resume and init is not None:
            raise ValueError("--init starts a new run, --resume goes on with one: give one of them")
        initial = None if init is None else read_initial(init)
        if initial is not None:
            given = {"arch": initial.arch, "input": initial.input, **given}
        config, out = settle(Config, given, out, resume, "ocr", load_checkpoint)
        outcome = train(config, out, resume, initial)
    except ValueError as error:
        print(f"train_ocr: {error}", file=sys.stderr)
        return 2
    if not outcome.first:
        return 0
    wanted = outcome.finished and config.export
    return finish("train_ocr", outcome.checkpoint, wanted, partial(export_checkpoint, name=config.name))


if __name__ == "__main__":
    sys.exit(main())
