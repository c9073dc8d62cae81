"""``PlateVote.match``: given plates, scored on one vehicle's reads. docs/voting.md has the formula."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from lprfast._alphabet import Alphabet
from lprfast._arguments import finite_number, listed
from lprfast.results import PlateMatch, PlateVote
from lprfast.voting import Watched, decide

# Labels of symbols that the alphabet lacks: no crop can show the first; the others, such as a hyphen, are
# no part of a plate's text.
_UNKNOWN, _LEFT_OUT = -1, -2


def match_reads(vote: PlateVote, watchlist: Iterable[str], at_least: float) -> list[PlateMatch]:
    """What ``PlateVote.match`` says it does."""
    texts = _checked(watchlist)
    least = finite_number("at_least", at_least)
    if not 0 <= least <= 1:
        raise ValueError(f"at_least: expected a probability from 0 to 1, got {at_least}")
    if vote.contributions and not vote.reads:
        raise ValueError(
            "this vote came without its reads, and they are what match looks at; vote them again"
        )
    decision = decide(
        vote.reads, "fused", vote.layouts, lambda alphabet: _watched(texts, alphabet, least)
    ).values
    if not decision["labels"]:
        return [PlateMatch(index, text, 0.0, 0.0) for index, text in enumerate(texts)] if least == 0 else []
    indices, probabilities, ratios = decision["matches"]
    kept = np.flatnonzero(probabilities >= least)
    order = kept[np.lexsort((indices[kept], -ratios[kept], -probabilities[kept]))]
    columns = (indices[order].tolist(), probabilities[order].tolist(), ratios[order].tolist())
    return [PlateMatch(i, texts[i], p, r) for i, p, r in zip(*columns, strict=True)]


def _checked(watchlist: Iterable[str]) -> list[str]:
    if isinstance(watchlist, str):
        raise TypeError("watchlist: expected texts, got one text; put it in a list")
    texts = listed("watchlist", watchlist, "a list of texts")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"watchlist[{index}]: expected a text, got {type(text).__name__}")
    return texts


def _watched(texts: Sequence[str], alphabet: Alphabet, least: float) -> Watched:
    joined = "".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    table = np.full(int(codes.max(initial=0)) + 1, _LEFT_OUT, np.int32)
    for symbol in set(joined):
        table[ord(symbol)] = _label(symbol, alphabet)
    labels = table[codes]
    kept = labels != _LEFT_OUT
    ends = np.cumsum([0, *map(len, texts)])
    before: npt.NDArray[np.int64] = np.concatenate(([0], np.cumsum(kept, dtype=np.int64)))
    return labels[kept], before[ends], least


def _label(symbol: str, alphabet: Alphabet) -> int:
    for form in (symbol, symbol.upper(), symbol.lower()):
        label = alphabet.label(form)
        if label is not None:
            return label
    return _UNKNOWN if symbol.isalnum() else _LEFT_OUT
