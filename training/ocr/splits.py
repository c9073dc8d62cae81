"""No plate on both sides: what trains does not judge."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence

from training.ocr.labels import LabelFile

# What one labeller writes as O another writes as 0: the same plate must not pass for two.
_ALIKE = str.maketrans("OI", "01")


def without_trained(judging: LabelFile, training: Sequence[LabelFile]) -> LabelFile:
    """``judging`` without the rows whose text trains, O and 0, I and 1 being the same; a warning says how
    many. Empty texts may be on both sides.

    Raises:
        ValueError: no row is left.
    """
    trained = {row.text.translate(_ALIKE): file.name for file in training for row in file.rows if row.text}
    kept = tuple(row for row in judging.rows if row.text.translate(_ALIKE) not in trained)
    if len(kept) == len(judging.rows):
        return judging
    shared = {row.text.translate(_ALIKE) for row in judging.rows} & trained.keys()
    names = ", ".join(sorted({trained[text] for text in shared}))
    if not kept:
        raise ValueError(
            f"--val {judging.path}: every row has the text of a plate that trains in {names}; a reader knows "
            "the plates it was trained on: split by plate text, with a column 'split' of train and dev"
        )
    print(
        f"{judging.path}: {len(judging.rows) - len(kept)} of {len(judging.rows)} rows are left out of the "
        f"report: their {len(shared)} texts also train in {names}",
        file=sys.stderr,
    )
    return dataclasses.replace(judging, rows=kept)
