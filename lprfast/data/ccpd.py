"""CCPD, photographs of Chinese plates: text and place of the plate stand in the file's name.

A name has seven fields, divided by ``-``: share of the area, tilt, bounding box
(``left&top_right&bottom``), four corners, the characters as indices (``0_0_22_27_27_33_16``: province,
letter, then letters and digits), brightness and blur.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from lprfast.data.label_rows import BadRow, Box, LabelFile, LabelRow

_PROVINCES = "皖沪津渝冀晋蒙辽吉黑苏浙京闽赣鲁豫鄂湘粤桂琼川贵云藏陕甘青宁新警学"
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_LETTERS_AND_DIGITS = f"{_LETTERS}0123456789"
_FIELDS = 7
_BOX = re.compile(r"([0-9]{1,5})&([0-9]{1,5})_([0-9]{1,5})&([0-9]{1,5})")
_INDICES = re.compile(r"[0-9]{1,3}(_[0-9]{1,3}){6,7}")


def is_ccpd_name(stem: str) -> bool:
    """Whether a file's name, without its ending, has the fields of CCPD."""
    fields = stem.rsplit("-", _FIELDS - 1)
    return len(fields) == _FIELDS and bool(_BOX.fullmatch(fields[2]) and _INDICES.fullmatch(fields[4]))


def read_ccpd(root: Path, images: Sequence[Path], need_text: bool) -> LabelFile:
    """The plates of CCPD images below ``root``.

    ``box`` says where the plate lies, ``type`` is the image's folder as seen from ``root``, such as
    ``ccpd_blur``, ``region`` is ``CN``. Images of other names are bad rows where a text is needed.
    """
    rows: list[LabelRow] = []
    bad_rows: list[BadRow] = []
    for line, image in enumerate(images, start=1):
        try:
            text, box = ccpd_label(image.stem)
        except ValueError as error:
            if need_text:
                bad_rows.append(BadRow(line, f"{image.name}: {error}"))
                continue
            text, box = "", None
        kind = image.parent.relative_to(root).as_posix()
        kind = "" if kind == "." else kind
        rows.append(LabelRow(image, text, line, region="CN", type=kind, box=box))
    return LabelFile(root, ("path", "text", "type", "region"), tuple(rows), tuple(bad_rows))


def ccpd_label(stem: str) -> tuple[str, Box]:
    """Text and box of a file's name without its ending.

    Raises:
        ValueError: the name has other fields, an index that stands for no character, or an empty box.
    """
    if not is_ccpd_name(stem):
        raise ValueError("expected a name of seven fields as in CCPD, with the box third and the text fifth")
    fields = stem.rsplit("-", _FIELDS - 1)
    left, top, right, bottom = (int(value) for value in re.split("[&_]", fields[2]))
    if right <= left or bottom <= top:
        raise ValueError(f"the box {fields[2]} is empty")
    indices = [int(value) for value in fields[4].split("_")]
    # The last index of each list stands for no character: a plate that is shorter than the field.
    while indices and indices[-1] == len(_LETTERS_AND_DIGITS):
        indices.pop()
    alphabets = [_PROVINCES, _LETTERS] + [_LETTERS_AND_DIGITS] * len(indices)
    pairs = list(zip(indices, alphabets, strict=False))
    if len(pairs) < 3 or any(index >= len(alphabet) for index, alphabet in pairs):
        raise ValueError(f"the text {fields[4]} has an index that stands for no character")
    return "".join(alphabet[index] for index, alphabet in pairs), (left, top, right, bottom)
