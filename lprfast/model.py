"""The model contract: everything needed to run a model stands in the metadata of its one ONNX file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lprfast._core import ModelError
from lprfast._logistic import check_logistic
from lprfast._metadata import MetadataReader, json_object, require, string_list
from lprfast.vote_settings import VoteSettings, check_vote

CONTRACT_VERSION = 3
# Files of this version lack these keys: their reads expect no layouts and vote with the built-in settings.
VERSION_BEFORE = 2
NEW_KEYS = ("layouts", "vote")

# What the confidence may be calibrated by; csrc/pipeline/calibrate.cpp computes them.
CALIBRATION_FEATURES = (
    "logit_confidence",
    "logit_min_character",
    "log_width",
    "log_sharpness",
    "log_contrast",
    "length",
)

# Wider than anything of use, narrow enough that float32 arithmetic stays finite.
_RANGES = {"mean": (-1e4, 1e4), "scale": (1e-6, 1e4), "temperature": (0.01, 100.0)}

_CHOICES = {
    "resize_fit": ("stretch", "letterbox"),
    "resize_kernel": ("bilinear", "bicubic"),
    "output": ("log_posteriors", "logits"),
    "two_line": ("none", "halves"),
    "precision": ("fp32", "int8"),
}


@dataclass(frozen=True)
class ModelContract:
    """What an OCR model says of itself.

    A crop becomes ``float32 [N, input_channels, input_height, input_width]`` by ``(gray - mean) * scale``
    with gray in 0-255, after a resize by ``resize_fit`` and ``resize_kernel``. The model answers
    ``float32 [N, T, K]`` with ``K = len(charset) + 1``: class ``blank`` is the CTC blank, the others are the
    charset in order. ``two_line`` says how a plate of two lines is read: ``halves`` (the model answers
    nothing to the whole and reads its top and bottom half) or ``none`` (not at all). ``precision`` is that of
    the weights. ``calibration`` is empty or what ``training/calibrate.py`` writes, see docs/calibration.md.
    ``layouts`` are those that its reads expect unless the user says otherwise, see docs/layouts.md. ``vote``
    is empty or what ``training/calibrate_vote.py`` writes, see docs/voting.md.
    """

    name: str
    charset: tuple[str, ...]
    blank: int = 0
    input_height: int = 32
    input_width: int = 128
    input_channels: int = 1
    mean: float = 127.5
    scale: float = 1 / 64
    resize_fit: Literal["stretch", "letterbox"] = "stretch"
    resize_kernel: Literal["bilinear", "bicubic"] = "bicubic"
    output: Literal["log_posteriors", "logits"] = "log_posteriors"
    two_line: Literal["none", "halves"] = "none"
    precision: Literal["fp32", "int8"] = "fp32"
    temperature: float = 1.0
    calibration: Mapping[str, Any] = field(default_factory=dict)
    layouts: tuple[str, ...] = ()
    vote: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    task: str = "ocr"

    def __post_init__(self) -> None:
        _check(self)

    @property
    def classes(self) -> int:
        """Number of classes K, the blank included."""
        return len(self.charset) + 1

    @property
    def vote_settings(self) -> VoteSettings | None:
        """How its reads vote; None: as the built-in settings say."""
        return VoteSettings.from_dict(self.vote)

    @property
    def stop_at(self) -> float | None:
        """The probability at which reading a track best first may end; None: all is read."""
        return self.vote.get("stop_at")

    def to_metadata(self) -> dict[str, str]:
        """The key-value pairs that ``training/export.py`` writes into the ONNX file."""
        return {
            "contract_version": str(CONTRACT_VERSION),
            "task": self.task,
            "name": self.name,
            "charset": json.dumps(list(self.charset), ensure_ascii=False),
            "blank": str(self.blank),
            "input_height": str(self.input_height),
            "input_width": str(self.input_width),
            "input_channels": str(self.input_channels),
            "mean": repr(float(self.mean)),
            "scale": repr(float(self.scale)),
            "resize_fit": self.resize_fit,
            "resize_kernel": self.resize_kernel,
            "output": self.output,
            "two_line": self.two_line,
            "precision": self.precision,
            "temperature": repr(float(self.temperature)),
            "calibration": json.dumps(dict(self.calibration), ensure_ascii=False, sort_keys=True),
            "layouts": json.dumps(list(self.layouts), ensure_ascii=False),
            "vote": json.dumps(dict(self.vote), ensure_ascii=False, sort_keys=True),
            "training": json.dumps(dict(self.training), ensure_ascii=False, sort_keys=True),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: str = "model") -> ModelContract:
        """Reads the contract from ONNX metadata.

        Raises:
            ModelError: a key is missing or cannot be read, or keys contradict one another; the message names
                ``source``, the key, what was expected and what came.
        """
        if metadata.get("task") == "sr":
            raise ModelError(
                f"{source}: metadata key 'task': expected 'ocr', got 'sr': this is a super-resolution model, "
                "which is given as sr=, not as model="
            )
        reader = MetadataReader(metadata, source)
        version = reader.get("contract_version", int)
        if version not in (VERSION_BEFORE, CONTRACT_VERSION):
            raise ModelError(
                f"{source}: contract_version is {version}, this lprfast reads version "
                f"{VERSION_BEFORE} and {CONTRACT_VERSION}; "
                "export the model again or install the matching lprfast"
            )
        new = version == CONTRACT_VERSION
        for key in NEW_KEYS:
            if not new and key in metadata:
                raise ModelError(
                    f"{source}: metadata key '{key}' belongs to contract_version {CONTRACT_VERSION}, and "
                    f"contract_version is {version}; write the model again with training/calibrate_vote.py"
                )
        try:
            return cls(
                name=reader.get("name", str),
                charset=tuple(reader.get("charset", string_list)),
                blank=reader.get("blank", int),
                input_height=reader.get("input_height", int),
                input_width=reader.get("input_width", int),
                input_channels=reader.get("input_channels", int),
                mean=reader.get("mean", float),
                scale=reader.get("scale", float),
                resize_fit=reader.get("resize_fit", str),  # type: ignore[arg-type]
                resize_kernel=reader.get("resize_kernel", str),  # type: ignore[arg-type]
                output=reader.get("output", str),  # type: ignore[arg-type]
                two_line=reader.get("two_line", str),  # type: ignore[arg-type]
                precision=reader.get("precision", str),  # type: ignore[arg-type]
                temperature=reader.get("temperature", float),
                calibration=reader.get("calibration", json_object),
                layouts=tuple(reader.get("layouts", string_list)) if new else (),
                vote=reader.get("vote", json_object) if new else {},
                training=reader.get("training", json_object),
                task=reader.get("task", str),
            )
        except ModelError as error:
            if str(error).startswith(source):
                raise
            raise ModelError(f"{source}: {error}") from None


def _check(contract: ModelContract) -> None:
    require(contract.task == "ocr", "task", "'ocr'", contract.task)
    require(len(contract.charset) > 0, "charset", "at least one symbol", contract.charset)
    for symbol in contract.charset:
        # One code point a symbol, so that arrays of per-character values are as long as the text.
        require(len(symbol) == 1, "charset", "symbols of one character", symbol)
        require(not 0xD800 <= ord(symbol) <= 0xDFFF, "charset", "characters, no lone surrogates", symbol)
    require(
        len(set(contract.charset)) == len(contract.charset), "charset", "no symbol twice", contract.charset
    )
    require(0 <= contract.blank < contract.classes, "blank", f"0 to {contract.classes - 1}", contract.blank)
    for key in ("input_height", "input_width"):
        require(1 <= getattr(contract, key) <= 4096, key, "1 to 4096", getattr(contract, key))
    require(contract.input_channels == 1, "input_channels", "1 (gray)", contract.input_channels)
    for key, (low, high) in _RANGES.items():
        value = getattr(contract, key)
        require(low <= value <= high, key, f"a number from {low:g} to {high:g}", value)
    for key, known in _CHOICES.items():
        value = getattr(contract, key)
        require(value in known, key, " or ".join(known), value)
    if contract.calibration:
        # A text that the model is surer of must not count as less likely.
        check_logistic("calibration", contract.calibration, CALIBRATION_FEATURES, ("logit_confidence",))
    require(all(contract.layouts), "layouts", "names, none of them empty", contract.layouts)
    if contract.vote:
        check_vote(contract.vote)
