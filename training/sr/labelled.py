"""Labelled crops, or photographs with the plate's box (CCPD), as the large side of pairs."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, UnidentifiedImageError

from lprfast.data.labels import BadRow, LabelError, LabelRow, read_labels
from lprfast.evaluation.metrics import normalize
from training.ocr.labels import LabelFile, LabelledCrop, parse_spec, rows_of
from training.sr.pairs import LEAST_WIDTH


def read_pairs_file(spec: str, split: str, scale: int) -> LabelFile:
    """The rows of ``split`` ("train" or "dev") of a label file or folder that are wide enough for ``scale``.

    A folder of CCPD's photographs is one without a split: its plates are cut out. A text may be missing: then
    no loss asks for it. Only sizes are looked at here, so that 100,000 images do not take minutes.

    Raises:
        ValueError: nothing can be used; see ``training.ocr.labels``.
    """
    path, weight = parse_spec(spec)
    labels = read_labels(path, need_text=False, allow_empty=True)
    rows: list[LabelledCrop] = []
    bad: list[BadRow] = list(labels.bad_rows)
    for row in _chosen(rows_of(labels, split)):
        try:
            rows.append(_checked(row, scale))
        except ValueError as error:
            bad.append(BadRow(row.line, f"{row.path.name}: {error}"))
    if not rows:
        why = f"; line {bad[0].line}: {bad[0].reason}" if bad else ""
        raise LabelError(f"{path}: no row can be used{why}")
    return LabelFile(path, weight, tuple(rows), tuple(sorted(bad, key=lambda each: each.line)))


def _chosen(rows: Sequence[LabelRow]) -> Sequence[LabelRow]:
    # Plates without an image of their own in a labelled CCPD folder (``ccpd_np``) show no plate.
    return [row for row in rows if row.box is not None or row.type != "ccpd_np"]


def _checked(row: LabelRow, scale: int) -> LabelledCrop:
    try:
        with Image.open(row.path) as image:
            width = image.width
    except (OSError, UnidentifiedImageError) as error:
        raise ValueError(f"cannot be opened: {error}") from None
    if row.box is not None and row.box[2] <= width:
        width = row.box[2] - row.box[0]
    if width < LEAST_WIDTH * scale:
        raise ValueError(
            f"the plate is {width} px wide, expected at least {LEAST_WIDTH * scale} for x{scale}"
        )
    return LabelledCrop(row.path, normalize(row.text), row.type, row.region, row.box)
