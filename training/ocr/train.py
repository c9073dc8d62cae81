"""The training loop."""

from __future__ import annotations

import dataclasses
import functools
import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lprfast.evaluation.metrics import score
from training.ocr.align import Aligned, answers_of, corner_loss
from training.ocr.checkpoint import load_checkpoint, save_checkpoint
from training.ocr.config import Config
from training.ocr.confusion import ConfusionWeights, load_confusion
from training.ocr.data import (
    Batch,
    BatchKey,
    BatchMaker,
    ValidationSet,
    batches,
    labelled_validation,
    synthetic_validation,
)
from training.ocr.ema import Ema
from training.ocr.evaluate import read, scores_of_groups
from training.ocr.initial import Initial, calibrate, load_weights
from training.ocr.labels import LabelFile, label_file_name, parse_spec, read_label_file
from training.ocr.log import RunLog
from training.ocr.model import build_model, parameter_count, time_steps
from training.ocr.schedule import Clock, learning_rate
from training.ocr.splits import without_trained
from training.ocr.text import Codec
from training.ocr.world import World, default_workers, resolve_precision, start_world
from training.synth import CHARSET

CHECKPOINT = "last.pt"
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
    files = _label_files(config, config.data, "train", world)
    codec = Codec(state["charset"] if state else extended_charset(files))
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
    run = _Run(config, out, world, codec, files, model)
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


def extended_charset(files: list[LabelFile]) -> tuple[str, ...]:
    """The synthetic plates' symbols, then those that only the labelled crops have."""
    extra = {symbol for file in files for row in file.rows for symbol in row.text} - set(CHARSET)
    return (*CHARSET, *sorted(extra))


class _Run:
    """All that changes while training, so that one place knows what a checkpoint holds."""

    def __init__(
        self,
        config: Config,
        out: Path,
        world: World,
        codec: Codec,
        files: list[LabelFile],
        model: nn.Module,
    ) -> None:
        self.config, self.out, self.world, self.codec = config, out, world, codec
        self.model = model.to(world.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = Ema(self.model, config.ema)
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), config.lr, weight_decay=config.weight_decay
        )
        self.step = 0
        self.images = 0
        self.scores: dict[str, dict[str, float]] = {}
        self.maker = BatchMaker(config, codec, files, world.rank, world.size)
        self.loss_weights = _loss_weights(config, codec)
        self.validation = _validation_sets(config, world, files) if world.first else []
        self.clock = Clock(config.minutes, config.steps)
        # Nothing is written before all that was given has been read.
        try:
            if world.first:
                out.mkdir(parents=True, exist_ok=True)
            self.log = RunLog(out, world.first)
        except OSError as error:
            raise ValueError(f"--out {out}: cannot be written to: {error.strerror or error}") from None
        self.log.write(
            "start", arch=config.arch, parameters=parameter_count(self.model), classes=codec.classes,
            device=str(world.device), processes=world.size, threads=torch.get_num_threads(),
            precision=config.precision, input="x".join(map(str, config.input)),
            labelled={f.name: len(f.rows) for f in files},
        )  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        self.model.load_state_dict(state["model"])
        self.ema.model.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.images, self.scores = state["step"], state["images"], state["scores"]
        self.clock = Clock(self.config.minutes, self.config.steps, state["minutes"])
        torch.set_rng_state(state["rng"])

    def save(self) -> None:
        if not self.world.first:
            return
        state = {
            "config": self.config.to_dict(),
            "charset": list(self.codec.charset),
            "model": self.model.state_dict(),
            "ema": self.ema.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "images": self.images,
            "minutes": self.clock.minutes(),
            "scores": self.scores,
            "rng": torch.get_rng_state(),
        }
        save_checkpoint(self.out / CHECKPOINT, state)

    def weights_of(self, batch: Batch) -> Tensor | None:
        """How much each image of the batch counts; None: all the same."""
        if self.loss_weights is None:
            return None
        texts = self.codec.texts(batch.targets.tolist(), batch.lengths.tolist())
        return self.loss_weights.weights(texts)

    def validate(self) -> None:
        if not self.world.first:
            return
        model = self.ema.model.eval()
        reads = {data.name: read(model, self.codec, data) for data in self.validation}
        scores = {
            data.name: score(zip(reads[data.name], data.texts, strict=True)) for data in self.validation
        }
        self.scores = {
            name: {"count": s.n, "exact": s.exact_match, "cer": s.cer} for name, s in scores.items()
        }
        exact = {name: round(s["exact"], 4) for name, s in self.scores.items()}
        cer = {name: round(s["cer"], 4) for name, s in self.scores.items()}
        minutes = round(self.clock.minutes(), 2)
        self.log.write("validation", step=self.step, minutes=minutes, exact=exact, cer=cer)
        for data in self.validation:
            for column in data.groups:
                groups = scores_of_groups(reads[data.name], data, column)
                self.log.write(
                    "groups", data=data.name, column=column,
                    exact={group: round(s.exact_match, 4) for group, s in groups.items()},
                    count={group: s.n for group, s in groups.items()},
                )  # fmt: skip


