"""Exact match and character error rate."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


def edit_distance(first: str, second: str) -> int:
    """Levenshtein distance: the fewest single-character insertions, deletions and replacements.

    ``D[i][j] = min(D[i-1][j] + 1, D[i][j-1] + 1, D[i-1][j-1] + [a_i != b_j])`` with ``D[i][0] = i`` and
    ``D[0][j] = j``.
    """
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, start=1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(second, start=1):
            best = min(row[j] + 1, row[j - 1] + 1, diagonal + (left != right))
            diagonal, row[j] = row[j], best
    return row[-1]


def normalize(text: str) -> str:
    """Upper case and NFKC, letters and digits only: ``ab-12 c`` is the plate ``AB12C``."""
    upper = unicodedata.normalize("NFKC", text).upper()
    return "".join(symbol for symbol in upper if unicodedata.category(symbol)[0] in "LN")


def parse_fold(groups: str) -> dict[str, str]:
    """Reads groups of symbols that count as the same: ``O0,I1`` maps ``0`` to ``O`` and ``1`` to ``I``.

    Raises:
        ValueError: a group has fewer than two symbols, or a symbol stands twice.
    """
    table: dict[str, str] = {}
    seen: set[str] = set()
    for group in groups.split(","):
        symbols = group.strip().upper()
        if len(symbols) < 2:
            raise ValueError(f"expected groups of at least two symbols such as O0,I1, got {group!r}")
        for symbol in symbols:
            if symbol in seen:
                raise ValueError(f"symbol {symbol!r} stands twice in {groups!r}")
            seen.add(symbol)
            table[symbol] = symbols[0]
    return table


def fold(text: str, table: Mapping[str, str]) -> str:
    """Replaces each symbol by the first of its group."""
    return "".join(table.get(symbol, symbol) for symbol in text)


@dataclass(frozen=True, slots=True)
class Score:
    """Sums over crops, from which the rates follow.

    Attributes:
        n: crops.
        exact: crops whose text equals the label.
        distance: sum of edit distances.
        characters: sum of label lengths.
        within_one: crops whose text is at most one character off: an edit distance of 0 or 1.
    """

    n: int
    exact: int
    distance: int
    characters: int
    within_one: int

    @property
    def exact_match(self) -> float:
        """``exact / n``, 0-1; 0 for no crops."""
        return self.exact / self.n if self.n else 0.0

    @property
    def within_one_share(self) -> float:
        """``within_one / n``, 0-1; 0 for no crops."""
        return self.within_one / self.n if self.n else 0.0

    @property
    def cer(self) -> float:
        """``sum of edit distances / sum of label lengths``, 0 or more; above 1 for reads far too long."""
        return self.distance / self.characters if self.characters else 0.0


def score(pairs: Iterable[tuple[str, str]]) -> Score:
    """Scores pairs of (read, label), both normalised and folded already."""
    n = exact = distance = characters = within_one = 0
    for text, label in pairs:
        n += 1
        exact += text == label
        edits = edit_distance(text, label)
        distance += edits
        within_one += edits <= 1
        characters += len(label)
    return Score(n, exact, distance, characters, within_one)
