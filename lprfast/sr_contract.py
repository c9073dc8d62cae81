"""The contract of super-resolution models: what stands in the metadata of their ONNX files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lprfast._core import ModelError
from lprfast._metadata import MetadataReader, json_object, require

SR_CONTRACT_VERSION = 3

SCALES = (2, 4, 8)
CHANNELS = (1, 3)


@dataclass(frozen=True)
class SrContract:
    """What a super-resolution model says of itself.

    Its input ``images`` is ``float32 [N, channels, H, W]``, N, H and W free, values 0-1: uint8 pixels times
    1 / 255, gray (``channels`` 1, BT.601 luma) or red, green, blue (3). Its output ``upscaled`` is
    ``float32 [N, channels, scale * H, scale * W]``, 0-1, not clamped. ``precision`` is that of the weights,
    ``training`` the training record.

    Raises:
        ModelError: a field is out of range; the message names the metadata key.
    """

    name: str
    scale: Literal[2, 4, 8]
    channels: Literal[1, 3] = 1
    mean: float = 0.0
    pixel_scale: float = 1 / 255
    precision: Literal["fp32", "int8"] = "fp32"
    training: Mapping[str, Any] = field(default_factory=dict)
    task: str = "sr"

    def __post_init__(self) -> None:
        require(self.task == "sr", "task", "'sr'", self.task)
        require(self.scale in SCALES, "scale", "2, 4 or 8", self.scale)
        require(self.channels in CHANNELS, "channels", "1 (gray) or 3 (RGB)", self.channels)
        require(self.mean == 0, "mean", "0.0", self.mean)
        fits = abs(self.pixel_scale * 255 - 1) < 1e-6
        require(fits, "pixel_scale", f"1 / 255 ({1 / 255!r})", self.pixel_scale)
        require(self.precision in ("fp32", "int8"), "precision", "fp32 or int8", self.precision)

    def to_metadata(self) -> dict[str, str]:
        """The key-value pairs of the ONNX file."""
        return {
            "contract_version": str(SR_CONTRACT_VERSION),
            "task": self.task,
            "name": self.name,
            "scale": str(self.scale),
            "channels": str(self.channels),
            "mean": repr(float(self.mean)),
            "pixel_scale": repr(float(self.pixel_scale)),
            "precision": self.precision,
            "training": json.dumps(dict(self.training), ensure_ascii=False, sort_keys=True),
        }

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], source: str = "model") -> SrContract:
        """Reads the contract from ONNX metadata.

        Raises:
            ModelError: the model is another one, a key is missing or cannot be read, or a value is out of
                range; the message names ``source``, the key, what was expected and what came.
        """
        reader = MetadataReader(metadata, source)
        task = reader.get("task", str)
        if task == "ocr":
            raise ModelError(
                f"{source}: metadata key 'task': expected 'sr', got 'ocr': this is a reader, which is "
                "given as model=, not as a super-resolution model"
            )
        version = reader.get("contract_version", int)
        if version != SR_CONTRACT_VERSION:
            raise ModelError(
                f"{source}: contract_version is {version}, this lprfast reads super-resolution models of "
                f"version {SR_CONTRACT_VERSION}; export the model again or install the matching lprfast"
            )
        try:
            return cls(
                name=reader.get("name", str),
                scale=reader.get("scale", int),  # type: ignore[arg-type]
                channels=reader.get("channels", int),  # type: ignore[arg-type]
                mean=reader.get("mean", float),
                pixel_scale=reader.get("pixel_scale", float),
                precision=reader.get("precision", str),  # type: ignore[arg-type]
                training=reader.get("training", json_object),
                task=task,
            )
        except ModelError as error:
            if str(error).startswith(source):
                raise
            raise ModelError(f"{source}: {error}") from None