def _loop(run: _Run) -> bool:
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


def _take_step(run: _Run, model: nn.Module, batch: Batch) -> float:
    config = run.config
    loss = batch_loss(model, batch, run.world.device, config.precision, run.weights_of(batch))
    run.optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(run.model.parameters(), config.clip)
    value = float(loss.detach())
    # The gradient is that of all processes: they stop together, whichever saw the loss.
    if not (math.isfinite(value) and math.isfinite(float(norm))):
        raise ValueError(
            f"step {run.step + 1}: the loss is {value:g} and the norm of its gradient {float(norm):g}, "
            f"expected finite numbers; the last checkpoint in {run.out} is as it was; try a lower --lr, or "
            "--precision fp32"
        )
    run.optimizer.step()
    run.ema.update(run.model, run.step)
    run.step += 1
    run.images += config.batch
    return value


def batch_loss(
    model: nn.Module, batch: Batch, device: torch.device, precision: str, weights: Tensor | None = None
) -> Tensor:
    """CTC loss per symbol, averaged over the batch. The network may run in bf16, the loss always in fp32.

    ``weights``, float32 ``[N]``: how much each image counts; all the same without them.
    """
    images = batch.images.to(device, torch.float32, non_blocking=True)
    images = images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        answers, corners = answers_of(model(images, *_hints(model, batch, device)))
    steps = torch.full((len(images),), answers.shape[1], dtype=torch.int64)
    loss = functools.partial(
        functional.ctc_loss,
        answers.transpose(0, 1), batch.targets.to(device), steps, batch.lengths, zero_infinity=True,
    )  # fmt: skip
    if weights is None:
        total = loss()
    else:
        per_symbol = loss(reduction="none") / batch.lengths.clamp(min=1).to(device)
        total = (per_symbol * weights.to(device)).mean()
    if corners is None or batch.corners is None:
        return total
    return total + corner_loss(corners, batch.corners.to(device))


def _hints(model: nn.Module, batch: Batch, device: torch.device) -> tuple[Tensor, ...]:
    """What a network with a locator takes beside the images; others take nothing."""
    located = isinstance(getattr(model, "module", model), Aligned)
    return (batch.hints.to(device),) if located and batch.hints is not None else ()


def _label_files(config: Config, specs: Sequence[str], split: str, world: World) -> list[LabelFile]:
    steps = time_steps(config.arch, config.input)
    files = [read_label_file(spec, split, steps) for spec in specs]
    for file in files if world.first else ():
        for bad in file.bad_rows:
            print(f"{file.path}: line {bad.line} is left out: {bad.reason}", file=sys.stderr)
    return files


def _validation_sets(config: Config, world: World, training: Sequence[LabelFile]) -> list[ValidationSet]:
    files = [without_trained(file, training) for file in _label_files(config, config.val, "dev", world)]
    labelled = [labelled_validation(file, config.input) for file in files]
    return [synthetic_validation(config.val_size, config.input), *labelled]


def _loss_weights(config: Config, codec: Codec) -> ConfusionWeights | None:
    if config.confusion is None:
        return None
    path, strength = parse_spec(config.confusion, "--confusion")
    return load_confusion(path, codec.charset, strength)


def _calibration_images(config: Config, codec: Codec, files: list[LabelFile]) -> Iterator[Tensor]:
    """What training will see, the same in every process."""
    maker = BatchMaker(config, codec, files, rank=0, processes=1)
    for number in range(max(1, CALIBRATION_IMAGES // config.batch)):
        images, *_ = maker[BatchKey(number, 1.0)]
        yield torch.from_numpy(images).float()
