"""Metadata of model files: read, parsed and checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lprfast._core import ModelError

T = TypeVar("T")


def require(condition: bool, key: str, expected: str, got: object) -> None:
    """Raises ModelError that names the metadata key, what was expected and what came."""
    if not condition:
        raise ModelError(f"metadata key '{key}': expected {expected}, got {got!r}")


class MetadataReader:
    """The keys of one file's metadata, parsed; ModelError names ``source`` and the key."""

    def __init__(self, metadata: Mapping[str, str], source: str) -> None:
        self._metadata = metadata
        self._source = source

    def get(self, key: str, parse: Callable[[str], T]) -> T:
        if key not in self._metadata:
            raise ModelError(
                f"{self._source}: metadata key '{key}' is missing; a model for lprfast is written by "
                "training/export.py, which stores everything needed to run it"
            )
        text = self._metadata[key]
        try:
            return parse(text)
        except (ValueError, TypeError, RecursionError) as error:
            raise ModelError(f"{self._source}: metadata key '{key}' cannot be read: {error}") from None


def string_list(text: str) -> list[str]:
    """A JSON list of strings; ValueError otherwise."""
    value = json.loads(text)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f"expected a JSON list of strings, got {text[:60]!r}")
    return value


def json_object(text: str) -> dict[str, Any]:
    """A JSON object; ValueError otherwise."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"expected a JSON object, got {text[:60]!r}")
    return value
