"""Guards against results that a wiring fault explains, not the reader.

A charset that is off by one (a blank or pad symbol counted in one place and not in another) turns every right
read into a wrong one: a perfect reader then scores 0 %, below blind guessing, and looks merely bad.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lprfast.evaluation.metrics import score

MIN_CHARACTERS = 200
_SHIFTS = (-3, -2, -1, 1, 2, 3)

# Aligned by edit distance, even random texts share some characters: far above what chance reaches.
_MIN_SHIFTED_ACCURACY = 0.4
_MAX_GUESSED_ACCURACY = 0.25

_NO_NAMES = (("synthetic",), ("labels.csv",))


@dataclass(frozen=True, slots=True)
class ShiftFinding:
    """A charset shift that explains a result.

    Attributes:
        shift: places that each read symbol must move in the charset to be right.
        accuracy: character accuracy as read, ``max(0, 1 - CER)``.
        shifted_accuracy: the same after the shift.
    """

    shift: int
    accuracy: float
    shifted_accuracy: float

    def __str__(self) -> str:
        return (
            f"the charset is off by {self.shift:+d}: character accuracy is {self.accuracy:.1%} as read and "
            f"{self.shifted_accuracy:.1%} when each symbol moves {self.shift:+d} places in the charset. "
            "The model's charset or blank index does not fit its weights; this is not the reader's accuracy. "
            "Export the model again with training/export.py."
        )


def find_shift(
    texts: Sequence[str],
    labels: Sequence[str],
    charset: Sequence[str],
    prepare: Callable[[str], str] = str,
) -> ShiftFinding | None:
    """Looks for a shift of the charset by 1 to 3 places, either way, that at least doubles the accuracy.

    Symbols that a shift moves off the charset's end are dropped, as a decoder drops a pad symbol.

    Args:
        texts: as read, before any normalising.
        labels: normalised and folded.
        charset: the symbols in the model's order, without the blank.
        prepare: normalises and folds a shifted text before it is compared.

    Returns:
        The best shift, or None: fewer than ``MIN_CHARACTERS`` were read, or no shift explains the result.
    """
    if sum(map(len, texts)) < MIN_CHARACTERS:
        return None
    accuracy = _accuracy([prepare(text) for text in texts], labels)
    if 2 * accuracy > 1:
        return None
    findings = []
    for shift in _SHIFTS:
        table = _shift_table(charset, shift)
        shifted = [prepare(text.translate(table)) for text in texts]
        findings.append(ShiftFinding(shift, accuracy, _accuracy(shifted, labels)))
    best = max(findings, key=lambda finding: finding.shifted_accuracy)
    explains = best.shifted_accuracy >= max(_MIN_SHIFTED_ACCURACY, 2 * accuracy)
    return best if explains else None


def positional_accuracy(texts: Sequence[str], labels: Sequence[str]) -> float:
    """``sum_i [text_i == label_i] / characters read``, position by position, 0-1; 0 where none were read."""
    same = sum(
        left == right
        for text, label in zip(texts, labels, strict=True)
        for left, right in zip(text, label, strict=False)
    )
    total = sum(map(len, texts))
    return same / total if total else 0.0


def below_chance(texts: Sequence[str], labels: Sequence[str], symbols: int) -> str | None:
    """A warning when the characters that were read are no better than blind guessing.

    That is positional accuracy under ``1.5 / symbols``, and under 0.25 even when aligned by edit distance:
    reads that lack the first symbol are wrong at every position and yet no guesses.

    Returns:
        The warning, or None; also None where fewer than ``MIN_CHARACTERS`` characters were read.
    """
    if sum(map(len, texts)) < MIN_CHARACTERS:
        return None
    accuracy = positional_accuracy(texts, labels)
    if accuracy >= 1.5 / symbols or _accuracy(texts, labels) >= _MAX_GUESSED_ACCURACY:
        return None
    return (
        f"{accuracy:.2%} of the characters read are right; blind guessing among {symbols} symbols reaches "
        f"{1 / symbols:.2%}: suspect the labels, the colour order or the model file before the crops"
    )


def trained_on(labels: Path, record: Sequence[str]) -> str | None:
    """The entry of a training record that names a label file, or the folder that holds it; None if none does.

    A record names files by folder and name (``cars/labels.csv``), not by where they lay, so another file of
    the same name counts too. ``synthetic`` stands for drawn plates and a bare ``labels.csv`` says nothing:
    neither is looked for.

    Args:
        labels: path of the label file.
        record: names of label files or folders, as in ``contract.training["data"]``.
    """
    places = (labels.absolute(), labels.absolute().parent)
    for entry in record:
        parts = PurePosixPath(entry.replace("\\", "/")).parts
        if parts and parts not in _NO_NAMES and any(p.parts[-len(parts) :] == parts for p in places):
            return entry
    return None


def _shift_table(charset: Sequence[str], shift: int) -> dict[int, str | None]:
    places = {symbol: place + shift for place, symbol in enumerate(charset)}
    return {
        ord(symbol): charset[place] if 0 <= place < len(charset) else None for symbol, place in places.items()
    }


def _accuracy(texts: Sequence[str], labels: Sequence[str]) -> float:
    return max(0.0, 1.0 - score(zip(texts, labels, strict=True)).cer)
