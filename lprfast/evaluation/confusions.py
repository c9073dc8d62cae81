"""Which characters are read as which, from aligned texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CONFUSION_SCHEMA_VERSION = 1
GAP = ""  # the other side of an inserted or missing character

Pair = tuple[str, str]


def align(label: str, text: str) -> list[Pair]:
    """The label's and the read's characters side by side, at the smallest edit distance.

    Where several alignments are as short, the one is taken that, from the end backwards, prefers a pair over
    a missing character over an inserted one: ``AAB`` read as ``AB`` lacks its first ``A``.

    Returns:
        ``(label character, read character)`` in order; ``""`` on the left is an inserted character, on the
        right a missing one.
    """
    table = _distances(label, text)
    pairs: list[Pair] = []
    i, j = len(label), len(text)
    while i or j:
        if i and j and table[i][j] == table[i - 1][j - 1] + (label[i - 1] != text[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((label[i], text[j]))
        elif i and table[i][j] == table[i - 1][j] + 1:
            i -= 1
            pairs.append((label[i], GAP))
        else:
            j -= 1
            pairs.append((GAP, text[j]))
    return pairs[::-1]


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often each label character was read as each.

    Attributes:
        counts: of ``(label character, read character)``, right ones among them; ``""`` on the left: inserted,
            on the right: missing.
        texts: aligned.
    """

    counts: Mapping[Pair, int]
    texts: int

    def worst(self, limit: int = 10) -> list[tuple[str, str, int]]:
        """The most frequent wrong pairs ``(label, read, count)``; of equals the first in code point order."""
        wrong = [(*pair, n) for pair, n in self.counts.items() if pair[0] != pair[1]]
        return sorted(wrong, key=lambda entry: (-entry[2], entry[0], entry[1]))[:limit]

    def symbols(self) -> list[str]:
        """All characters that occur, sorted, after ``""``."""
        return [GAP, *sorted({symbol for pair in self.counts for symbol in pair} - {GAP})]

    def to_dict(self) -> dict[str, Any]:
        """The whole matrix: ``matrix[i][j]`` counts ``symbols[i]`` read as ``symbols[j]``.

        ``symbols[0]`` is "": row 0 holds inserted characters and column 0 missing ones.
        """
        symbols = self.symbols()
        return {
            "schema_version": CONFUSION_SCHEMA_VERSION,
            "kind": "confusion",
            "texts": self.texts,
            "symbols": symbols,
            "matrix": [[self.counts.get((label, read), 0) for read in symbols] for label in symbols],
        }


def confusion(pairs: Iterable[tuple[str, str]]) -> Confusion:
    """Counts the aligned characters of ``(text read, label)`` pairs, both prepared.

    Pairs with an empty text are left out: a crop that was not read says nothing about its characters.
    """
    counts: Counter[Pair] = Counter()
    texts = 0
    for text, label in pairs:
        if text:
            texts += 1
            counts.update(align(label, text))
    return Confusion(dict(counts), texts)


def _distances(label: str, text: str) -> list[list[int]]:
    """``table[i][j]``: edit distance of the first i characters of the label and the first j of the text."""
    table = [list(range(len(text) + 1))]
    for i, left in enumerate(label, start=1):
        row = [i]
        for j, right in enumerate(text, start=1):
            row.append(min(table[-1][j] + 1, row[-1] + 1, table[-1][j - 1] + (left != right)))
        table.append(row)
    return table
