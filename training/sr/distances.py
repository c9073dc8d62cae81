"""How far apart an encoder sees enlarged and true patches: ``python -m training.sr.distances --help``.

The log of a run says this of its own batches, where its loss has an encoder. Here one encoder, that of
``--encoder-of``, looks at what every run makes of the same held-out patches; so runs without one can be
compared too.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from training.ocr.checkpoint import CHECKPOINT
from training.sr.checkpoint import load_checkpoint, network_of
from training.sr.config import Config
from training.sr.data import patch_of, stacked, synthetic_validation, tensors
from training.sr.losses.encoders import Encoder, ResNetEncoder
from training.sr.losses.pecl import distance
from training.sr.losses.terms import Batch

_ENCODER = "encoder."


def encoder_of(run: Path) -> tuple[Encoder, Config]:
    """The ResNet-18 of a run with PECL, in evaluation mode, and the run's settings.

    Raises:
        ValueError: the folder holds no such run.
    """
    state = load_checkpoint(run / CHECKPOINT, resume=True)
    config = Config.from_dict(state["config"])
    if config.loss != "pecl" or config.encoder != "resnet18":
        raise ValueError(f"--encoder-of {run}: expected a run of --loss pecl with --encoder resnet18")
    encoder = ResNetEncoder(config.embedding)
    weights = {name.removeprefix(_ENCODER): value for name, value in state["loss"].items()}
    encoder.load_state_dict({name: weights[name] for name in encoder.state_dict()})
    return encoder, config


def held_out_patches(config: Config) -> Batch:
    """One patch of each synthetic validation plate, the same for all runs of these settings."""
    side = (config.patch or 64) // config.scale
    rng = random.Random(config.seed)
    pairs = [patch_of(rng, pair, side, config.scale) for pair in synthetic_validation(config).pairs]
    return tensors(stacked(pairs, config.scale), torch.device("cpu"))


@torch.inference_mode()
def distances(model: nn.Module, encoder: Encoder, batch: Batch) -> dict[str, float]:
    """Mean distance of the embeddings of the network's answers and of the true patches, L1 and L2."""
    u = encoder(model(batch.low).clamp(0, 1), batch)
    v = encoder(batch.high, batch)
    return {metric: float(distance(u, v, metric).mean()) for metric in ("l1", "l2")}


def table(runs: Sequence[Path], encoder_run: Path) -> list[tuple[str, dict[str, float]]]:
    """The distances of each run's averaged weights, by its folder's name.

    Raises:
        ValueError: a folder holds no run, or one of another scale or number of channels.
    """
    encoder, config = encoder_of(encoder_run)
    batch = held_out_patches(config)
    rows = []
    for run in runs:
        state = load_checkpoint(run / CHECKPOINT)
        own = Config.from_dict(state["config"])
        if (own.scale, own.channels) != (config.scale, config.channels):
            wanted = f"x{config.scale} of {config.channels} channels"
            raise ValueError(f"{run}: expected {wanted}, got x{own.scale} of {own.channels}")
        rows.append((run.name, distances(network_of(state), encoder, batch)))
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; 0: done, 2: the arguments cannot be used."""
    parser = argparse.ArgumentParser(
        prog="python -m training.sr.distances",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders of train_sr.py")
    parser.add_argument("--encoder-of", type=Path, required=True, metavar="RUN", help="whose encoder looks")
    given = parser.parse_args(arguments)
    try:
        rows = table(given.runs, given.encoder_of)
    except ValueError as error:
        print(f"distances: {error}", file=sys.stderr)
        return 2
    for name, found in rows:
        print(f"{name}: " + ", ".join(f"{metric} {value:.3f}" for metric, value in found.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
