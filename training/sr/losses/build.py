"""The loss that a run's settings ask for."""

from __future__ import annotations

from pathlib import Path

from training.ocr.confusion import ConfusionWeights, load_confusion
from training.ocr.labels import parse_spec
from training.sr.config import Config
from training.sr.loss_settings import margin_of, pixel_of, weight_of
from training.sr.losses.adversarial import AdversarialLoss
from training.sr.losses.encoders import Encoder, ReaderEncoder, ResNetEncoder
from training.sr.losses.lcofl import Lcofl
from training.sr.losses.pecl import Pecl
from training.sr.losses.reading import ConfidenceLoss, ReadingLoss
from training.sr.losses.terms import PixelLoss, SrLoss
from training.sr.reader import FrozenReader


def build_loss(config: Config, reader: FrozenReader) -> SrLoss:
    """A fresh loss.

    Raises:
        ValueError: a file that the settings name cannot be used.
    """
    if config.loss in ("l1", "mse"):
        return PixelLoss(config.loss)
    pixel, weight = pixel_of(config), weight_of(config)
    if config.loss == "reading":
        return ReadingLoss(reader, weight, config.ratio, pixel)
    if config.loss == "lcofl":
        return Lcofl(reader, _confusion(config, reader), weight, config.ratio)
    if config.loss == "adversarial":
        return AdversarialLoss(
            reader, config.channels, config.adversarial, config.lr, weight, config.ratio, pixel
        )
    assert weight is not None  # the other two losses have one of their own
    if config.loss == "confidence":
        return ConfidenceLoss(reader, weight, pixel)
    return Pecl(
        _encoder(config, reader), config.embedding, config.contrastive, config.weighting, config.metric,
        margin_of(config), weight, pixel, config.ratio,
    )  # fmt: skip


def _encoder(config: Config, reader: FrozenReader) -> Encoder:
    if config.encoder == "reader":
        return ReaderEncoder(reader, config.embedding, not config.train_encoder)
    weights = Path(config.encoder_weights) if config.encoder_weights else None
    return ResNetEncoder(config.embedding, not config.train_encoder, weights)


def _confusion(config: Config, reader: FrozenReader) -> ConfusionWeights | None:
    if config.confusion is None:
        return None
    path, strength = parse_spec(config.confusion, "--confusion")
    return load_confusion(path, reader.codec.charset, strength)
