"""Image files, label files and input paths."""

from lprfast.data.images import (
    IMAGE_SUFFIXES,
    MAX_PIXELS,
    ImageError,
    image_size,
    load_image,
    shrink_to_width,
)
from lprfast.data.labels import BadRow, LabelError, LabelFile, LabelRow, read_labels
from lprfast.data.paths import Expanded, ImageSource, InputError, expand, folder_images, natural_key
from lprfast.data.reading import CropReader, FileRead, read_files

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "BadRow",
    "CropReader",
    "Expanded",
    "FileRead",
    "ImageError",
    "ImageSource",
    "InputError",
    "LabelError",
    "LabelFile",
    "LabelRow",
    "expand",
    "folder_images",
    "image_size",
    "load_image",
    "natural_key",
    "read_files",
    "read_labels",
    "shrink_to_width",
]
