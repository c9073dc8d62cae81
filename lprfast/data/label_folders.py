"""Folders that are labelled without a label file: tracks, and names that hold the text."""

from __future__ import annotations

from pathlib import Path

from lprfast.data.ccpd import is_ccpd_name, read_ccpd
from lprfast.data.label_rows import LabelError, LabelFile
from lprfast.data.paths import folder_images
from lprfast.data.track_labels import is_track, read_tracks


def read_folder(folder: Path, need_text: bool, allow_empty: bool) -> LabelFile:
    """The labels of a folder of tracks or of CCPD images; arguments as of ``read_labels``.

    Raises:
        LabelError: it is neither.
    """
    images = list(folder_images(folder))
    first = {image.parent: image for image in reversed(images)}
    if any(is_track(image) for image in first.values()):
        return read_tracks(folder, images, need_text, allow_empty)
    if any(is_ccpd_name(image.stem) for image in images):
        return read_ccpd(folder, images, need_text)
    raise LabelError(
        f"{folder}: the folder holds no labels.csv, no tracks (folders of images with annotations.json "
        "beside them) and no images named as in CCPD; expected one of these, or the path of a label file"
    )
