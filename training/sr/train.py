"""The training loop of SR."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import torch

from training.descent import descend
from training.ocr.checkpoint import CHECKPOINT
from training.ocr.model import parameter_count
from training.ocr.world import default_workers, resolve_precision, start_world
from training.sr.checkpoint import load_checkpoint, load_weights, read_weights
from training.sr.config import Config
from training.sr.data import batches, tensors
from training.sr.losses.build import build_loss
from training.sr.losses.terms import Batch
from training.sr.models import build_model
from training.sr.reader import FrozenReader
from training.sr.run import Run, best_name


class Outcome(NamedTuple):
    """What became of a run: the checkpoint to export, and whether it came to its end."""

    checkpoint: Path
    finished: bool


def train(config: Config, out: Path, resume: bool = False, init: Path | None = None) -> Outcome:
    """Trains a network; ``out`` then holds ``last.pt``, ``best_psnr.pt``, ``best_exact.pt`` and the log.

    ``resume`` goes on from ``last.pt``; ``init`` starts a new run from trained or published weights.

    Raises:
        ValueError: a file cannot be used, and the message names it; there is nothing to train; or the loss
            or its gradient is no longer finite, and the last checkpoint is as it was.
    """
    with denormals_flushed():  # first: torch's other threads are made with the first step and keep it
        return _train(config, out, resume, init)


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Numbers under 1e-38 are taken for 0 on the processor, which is slow with them: where a gradient died
    out (``clipped_learnable``, x8, 300 steps) a step took twenty times as long."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _train(config: Config, out: Path, resume: bool, init: Path | None) -> Outcome:
    state = load_checkpoint(out / CHECKPOINT, resume=True) if resume else None
    world = start_world(config.threads)
    if world.size > 1:
        raise ValueError("train_sr.py runs in one process; start it without torchrun")
    config = dataclasses.replace(config, precision=resolve_precision(config.precision, world.device))
    torch.manual_seed(config.seed)
    model = build_model(config.arch, config.scale, config.channels)
    if not parameter_count(model):
        raise ValueError(f"--arch {config.arch}: there is nothing to train")
    if init is not None:
        config = dataclasses.replace(config, init=init.name)
        weights = read_weights(init)
        try:
            load_weights(model, weights, config.arch)
        except ValueError as error:
            raise ValueError(f"--init {init}: {error}") from None
    reader = FrozenReader.load(config.reader)
    run = Run(config, out, world, model, build_loss(config, reader), reader)
    if state:
        run.load(state)
    torch.set_flush_denormal(True)  # again: opening the reader's ONNX file undid it for this thread
    try:
        finished = _loop(run)
    finally:
        run.log.close()
    measure = config.select
    return Outcome(out / (CHECKPOINT if measure == "last" else best_name(measure)), finished)


def _loop(run: Run) -> bool:
    config, world = run.config, run.world
    workers = default_workers(world.device) if config.workers is None else config.workers
    stream = batches(run.maker, run.step, workers, pin=world.device.type == "cuda")
    if run.step == 0:
        run.report_baselines()
    saved = validated = run.clock.minutes()
    while (progress := run.clock.progress(run.step)) < 1 and not world.stop:
        asked = time.monotonic()
        batch = tensors(next(stream), world.device)
        waited = time.monotonic() - asked

        lr = run.set_learning_rates(progress)
        loss = _take_step(run, batch)

        minutes = run.clock.minutes()
        run.log.step(run.step, minutes, progress, lr, loss, config.batch, waited, run.loss.parts)
        if _is_due(config, run.step, minutes - validated):
            run.validate()
            validated = run.clock.minutes()
        if minutes - saved >= config.checkpoint_minutes:
            run.save()
            saved = run.clock.minutes()
    run.save()  # first: a validation that fails must not cost the steps since the last checkpoint
    if run.validated_at != run.step:
        run.validate()
    run.save()
    if world.stop:
        run.log.write("stopped", step=run.step, go_on_with="--resume")
    return not world.stop


def _is_due(config: Config, step: int, minutes: float) -> bool:
    """Whether to validate after ``step``; ``minutes``: since the last time. By steps where they are given, so
    that the curves of two runs have the same places."""
    return step % config.eval_steps == 0 if config.eval_steps else minutes >= config.eval_every


def _take_step(run: Run, batch: Batch) -> float:
    config = run.config
    run.model.train()
    with torch.autocast(run.world.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        upscaled = run.model(batch.low)
    upscaled = upscaled.float()
    loss = run.loss(upscaled, batch)
    place = (run.step + 1, run.out)
    value = descend(loss, run.optimizer, run.model.parameters(), config.clip, place)
    run.loss.learn(upscaled.detach(), batch)
    run.ema.update(run.model, run.step)
    run.step += 1
    run.images += config.batch
    return value
