"""CTC decoding of NumPy arrays, for models of any origin: greedy, beam search, and the probability of a text.

``scores`` is float32 in C order, [N, T, K] (crops, time steps, classes) or [T, K] for one crop: log-
posteriors (natural logarithm, -inf allowed) or, with ``logits=True``, what a log-softmax has yet to go
over. ``charset`` holds the K - 1 symbols in the order of their classes, without the blank; class ``blank``
is the blank.

All functions raise TypeError for an argument of another type, and ValueError when scores are NaN or +inf, a
row is -inf throughout, the exp of a row of log-posteriors does not sum to 1 within 1e-3, there are fewer than
two classes, the blank is not one of them, or the charset does not fit. ``ctc_greedy`` takes only the sum of
each crop's first row; of the others it checks, besides NaN, that the largest score is one that such a sum
allows: from -log(K) to 0, within about 1e-3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, SupportsIndex, overload

import numpy as np
import numpy.typing as npt

from lprfast import _core
from lprfast._arguments import whole_number

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class CtcRead:
    """The greedy reading of one crop; every tuple is as long as the text has symbols.

    Attributes:
        text: the symbols joined; empty when every step's best class is the blank.
        char_confidences: posterior of each symbol at its peak step, 0-1.
        runners_up: the next best symbol at that step, "" where the charset has no other.
        runner_up_confidences: their posteriors, 0-1.
        time_steps: the peak steps, 0 to T - 1, rising.
    """

    text: str
    char_confidences: tuple[float, ...]
    runners_up: tuple[str, ...]
    runner_up_confidences: tuple[float, ...]
    time_steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CtcHypothesis:
    """One text that the beam search found.

    Attributes:
        text: the symbols joined.
        log_prob: natural logarithm of the probability that the beam gathered for this text: at most
            ``ctc_score`` of it, and equal to it where the beam was wide enough to lose nothing.
    """

    text: str
    log_prob: float


class CtcReads(Sequence[CtcRead]):
    """The greedy readings of a batch: a sequence of CtcRead that are built when they are asked for.

    It is equal to any sequence of equal reads, and a slice of it is a list.

    Attributes:
        texts: the text of every crop; ready, where the rest of a CtcRead costs its building.
    """

    __slots__ = ("_columns", "_symbols", "texts")

    def __init__(
        self, texts: tuple[str, ...], columns: tuple[npt.NDArray[Any], ...], symbols: list[str]
    ) -> None:
        self.texts = texts
        self._columns = columns
        self._symbols = symbols

    def __len__(self) -> int:
        return len(self.texts)

    @overload
    def __getitem__(self, index: SupportsIndex) -> CtcRead: ...
    @overload
    def __getitem__(self, index: slice) -> list[CtcRead]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> CtcRead | list[CtcRead]:
        if isinstance(index, slice):
            return [self[n] for n in range(*index.indices(len(self)))]
        n = range(len(self))[index]  # IndexError where there is none
        offsets, _, *columns = self._columns
        values = [column[offsets[n] : offsets[n + 1]].tolist() for column in columns]
        values[1] = [self._symbols[label] for label in values[1]]
        return CtcRead(self.texts[n], *map(tuple, values))

    def __iter__(self) -> Iterator[CtcRead]:
        offsets, _, *columns = (column.tolist() for column in self._columns)
        columns[1] = [self._symbols[label] for label in columns[1]]
        for text, start, end in zip(self.texts, offsets[:-1], offsets[1:], strict=True):
            yield CtcRead(text, *[tuple(column[start:end]) for column in columns])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"CtcReads({list(self)!r})"


def ctc_greedy(scores: Scores, charset: Sequence[str], *, blank: int = 0, logits: bool = False) -> CtcReads:
    """The best class of each step, repeats collapsed, blanks dropped; one read per crop.

    Of equal scores the first class wins, of equal peaks the first step. A [T, K] array gives one read.
    """
    batch = _as_batch(scores)
    symbols = _class_symbols(charset, batch.shape[2], blank)
    columns = _core.ctc_greedy(batch, blank, logits)
    return CtcReads(_core.ctc_texts(columns[0], columns[1], symbols), columns, symbols)


def ctc_beam(
    scores: Scores,
    charset: Sequence[str],
    *,
    blank: int = 0,
    logits: bool = False,
    beam_size: int = 10,
    nbest: int = 1,
    prune: float = 0.0,
) -> list[list[CtcHypothesis]]:
    """The most probable texts of each crop by prefix beam search, best first.

    Args:
        scores: see the module.
        charset: see the module.
        blank: class of the blank.
        logits: whether ``scores`` are logits.
        beam_size: prefixes kept from one step to the next, 1 to 100000.
        nbest: texts wanted per crop; fewer come when the beam holds fewer.
        prune: symbols whose posterior is under this, 0 to under 1, are not tried at a step, but for the best
            one where the blank is impossible. 0 leaves nothing out.

    Returns:
        One list per crop; a [T, K] array gives a list of one list.

    Raises:
        ValueError: also when ``beam_size``, ``nbest`` or ``prune`` is out of its range.
    """
    batch = _as_batch(scores)
    symbols = _class_symbols(charset, batch.shape[2], blank)
    columns = _core.ctc_beam(
        batch, blank, logits, whole_number("beam_size", beam_size), whole_number("nbest", nbest), float(prune)
    )
    texts = _core.ctc_texts(columns[1], columns[2], symbols)
    found = [CtcHypothesis(*text) for text in zip(texts, columns[3].tolist(), strict=True)]
    crop_offsets = columns[0].tolist()
    return [found[crop_offsets[n] : crop_offsets[n + 1]] for n in range(len(batch))]


def ctc_score(
    scores: Scores, texts: Sequence[str], charset: Sequence[str], *, blank: int = 0, logits: bool = False
) -> npt.NDArray[np.float64]:
    """log P(text | scores) over all alignments, natural logarithm, -inf where the text has none.

    Args:
        scores: see the module.
        texts: one per crop; with a [T, K] array any number, all scored on that crop.
        charset: see the module. Where symbols are longer than one character, a text is taken apart from the
            left by the longest symbol that fits.
        blank: class of the blank.
        logits: whether ``scores`` are logits.

    Returns:
        float64 [len(texts)].

    Raises:
        ValueError: also when a text has a symbol that is not in the charset, or their number is not that of
            the crops.
    """
    if isinstance(texts, str):
        raise TypeError("texts: expected a sequence of str, got one str; put it in a list")
    batch = _as_batch(scores)
    symbols = _class_symbols(charset, batch.shape[2], blank)
    classes = {symbol: label for label, symbol in enumerate(symbols) if label != blank}
    labels = [_labels(text, classes) for text in texts]
    if scores.ndim == 2:
        return _core.ctc_score(batch, [labels], blank, logits)
    if len(labels) != len(batch):
        raise ValueError(f"texts: expected one per crop, {len(batch)}, got {len(labels)}")
    return _core.ctc_score(batch, [[text] for text in labels], blank, logits)


def _as_batch(scores: Scores) -> Scores:
    if not isinstance(scores, np.ndarray):
        raise TypeError(f"scores: expected a float32 array, got {type(scores).__name__}")
    if scores.ndim not in (2, 3):
        raise ValueError(f"scores: expected [N, T, K] or [T, K], got shape {scores.shape}")
    if scores.shape[-1] < 2:
        raise ValueError(
            f"scores: expected at least 2 classes (the blank and a symbol), got {scores.shape[-1]}"
        )
    return scores[np.newaxis] if scores.ndim == 2 else scores


def _class_symbols(charset: Sequence[str], classes: int, blank: int) -> list[str]:
    """The symbol of every class, "" for the blank. An impossible blank is left to the core to refuse."""
    symbols = list(charset)
    for symbol in symbols:
        if not symbol or not isinstance(symbol, str):
            raise ValueError(f"charset: expected strings that are not empty, got {symbol!r}")
    if len(symbols) != classes - 1:
        raise ValueError(
            f"charset: expected {classes - 1} symbols, one per class of the scores but the blank, "
            f"got {len(symbols)}"
        )
    if len(set(symbols)) != len(symbols):
        twice = next(symbol for symbol in symbols if symbols.count(symbol) > 1)
        raise ValueError(f"charset: expected each symbol once, got {twice!r} more than once")
    symbols.insert(whole_number("blank", blank), "")
    return symbols


def _labels(text: str, classes: dict[str, int]) -> list[int]:
    if not isinstance(text, str):
        raise TypeError(f"texts: expected str, got {type(text).__name__}")
    longest = max(map(len, classes))
    labels = []
    start = 0
    while start < len(text):
        for length in range(longest, 0, -1):
            label = classes.get(text[start : start + length])
            if label is not None:
                break
        else:
            raise ValueError(f"texts: {text[start]!r} in {text!r} is not in the charset")
        labels.append(label)
        start = min(start + length, len(text))
    return labels
