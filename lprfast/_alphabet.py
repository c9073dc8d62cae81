"""The symbols of one vote, and its reads in their labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lprfast.results import PlateRead

Charset = tuple[str, ...]


class Alphabet:
    """The symbols of a vote: the common charset, if there is one, and what texts from elsewhere add to it."""

    def __init__(self, charset: Charset | None, texts: Sequence[str]) -> None:
        known = ("",) if charset is None else charset
        added = sorted(set().union(*texts) - set(known))
        self.symbols: Charset = (*known, *added) if added or len(known) > 1 else ("", "?")
        self.blank = self.symbols.index("") if "" in self.symbols else 0
        self._labels = {symbol: label for label, symbol in enumerate(self.symbols)}

    def labels(self, text: str) -> list[int]:
        return [self._labels[symbol] for symbol in text]

    def label(self, symbol: str) -> int | None:
        """None for a symbol that this vote does not know, and for the blank."""
        return self._labels.get(symbol) if symbol else None

    def text(self, labels: Sequence[int]) -> str:
        return "".join([self.symbols[label] for label in labels])

    def ballot(self, read: PlateRead) -> tuple[Any, ...]:
        runners, runner_confidences = self._runners_up(read)
        posteriors = read.log_posteriors
        return (
            None if posteriors is None else np.ascontiguousarray(posteriors),
            self.labels(read.text),
            float(read.confidence),
            read.char_confidences if len(read.char_confidences) == len(read.text) else (),
            runners,
            runner_confidences,
            [self.labels(a.text) for a in read.alternatives if self._spells(a.text)],
            min(max(int(read.width), 0), 1 << 20),
            _signature(read),
        )

    def _spells(self, text: str) -> bool:
        return all(symbol in self._labels for symbol in text)

    def _runners_up(self, read: PlateRead) -> tuple[list[int], tuple[float, ...]]:
        """The runners-up as labels; none at all when one of them is missing or no symbol of this vote."""
        labels = [self._labels.get(symbol, self.blank) for symbol in read.runners_up]
        complete = len(labels) == len(read.text) == len(read.runner_up_confidences)
        return (labels, read.runner_up_confidences) if complete and self.blank not in labels else ([], ())


def _signature(read: PlateRead) -> Any:
    signature = read.signature
    usable = isinstance(signature, np.ndarray) and signature.dtype == np.uint8 and signature.size == 64
    return np.ascontiguousarray(signature).reshape(64) if usable else None
