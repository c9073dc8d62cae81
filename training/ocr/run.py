"""The state of a training run: what its checkpoints hold, and its reports."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lprfast.evaluation.metrics import score
from training.ocr.checkpoint import CHECKPOINT, save_checkpoint
from training.ocr.config import Config
from training.ocr.confusion import ConfusionWeights, load_confusion
from training.ocr.data import Batch, BatchMaker, ValidationSet, labelled_validation, synthetic_validation
from training.ocr.ema import Ema
from training.ocr.evaluate import read, scores_of_groups
from training.ocr.labels import LabelFile, parse_spec, read_label_file
from training.ocr.log import RunLog
from training.ocr.model import parameter_count, time_steps
from training.ocr.schedule import Clock
from training.ocr.splits import without_trained
from training.ocr.text import Codec
from training.ocr.world import World


class Run:
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


def read_label_files(config: Config, specs: Sequence[str], split: str, world: World) -> list[LabelFile]:
    """The rows of a split in each file; rows that cannot be used are named on stderr and left out."""
    steps = time_steps(config.arch, config.input)
    files = [read_label_file(spec, split, steps) for spec in specs]
    for file in files if world.first else ():
        for bad in file.bad_rows:
            print(f"{file.path}: line {bad.line} is left out: {bad.reason}", file=sys.stderr)
    return files


def _validation_sets(config: Config, world: World, training: Sequence[LabelFile]) -> list[ValidationSet]:
    files = [without_trained(file, training) for file in read_label_files(config, config.val, "dev", world)]
    labelled = [labelled_validation(file, config.input) for file in files]
    return [synthetic_validation(config.val_size, config.input), *labelled]


def _loss_weights(config: Config, codec: Codec) -> ConfusionWeights | None:
    if config.confusion is None:
        return None
    path, strength = parse_spec(config.confusion, "--confusion")
    return load_confusion(path, codec.charset, strength)
