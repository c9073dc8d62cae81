"""How useful a crop or a read is to its track: which to read first, which to drop from a full track."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lprfast import _core
from lprfast.model import ModelContract
from lprfast.results import Contribution, PlateRead, PlateVote
from lprfast.vote_settings import VoteSettings

# The weights of the vote (csrc/vote): a crop counts by its width between two bounds and by the fourth root of
# its certainty; two signatures within so many gray levels are one picture, from so many on two.
NARROW, WIDE, UNKNOWN_WIDTH = _core.vote_narrow, _core.vote_wide, 64
LEAST_CERTAINTY = math.exp(_core.vote_floor)
SAME, DIFFERENT = _core.vote_same, _core.vote_different

# More are not compared with one another: the vote takes no more either.
MAX_COMPARED = _core.vote_max_reads

# Reading best first: crops read between two votes.
BATCH = 2
# What a probability may end only on: nearly the evidence of so many different pictures of like size. Two of
# them and of unlike sizes bring a little less; three never bring what four do.
FIRST_PICTURES, FIRST_SHARE = 2, 0.86  # reading best first: 1.25 reads at the built-in correlation
FINAL_PICTURES, FINAL_SHARE = 4, 0.98  # tracks as they come, the farthest crops first: 1.5

NOT_READ = "not read: the crops read before it were enough"


def evidence_of(pictures: int, share: float, settings: VoteSettings | None) -> float:
    """Independent reads (``PlateVote.effective_reads``) that more than ``share`` of what ``pictures`` equal
    and different crops add to one is worth, with the correlation that these reads have."""
    correlation = (settings or VoteSettings()).correlation
    worth = pictures / (1 + (pictures - 1) * correlation)
    return 1 + share * (worth - 1)


def read_value(read: PlateRead) -> float:
    """What the vote would weigh the read, 0-1, as if there were no copies; 0 for one that does not vote."""
    votes = (read.status == "ok" and read.text) or (
        read.status == "unreadable" and read.log_posteriors is not None
    )
    if not votes:
        return 0.0
    certainty = read.confidence if 0 <= read.confidence <= 1 else 0.0
    return _width_value(read.width) * math.sqrt(math.sqrt(max(certainty, LEAST_CERTAINTY)))


def crop_value(width: int, sharpness: float, sharpest: float) -> float:
    """The same before a crop is read, 0-1.

    Sharpness tells the crops of one track apart, though not those of two: on one plate the print is the same.
    """
    relative = max(sharpness, 0.0) / sharpest if sharpest > 0 else 1.0
    return _width_value(width) * math.sqrt(math.sqrt(relative))


def without_copies(values: Sequence[float], signatures: Sequence[bytes | None]) -> list[float]:
    """The values, each less what is there already: in a better one, or in an equal one before it.

    Args:
        values: 0-1, one per crop.
        signatures: 64 bytes each, or None where copies cannot be recognised.
    """
    known = [index for index, signature in enumerate(signatures) if signature is not None]
    order = sorted(known, key=lambda index: (-values[index], index))
    taken = _taken_by_better([signatures[index] or b"" for index in order])
    reduced = list(values)
    for index, share in zip(order, taken, strict=True):
        reduced[index] *= 1.0 - share
    return reduced


def _taken_by_better(signatures: Sequence[bytes]) -> list[float]:
    """How much of each picture, 0-1, is in those before it: in the first ``MAX_COMPARED`` different ones."""
    levels = np.frombuffer(b"".join(signatures), np.uint8).reshape(-1, 64).astype(np.int32)
    taken = np.zeros(len(levels))
    place = 0
    for _ in range(MAX_COMPARED):
        different = np.flatnonzero(taken[place:] < 1)
        if not len(different):
            break
        place += int(different[0]) + 1
        differences = levels[place:] - levels[place - 1]
        distances = np.sqrt((differences * differences).mean(axis=1))
        alike = np.clip((DIFFERENT - distances) / (DIFFERENT - SAME), 0.0, 1.0)
        np.maximum(taken[place:], alike, out=taken[place:])
    return [float(share) for share in taken]


def different_looks(reads: Sequence[PlateRead]) -> list[PlateRead]:
    """The reads without repetitions of those that have no signature, by which the vote would know copies.

    Of these, equal text, confidences and log-posteriors are taken for one look.
    """
    seen: dict[Any, PlateRead] = {}
    for index, read in enumerate(reads):
        posteriors = None if read.log_posteriors is None else read.log_posteriors.tobytes()
        look = (read.text, read.confidence, tuple(read.char_confidences), posteriors)
        seen.setdefault(look if read.signature is None else index, read)
    return list(seen.values())


def best_first(values: Sequence[float], signatures: Sequence[bytes | None]) -> list[int]:
    """Indices of the crops in the order in which to read them: copies of better ones late."""
    reduced = without_copies(values, signatures)
    return sorted(range(len(values)), key=lambda index: (-reduced[index], -values[index], index))


def vote_best_first(
    count: int,
    order: Sequence[int],
    read: Callable[[list[int]], list[PlateRead]],
    vote: Callable[[list[PlateRead]], PlateVote],
    stop_at: float,
    evidence: float = 1.0,
) -> PlateVote:
    """Reads in small batches until the vote is sure enough and worth more than ``evidence``.

    One contribution for each of ``count`` crops. Each batch is a quarter of what was read before, at least:
    with many crops the votes cost no more than the reads.
    """
    reads: dict[int, PlateRead] = {}
    answer = vote([])
    while len(reads) < count:
        batch = list(order[len(reads) : len(reads) + max(BATCH, len(reads) // 4)])
        reads.update(zip(batch, read(batch), strict=True))
        answer = vote([reads[index] for index in sorted(reads)])
        enough = answer.probability >= stop_at and answer.effective_reads > evidence
        if enough and answer.conflict is None:  # so that a conflict's indices are those of all crops
            break
    return replace(answer, contributions=_for_every_crop(answer, sorted(reads), count))


def _for_every_crop(answer: PlateVote, indices: Sequence[int], count: int) -> tuple[Contribution, ...]:
    made = [Contribution(index, False, 0.0, 0.0, "", False, NOT_READ) for index in range(count)]
    for index, contribution in zip(indices, answer.contributions, strict=True):
        made[index] = replace(contribution, index=index)
    return tuple(made)


def _width_value(width: Any) -> float:
    return float(min(max(width or UNKNOWN_WIDTH, NARROW), WIDE)) / WIDE


def first_looks(
    crops: list[Any], contract: ModelContract, color: str
) -> tuple[list[float], list[bytes | None]]:
    """What each crop promises before the network sees it (0: it cannot be used), and its signature."""
    size = (contract.input_height, contract.input_width)
    looks: list[tuple[int, float, bytes | None]] = []
    for crop in crops:
        try:
            sharpness, _, _, signature = _core.summarize(
                crop, *size, contract.resize_fit, contract.resize_kernel, color
            )
            looks.append((crop.shape[1], sharpness, signature))
        except (TypeError, ValueError):
            looks.append((0, 0.0, None))
    sharpest = max((sharpness for _, sharpness, _ in looks), default=0.0)
    values = [crop_value(width, sharpness, sharpest) if width else 0.0 for width, sharpness, _ in looks]
    return values, [signature for _, _, signature in looks]
