"""What a training step of each network costs: ``python -m training.sr.costs --help``.

Processor time of one thread, not time on the clock, so that other work on the machine changes little.
"""

from __future__ import annotations

import argparse
import sys
import time

import torch
from torch import nn

from training.ocr.model import parameter_count
from training.sr.config import Config
from training.sr.data import PairMaker, tensors
from training.sr.losses.build import build_loss
from training.sr.losses.terms import Batch, SrLoss
from training.sr.models import ARCHITECTURES, build_model
from training.sr.reader import FrozenReader

SECONDS = 4.0  # for each network, after which no further step is begun
TRAINABLE = tuple(arch for arch in ARCHITECTURES if arch != "bicubic")  # which has no parameters


def step_seconds(model: nn.Module, loss: SrLoss, batch: Batch) -> float:
    """Processor seconds of one forward and backward pass and one step of Adam; the best of some."""
    learnt = [*model.parameters(), *loss.trained(), *loss.learnt_weights()]
    optimizer = torch.optim.Adam(learnt, 1e-5)
    best, start = float("inf"), time.process_time()
    for number in range(50):
        began = time.process_time()
        upscaled = model(batch.low)
        value = loss(upscaled, batch)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        optimizer.step()
        loss.learn(upscaled.detach(), batch)
        ended = time.process_time()
        if number:  # the first makes its workspaces
            best = min(best, ended - began)
        if number and ended - start > SECONDS:
            break
    return best


def drawn_batch(config: Config) -> tuple[Batch, float]:
    """A batch, and the processor seconds that drawing it took."""
    maker = PairMaker(config, [])
    maker[0]  # loads the fonts
    began = time.process_time()
    batch = tensors(maker[1], torch.device("cpu"))
    return batch, time.process_time() - began


def line_of(config: Config) -> str:
    """What is printed of one network.

    Raises:
        ValueError: the loss or its reader cannot be built.
    """
    loss = build_loss(config, FrozenReader.load(config.reader)).train()
    batch, drawn = drawn_batch(config)
    model = build_model(config.arch, config.scale, config.channels).train()
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    spent = step_seconds(model, loss, batch)
    return (
        f"{config.arch:<12} {parameter_count(model):>11,} parameters  {spent * 1e3:8.1f} ms a step  "
        f"{1 / spent:7.2f} steps/s  low {tuple(batch.low.shape)}  batch drawn in {drawn * 1e3:.0f} ms"
    )


def make_parser() -> argparse.ArgumentParser:
    """The command line's flags; what they may be is for ``Config`` to say."""
    parser = argparse.ArgumentParser(prog="python -m training.sr.costs", description=__doc__)
    parser.add_argument("--arch", action="append", choices=TRAINABLE, help="repeatable (default all)")
    parser.add_argument("--loss", default="l1", help="as for train_sr.py (default %(default)s)")
    parser.add_argument("--scale", type=int, default=4, help="default %(default)s")
    parser.add_argument("--channels", type=int, default=1, help="default %(default)s")
    parser.add_argument("--batch", type=int, default=16, help="default %(default)s")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Prints one line for each network; the exit code: 2 if an argument cannot be used."""
    given = vars(make_parser().parse_args(arguments))
    torch.set_num_threads(1)
    try:
        for arch in given.pop("arch") or TRAINABLE:
            print(line_of(Config(arch=arch, steps=1, **given)), flush=True)
    except ValueError as error:
        print(f"costs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
