"""A larger loss for texts with characters that the reader confuses, from ``lprfast eval --confusion``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

# A character seen seldom is taken to be as hard as the average one until this many were seen.
PRIOR_COUNT = 10


class ConfusionWeights:
    """Loss weights per sample: ``1 + strength * mean error rate of the text's characters``, mean 1 per batch.

    Args:
        rates: of each symbol the error rate, 0-1.
        strength: 0 (every weight 1) or more.
    """

    def __init__(self, rates: Mapping[str, float], strength: float = 1.0) -> None:
        if not 0 <= strength < float("inf"):
            raise ValueError(f"confusion: expected a strength of 0 or more, got {strength}")
        self.rates = dict(rates)
        self.strength = strength

    def weights(self, texts: Sequence[str]) -> torch.Tensor:
        """float32 ``[N]`` with mean 1; an empty text counts as one without errors.

        Raises:
            KeyError: a text has a symbol outside the charset.
        """
        hardness = [sum(self.rates[symbol] for symbol in text) / max(len(text), 1) for text in texts]
        weights = 1 + self.strength * torch.tensor(hardness, dtype=torch.float32)
        return weights / weights.mean() if len(texts) else weights


def load_confusion(path: Path, charset: Sequence[str], strength: float = 1.0) -> ConfusionWeights:
    """Reads the file that ``lprfast eval --confusion`` writes.

    The error rate of a symbol is the share of its occurrences in labels that were read as another symbol or
    not at all, shrunk to the rate over all symbols with the weight of ``PRIOR_COUNT`` occurrences: a symbol
    that the file lacks has that rate. Inserted characters belong to no symbol and count nowhere.

    Args:
        path: the file.
        charset: the symbols that texts may have.
        strength: see :class:`ConfusionWeights`.

    Raises:
        ValueError: the file cannot be read or is no confusion matrix; the message names it.
    """
    symbols, matrix = _read(path)
    seen = {symbol: sum(row) for symbol, row in zip(symbols, matrix, strict=True) if symbol}
    wrong = {symbol: seen[symbol] - matrix[i][i] for i, symbol in enumerate(symbols) if symbol}
    overall = sum(wrong.values()) / max(sum(seen.values()), 1)
    rates = {
        symbol: (wrong.get(symbol, 0) + PRIOR_COUNT * overall) / (seen.get(symbol, 0) + PRIOR_COUNT)
        for symbol in charset
    }
    return ConfusionWeights(rates, strength)


def _read(path: Path) -> tuple[list[str], list[list[int]]]:
    expected = f"{path}: expected the JSON file that 'lprfast eval --confusion' writes"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{expected}, got no JSON ({error})") from None
    if not isinstance(document, dict) or document.get("kind") != "confusion":
        raise ValueError(f"{expected}, with kind 'confusion'")
    if document.get("schema_version") != 1:
        raise ValueError(f"{path}: schema_version: expected 1, got {document.get('schema_version')!r}")
    symbols, matrix = document.get("symbols"), document.get("matrix")
    if symbols is None or matrix is None or not _is_matrix(symbols, matrix):
        raise ValueError(f"{expected}: symbols must be strings, matrix a square of counts as large")
    return symbols, matrix


def _is_matrix(symbols: Any, matrix: Any) -> bool:
    if not isinstance(symbols, list) or not isinstance(matrix, list) or len(symbols) != len(matrix):
        return False
    if not all(isinstance(symbol, str) for symbol in symbols) or len(set(symbols)) != len(symbols):
        return False
    return all(
        isinstance(row, list) and len(row) == len(symbols) and all(type(n) is int and n >= 0 for n in row)
        for row in matrix
    )
