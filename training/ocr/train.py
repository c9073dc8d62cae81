"""The training loop."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from training.descent import descend
from training.ocr.checkpoint import CHECKPOINT, load_checkpoint
from training.ocr.config import Config
from training.ocr.data import Batch, BatchKey, BatchMaker, batches
from training.ocr.initial import Initial, calibrate, load_weights
from training.ocr.labels import LabelFile, label_file_name
from training.ocr.loss import batch_loss
from training.ocr.model import build_model
from training.ocr.run import Run, read_label_files
from training.ocr.schedule import learning_rate
from training.ocr.text import Codec
from training.ocr.world import default_workers, resolve_precision, start_world
from training.synth import CHARSET

CALIBRATION_IMAGES = 512


class Outcome(NamedTuple):
    """What became of a run: ``finished`` unless it was stopped; ``first``: this process answers for it."""

    checkpoint: Path
    finished: bool
    first: bool


def train(config: Config, out: Path, resume: bool = False, init: Initial | None = None) -> Outcome:
    """Trains a reader; its last checkpoint is ``out/last.pt``.

    ``resume`` goes on from that checkpoint with everything it holds; ``init`` starts a new run from
    trained weights: there is then no stage of easy plates, unless ``config.curriculum`` asks for it.

    Raises:
        ValueError: a label file or checkpoint cannot be used, and the message names it; or the loss or
            its gradient is no longer finite, and the last checkpoint is as it was.
    """
    _require_different_names(config.val)
    state = load_checkpoint(out / CHECKPOINT) if resume else None
    world = start_world(config.threads)
    _require_equal_shares(config.batch, world.size)
    config = dataclasses.replace(config, precision=resolve_precision(config.precision, world.device))
    if config.curriculum is None:
        config = dataclasses.replace(config, curriculum=init is None)
    if init:
        config = dataclasses.replace(config, init=init.name, init_data=init.data)
    files = read_label_files(config, config.data, "train", world)
    codec = Codec(state["charset"] if state else extended_charset(files, init.charset if init else ()))
    if new := set(extended_charset(files)) - {*CHARSET, *codec.charset}:
        raise ValueError(
            f"--data: {''.join(sorted(new))!r} came after the run started; begin another with --init"
        )
    torch.manual_seed(config.seed)
    model = build_model(config.arch, codec.classes, config.input[0])
    if init:
        load_weights(model, config, codec, init)
        if init.folded:
            calibrate(model, _calibration_images(config, codec, files))
    run = Run(config, out, world, codec, files, model)
    if state:
        run.load(state)
    try:
        finished = _loop(run)
    finally:
        run.log.close()
    world.close()
    return Outcome(out / CHECKPOINT, finished, world.first)


def _require_different_names(val: Sequence[str]) -> None:
    names = [label_file_name(spec) for spec in val]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(
                f"--val: {names.count(name)} files are called {name} (folder and file name), by which "
                "reports tell them apart; give each once, or rename a folder"
            )


def _require_equal_shares(batch: int, processes: int) -> None:
    if batch % processes or batch < 2 * processes:
        raise ValueError(
            f"--batch: expected a multiple of the number of processes, with 2 images or more for each of the "
            f"{processes}, got {batch}"
        )


def extended_charset(files: list[LabelFile], known: Sequence[str] = ()) -> tuple[str, ...]:
    """The synthetic plates' symbols, then those that only the labelled crops or ``known`` have."""
    extra = {symbol for file in files for row in file.rows for symbol in row.text} | set(known)
    extra -= set(CHARSET)
    return (*CHARSET, *sorted(extra))


def _loop(run: Run) -> bool:
    config, world = run.config, run.world
    model = world.wrap(run.model)
    workers = default_workers(world.device) if config.workers is None else config.workers
    stream = batches(run.maker, run.step, run.clock, workers, pin=world.device.type == "cuda")
    saved = validated = run.clock.minutes()
    while True:
        progress, stopped = world.agree(run.clock.progress(run.step))
        if progress >= 1 or stopped:
            break
        asked = time.monotonic()
        batch = next(stream)
        waited = time.monotonic() - asked

        lr = learning_rate(progress, config.lr)
        for group in run.optimizer.param_groups:
            group["lr"] = lr
        loss = _take_step(run, model, batch)

        minutes = run.clock.minutes()
        run.log.step(run.step, minutes, progress, lr, loss, config.batch, waited)
        if minutes - validated >= config.eval_every:
            run.validate()
            validated = run.clock.minutes()
        if minutes - saved >= config.checkpoint_minutes:
            run.save()
            saved = run.clock.minutes()
    run.save()  # first: a validation that fails must not cost the steps since the last checkpoint
    run.validate()
    run.save()
    if stopped:
        run.log.write("stopped", step=run.step, go_on_with="--resume")
    return not stopped


def _take_step(run: Run, model: nn.Module, batch: Batch) -> float:
    config = run.config
    loss = batch_loss(model, batch, run.world.device, config.precision, run.weights_of(batch))
    # The gradient is that of all processes: where it is not finite they stop together, whoever saw the loss.
    place = (run.step + 1, run.out)
    value = descend(loss, run.optimizer, run.model.parameters(), config.clip, place)
    run.ema.update(run.model, run.step)
    run.step += 1
    run.images += config.batch
    return value


def _calibration_images(config: Config, codec: Codec, files: list[LabelFile]) -> Iterator[Tensor]:
    """What training will see, the same in every process."""
    maker = BatchMaker(config, codec, files, rank=0, processes=1)
    for number in range(max(1, CALIBRATION_IMAGES // config.batch)):
        images, *_ = maker[BatchKey(number, 1.0)]
        yield torch.from_numpy(images).float()
