"""Trains super-resolution of plates: ``python training/train_sr.py --help``."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

# Runs from a clone without an installation, as a script and as a module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from training.command_line import MINUTES, finish, settle
from training.sr.checkpoint import load_checkpoint
from training.sr.config import ENCODERS, LOSSES, SELECTIONS, Config
from training.sr.export import export_checkpoint
from training.sr.loss_settings import refuse_unused
from training.sr.losses.pecl import CONTRASTIVE, METRICS, WEIGHTINGS
from training.sr.models import ARCHITECTURES, CHANNELS, SCALES
from training.sr.pairs import DEGRADATIONS
from training.sr.train import train


def make_parser() -> argparse.ArgumentParser:
    """Flags that are not given stay absent, so that a resumed run keeps what it was started with."""
    parser = argparse.ArgumentParser(description=__doc__, argument_default=argparse.SUPPRESS)
    add = parser.add_argument
    add("--arch", choices=tuple(ARCHITECTURES), help="network (default compact_42k)")
    add("--loss", choices=LOSSES, help="what is made small (default l1); see docs/super_resolution.md")
    add("--scale", type=int, choices=SCALES, help="how many times larger (default 4)")
    add("--channels", type=int, choices=CHANNELS, help="1: gray, 3: RGB (default 1)")
    add("--minutes", type=float, help=f"length of the run (default {MINUTES:g}, or --steps)")
    add("--steps", type=int, help="length of the run in optimiser steps")
    add("--batch", type=int, help="pairs a step (default 16)")
    add("--patch", type=int, help="side of what is compared, in large pixels; 0: whole plates (by loss)")
    add("--repeat", type=int, help="pairs made of each plate (default 4; 1 of whole plates only shrunk)")
    add("--lr", type=float, help="peak learning rate of Adam, with a cosine (default 0.0001)")
    add("--seed", type=int, help="decides weights and plates (default 0)")
    _add_data(parser)
    _add_loss(parser)
    add("--init", type=Path, metavar="FILE", help="start from a checkpoint or published weights (.pth)")
    add("--out", type=Path, metavar="FOLDER", help="folder of the run (default runs/sr-<time>)")
    add("--resume", action="store_true", help="go on with the run in --out")
    add("--workers", type=int, help="processes that draw plates")
    add("--threads", type=int, help="threads of the training process")
    add("--precision", choices=("auto", "fp32", "bf16"), help="arithmetic of the network (default fp32)")
    add("--eval-every", type=float, metavar="MINUTES", help="default 5")
    add("--eval-steps", type=int, metavar="N", help="validate every N steps, in place of --eval-every")
    add("--checkpoint-minutes", type=float, metavar="MINUTES", help="default 2")
    add("--select", choices=SELECTIONS, help="weights to export: best by this on synthetic plates (psnr)")
    add("--export", action=argparse.BooleanOptionalAction, help="write model.onnx at the end (default yes)")
    add("--name", help="name stored in the model file (default lprfast-sr)")
    return parser


def _add_data(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--widths", type=int, nargs=2, metavar=("LOW", "HIGH"), help="px of the large crops (96 240)")
    add("--degradation", choices=DEGRADATIONS, help="camera (default), or shrink: the mean of pixels only")
    add("--difficulty", type=float, help="0 (clean) to 1 (everything, the default)")
    add("--data", action="append", metavar="LABELS[:WEIGHT]", help="labelled crops or CCPD; repeatable")
    add("--one-line", action=argparse.BooleanOptionalAction, help="no plates of two lines (by loss)")
    add("--data-share", type=float, help="share of labelled crops (default 0.5)")
    add("--val", action="append", metavar="LABELS", help="labelled crops to report on; repeatable")
    add("--val-size", type=int, help="held-out synthetic plates to report on (default 200)")
    add("--reader", metavar="MODEL", help="what reads: a checkpoint, an fp32 ONNX file, or a name (default)")


def _add_loss(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("losses").add_argument
    add("--pixel", choices=("l1", "mse"), help="the pixel term of a loss of several (mse in PECL, else l1)")
    add("--weight", type=float, help="of the second term (confidence 0.1, pecl 0.5; else by gradients)")
    add("--ratio", type=float, help="second gradient over the first where it sets the weight (default 1)")
    add("--weight-lr", type=float, help="peak learning rate of weights that PECL learns (default as --lr)")
    add("--adversarial", type=float, help="weight of the discriminator's opinion (default 0.005)")
    add("--contrastive", choices=CONTRASTIVE, help="form of PECL's second term (default pull)")
    add("--weighting", choices=WEIGHTINGS, help="of PECL's terms (default fixed)")
    add("--metric", choices=METRICS, help="distance of PECL's embeddings (default l1)")
    add("--embedding", type=int, metavar="D", help="size of PECL's embeddings (default 128)")
    add("--margin", type=float, help="of PECL (default 2 as printed, half the mean distance in pull_push)")
    add("--encoder", choices=ENCODERS, help="of PECL (default resnet18)")
    add("--encoder-weights", metavar="FILE", help="ImageNet weights of ResNet-18 (default: random)")
    add("--train-encoder", action="store_true", help="train PECL's encoder too (default: frozen)")
    add("--confusion", metavar="FILE[:STRENGTH]", help="confusions to weight LCOFL by")


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; 0: trained, 1: the export failed, 2: the arguments cannot be used, or
    the loss is no longer finite."""
    given = vars(make_parser().parse_args(arguments))
    out, resume, init = given.pop("out", None), given.pop("resume", False), given.pop("init", None)
    try:
        if resume and init is not None:
            raise ValueError("--init starts a new run, --resume goes on with one: give one of them")
        config, out = settle(Config, given, out, resume, "sr", partial(load_checkpoint, resume=True))
        if not resume:
            refuse_unused(config, given)
        outcome = train(config, out, resume, init)
    except ValueError as error:
        print(f"train_sr: {error}", file=sys.stderr)
        return 2
    wanted = outcome.finished and config.export
    return finish("train_sr", outcome.checkpoint, wanted, partial(export_checkpoint, name=config.name))


if __name__ == "__main__":
    sys.exit(main())
