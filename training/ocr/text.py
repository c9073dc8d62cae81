"""Texts as CTC classes and back, and how far one text is from another."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SEPARATORS = frozenset(" -.·_\t")


def normalise(text: str) -> str:
    """Upper case without the separators that stand between groups: they are not part of the number."""
    return "".join(symbol for symbol in text.upper() if symbol not in SEPARATORS)


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

    def greedy(self, log_posteriors: NDArray[np.float32]) -> list[str]:
        """The texts of ``[N, T, K]`` by best path: equal neighbours are one symbol, blanks vanish."""
        best = log_posteriors.argmax(axis=2)
        kept = best != 0
        kept[:, 1:] &= best[:, 1:] != best[:, :-1]
        return [self.decode(row[keep].tolist()) for row, keep in zip(best, kept, strict=True)]


def edit_distance(a: str, b: str) -> int:
    """Fewest insertions, deletions and substitutions that turn ``a`` into ``b``."""
    row = list(range(len(b) + 1))
    for i, symbol in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            diagonal, row[j] = row[j], min(diagonal + (symbol != other), row[j] + 1, row[j - 1] + 1)
    return row[-1]
