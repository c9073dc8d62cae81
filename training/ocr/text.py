"""Texts as CTC classes and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray


def required_steps(text: str) -> int:
    """Time steps that CTC needs: one a symbol, and a blank between equal neighbours."""
    return len(text) + sum(a == b for a, b in pairwise(text))


class Codec:
    """Symbols and class numbers: class 0 is the blank, class ``i + 1`` is ``charset[i]``."""

    def __init__(self, charset: Sequence[str]) -> None:
        self.charset = tuple(charset)
        self._index = {symbol: number + 1 for number, symbol in enumerate(self.charset)}
        if len(self._index) != len(self.charset):
            raise ValueError(f"charset: expected no symbol twice, got {''.join(self.charset)!r}")

    @property
    def classes(self) -> int:
        """Number of classes, the blank included."""
        return len(self.charset) + 1

    def encode(self, text: str) -> list[int]:
        """The classes of a text.

        Raises:
            ValueError: a symbol of ``text`` is not in the charset.
        """
        try:
            return [self._index[symbol] for symbol in text]
        except KeyError as error:
            raise ValueError(f"text {text!r}: the symbol {error} is not in the charset") from None

    def decode(self, classes: Sequence[int]) -> str:
        """The text of a list of classes without blanks."""
        return "".join(self.charset[number - 1] for number in classes)

    def texts(self, targets: Sequence[int], lengths: Sequence[int]) -> list[str]:
        """The texts whose classes stand one after another in ``targets``."""
        ends = list(accumulate(lengths, initial=0))
        return [self.decode(targets[start:end]) for start, end in pairwise(ends)]

    def greedy(self, log_posteriors: NDArray[np.float32]) -> list[str]:
        """The texts of ``[N, T, K]`` by best path: equal neighbours are one symbol, blanks vanish."""
        best = log_posteriors.argmax(axis=2)
        kept = best != 0
        kept[:, 1:] &= best[:, 1:] != best[:, :-1]
        return [self.decode(row[keep].tolist()) for row, keep in zip(best, kept, strict=True)]
