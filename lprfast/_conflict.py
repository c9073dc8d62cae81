"""Two vehicles in one track: two groups of reads, each sure of a plate that has little of the other's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lprfast._ranking import different_looks
from lprfast.results import Conflict, PlateRead, PlateVote

# What makes a group sure: two pictures, voted (two unlike ones of equal weight are worth 1.29 reads), or one
# read by itself. docs/voting.md has what these values notice.
TWO_SURE, TWO_PICTURES = 0.7, 1.05
ONE_SURE = 0.98
# Shorter texts are mostly what is left of a plate, or no plate.
LEAST_LENGTH = 4


def find_conflict(
    reads: Sequence[PlateRead], answer: PlateVote, vote: Callable[[Sequence[PlateRead]], PlateVote]
) -> Conflict | None:
    """The second plate among the reads, or None.

    Args:
        reads: that were voted.
        answer: the vote over them.
        vote: over some of them.
    """
    if answer.status != "ok" or len(answer.text) < LEAST_LENGTH:
        return None
    near, far = _divided(reads, answer)
    if not _may_be_sure([reads[index] for index in far]):
        return None
    other = vote(different_looks([reads[index] for index in far]))
    members = [index for index in far if other.text and not apart(reads[index].text, other.text)]
    if len(members) < len(far):
        other = vote(different_looks([reads[index] for index in members]))
    if len(other.text) < LEAST_LENGTH or not apart(other.text, answer.text):
        return None
    ours = [reads[index] for index in near]
    if not _is_sure(other, [reads[index] for index in members]) or not _may_be_sure(ours):
        return None
    if not _is_sure(vote(different_looks(ours)), ours):
        return None
    share = sum(answer.contributions[index].weight for index in members)
    return Conflict(other.text, other.probability, min(share, 1.0), tuple(members))


def apart(left: str, right: str) -> bool:
    """Whether more than half of the longer text would have to be edited, and more than half of the shorter
    one to find it within the longer: a box that cuts off half of a plate makes no other plate.
    """
    short, long = sorted((left, right), key=len)
    if 2 * edits(short, long) <= len(long):
        return False
    return 2 * edits(short, long, within=True) > len(short)


def edits(short: str, long: str, *, within: bool = False) -> int:
    """Levenshtein's distance; ``within``: to the part of ``long`` that is nearest to ``short``."""
    row = [0] * (len(long) + 1) if within else list(range(len(long) + 1))
    for count, symbol in enumerate(short, 1):
        above, row = row, [count]
        for place, other in enumerate(long, 1):
            row.append(min(row[-1] + 1, above[place] + 1, above[place - 1] + (symbol != other)))
    return min(row) if within else row[-1]


def _divided(reads: Sequence[PlateRead], answer: PlateVote) -> tuple[list[int], list[int]]:
    """Indices of the answered reads that show about the vote's text, and of those that show another."""
    near: list[int] = []
    far: list[int] = []
    known: dict[str, bool] = {answer.text: False}
    for one in answer.contributions:
        if not one.used or reads[one.index].status != "ok":
            continue
        if one.text not in known:
            known[one.text] = apart(one.text, answer.text)
        (far if known[one.text] else near).append(one.index)
    return near, far


def _may_be_sure(reads: Sequence[PlateRead]) -> bool:
    return len(reads) > 1 or any(_is_very_sure(read) for read in reads)


def _is_sure(voted: PlateVote, reads: Sequence[PlateRead]) -> bool:
    two = voted.effective_reads > TWO_PICTURES and voted.probability >= TWO_SURE
    return two or any(_is_very_sure(read) and not apart(read.text, voted.text) for read in reads)


def _is_very_sure(read: PlateRead) -> bool:
    # What another reader calls certain compares with nothing here.
    return read.log_posteriors is not None and read.confidence >= ONE_SURE
