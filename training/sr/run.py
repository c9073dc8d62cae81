"""The state of an SR training run: what its checkpoints hold, and its reports."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from torch import nn

from training.ocr.checkpoint import CHECKPOINT as CHECKPOINT  # as part of what a run is
from training.ocr.checkpoint import save_checkpoint
from training.ocr.ema import Ema
from training.ocr.labels import LabelFile
from training.ocr.log import RunLog
from training.ocr.model import parameter_count
from training.ocr.schedule import Clock, learning_rate
from training.ocr.splits import without_trained
from training.ocr.world import World
from training.sr.checkpoint import load_weights
from training.sr.config import Config
from training.sr.data import PairMaker, ValidationSet, labelled_validation, synthetic_validation
from training.sr.evaluate import Scores, baselines, enlarge, evaluate
from training.sr.labelled import read_pairs_file
from training.sr.loss_settings import weight_lr_of
from training.sr.losses.terms import SrLoss
from training.sr.reader import FrozenReader

_READER = "reader."  # its weights are a file of their own and never change: no checkpoint holds them


def best_name(measure: str) -> str:
    """The file of the best weights by ``psnr`` or ``exact``."""
    return f"best_{measure}.pt"


def make_optimizer(model: nn.Module, loss: SrLoss, config: Config) -> torch.optim.Adam:
    """Adam; what the loss learns of its terms' weights is a group of its own, with its own rate."""
    groups: list[dict[str, Any]] = [{"params": [*model.parameters(), *loss.trained()]}]
    if weights := list(loss.learnt_weights()):
        groups.append({"params": weights})
    return torch.optim.Adam(groups, config.lr)


class Run:
    """All that changes while training, so that one place knows what a checkpoint holds."""

    def __init__(
        self, config: Config, out: Path, world: World, model: nn.Module, loss: SrLoss, reader: FrozenReader
    ) -> None:
        self.config, self.out, self.world = config, out, world
        self.reader = reader.to(world.device)
        self.model = model.to(world.device)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = loss.to(world.device).train()
        self.ema = Ema(self.model, config.ema)
        self.optimizer = make_optimizer(self.model, loss, config)
        self.step = 0
        self.images = 0
        self.validated_at: int | None = None  # the step of this start's last validation
        self.scores: dict[str, Scores] = {}
        self.best: dict[str, dict[str, float]] = {}
        files = read_files(config, "train")
        self.maker = PairMaker(config, files)
        self.validation = _validation_sets(config, files)
        self.clock = Clock(config.minutes, config.steps)
        try:
            out.mkdir(parents=True, exist_ok=True)
            self.log = RunLog(out, True)
        except OSError as error:
            raise ValueError(f"--out {out}: cannot be written to: {error.strerror or error}") from None
        self.log.write(
            "start", arch=config.arch, parameters=parameter_count(self.model), loss=config.loss,
            scale=config.scale, channels=config.channels, device=str(world.device),
            threads=torch.get_num_threads(), labelled={f.name: len(f.rows) for f in files},
        )  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        load_weights(self.model, state["model"], self.config.arch)
        load_weights(self.ema.model, state["ema"], self.config.arch)
        self.loss.load_state_dict(state["loss"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.images = state["step"], state["images"]
        self.scores, self.best = state["scores"], state["best"]
        self.clock = Clock(self.config.minutes, self.config.steps, state["minutes"])
        torch.set_rng_state(state["rng"])

    def save(self) -> None:
        loss = {name: value for name, value in self.loss.state_dict().items() if _READER not in name}
        state = {
            **self._weights(),
            "model": self.model.state_dict(),
            "loss": loss,
            "optimizer": self.optimizer.state_dict(),
            "best": self.best,
            "rng": torch.get_rng_state(),
        }
        save_checkpoint(self.out / CHECKPOINT, state)

    def _weights(self) -> dict[str, Any]:
        return {
            "config": self.config.to_dict(),
            "ema": self.ema.model.state_dict(),
            "step": self.step,
            "images": self.images,
            "minutes": self.clock.minutes(),
            "scores": self.scores,
        }

    def set_learning_rates(self, progress: float) -> float:
        """Brings every group to its rate at ``progress`` (0-1); returns the network's."""
        config = self.config
        rates = [learning_rate(progress, peak) for peak in (config.lr, weight_lr_of(config))]
        for group, rate in zip(self.optimizer.param_groups, rates, strict=False):  # the second may be absent
            group["lr"] = rate
        return rates[0]

    def report_baselines(self) -> None:
        """Writes what the network has to beat; once, at the start."""
        for data in self.validation:
            self.log.write("baseline", data=data.name, **_rounded_sets(baselines(data, self.reader)))

    def validate(self) -> None:
        """Scores the averaged weights on every set; the best by the first set are kept in files."""
        model = self.ema.model.eval()
        self.scores = {
            data.name: evaluate(data, self.reader, lambda pair: enlarge(model, pair.low))
            for data in self.validation
        }
        self.validated_at = self.step
        minutes = round(self.clock.minutes(), 2)
        self.log.write("validation", step=self.step, minutes=minutes, **_rounded_sets(self.scores))
        first = self.scores[self.validation[0].name]
        for measure in ("psnr", "exact"):
            if first[measure] > self.best.get(measure, {}).get(measure, -1.0):
                self.best[measure] = {**first, "step": float(self.step)}
                save_checkpoint(self.out / best_name(measure), self._weights())


def read_files(config: Config, split: str) -> list[LabelFile]:
    """The rows of a split in each file; rows that cannot be used are named on stderr and left out."""
    files = [
        read_pairs_file(spec, split, config.scale)
        for spec in (config.data if split == "train" else config.val)
    ]
    for file in files:
        for bad in file.bad_rows:
            print(f"{file.path}: line {bad.line} is left out: {bad.reason}", file=sys.stderr)
    return files


def _validation_sets(config: Config, training: list[LabelFile]) -> list[ValidationSet]:
    files = [without_trained(file, training) for file in read_files(config, "dev")]
    return [synthetic_validation(config), *(labelled_validation(config, file) for file in files)]


def _rounded_sets(scores: dict[str, Scores]) -> dict[str, Scores]:
    return {name: {key: round(value, 4) for key, value in each.items()} for name, each in scores.items()}
