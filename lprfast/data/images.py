"""Image files to uint8 arrays, whatever the file's mode; a bad file is one named error."""

from __future__ import annotations

import functools
import os
import stat
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

# fmt: off
IMAGE_SUFFIXES = frozenset((
    ".png", ".jpg", ".jpeg", ".jpe", ".jp2", ".bmp", ".dib", ".webp", ".avif", ".tif", ".tiff", ".gif",
    ".ppm", ".pgm", ".pbm", ".pnm",
))
# fmt: on
"""Endings that a folder is searched for. A file named outright is tried whatever its ending."""

MAX_PIXELS = 50_000_000
"""Larger images are refused: no crop of a plate is that large, a decompression bomb is."""

# A list, so that no decoder that starts other programs (EPS calls Ghostscript) ever sees the file.
_FORMATS = ("PNG", "JPEG", "MPO", "JPEG2000", "BMP", "DIB", "WEBP", "AVIF", "TIFF", "GIF", "PPM")

# EXIF orientations that turn the picture by a quarter.
_LYING = (5, 6, 7, 8)

Result = TypeVar("Result")

_GRAY_MODES = frozenset(("1", "L", "LA", "La"))

# warnings.catch_warnings changes the whole process; under the lock our own threads nest properly.
_warnings_lock = threading.Lock()


class ImageError(ValueError):
    """An image file that cannot be used.

    Attributes:
        path: the file.
        reason: what is wrong with it, without the file's name.
    """

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        super().__init__(f"{os.fspath(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason


def load_image(path: str | os.PathLike[str]) -> npt.NDArray[np.uint8]:
    """Reads an image file.

    EXIF orientation is applied, transparency is laid over white (as a viewer shows it), 16-bit gray is scaled
    so that 65535 becomes 255, and the first frame of several is taken.

    Returns:
        uint8, 0-255, C-contiguous: gray [H, W], or colour [H, W, 3] in the order blue, green, red.

    Raises:
        ImageError: no such file, a folder, not a regular file, empty, not an image, truncated, more than
            ``MAX_PIXELS`` pixels, or pixels that have no agreed way to 8 bits (floating point).
    """
    return _with_image(path, _decode)


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Width and height of an image file in pixels, upright as ``load_image`` gives it, from its header alone.

    Pixels that are damaged or missing are not noticed.

    Raises:
        ImageError: as for ``load_image``, where the header tells.
    """
    return _with_image(path, _upright_size)


def _with_image(
    path: str | os.PathLike[str], use: Callable[[str | os.PathLike[str], Image.Image], Result]
) -> Result:
    _check_file(path)
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=_formats()) as image:
                return use(path, image)
        except ImageError:
            raise
        except UnidentifiedImageError:
            raise ImageError(path, "not an image, or of a format that is not read here") from None
        except Image.DecompressionBombError:
            raise ImageError(path, f"more than {MAX_PIXELS:,} pixels, the limit for a crop") from None
        # A damaged file makes the decoders raise nearly anything: OSError, SyntaxError, struct.error, ...
        except Exception as error:
            raise ImageError(path, f"cannot be decoded, perhaps truncated ({_first_line(error)})") from error


def shrink_to_width(image: npt.NDArray[np.uint8], width: int) -> npt.NDArray[np.uint8]:
    """Shrinks a wider image to ``width`` pixels with Pillow's antialiased bicubic; others stay as they are.

    Args:
        image: uint8 [H, W] or [H, W, 3].
        width: of the result, in pixels, at least 1.

    Returns:
        uint8 [round(H * width / W), width] or the same with 3 channels; the height is at least 1.

    Raises:
        ValueError: ``width`` is below 1.
    """
    if width < 1:
        raise ValueError(f"width: expected at least 1 pixel, got {width}")
    old_height, old_width = image.shape[:2]
    if old_width <= width:
        return image
    height = max(1, round(old_height * width / old_width))
    small = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    return np.array(small, dtype=np.uint8)


def _check_file(path: str | os.PathLike[str]) -> None:
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(path, "no such file" if isinstance(error, FileNotFoundError) else reason) from None
    if stat.S_ISDIR(status.st_mode):
        raise ImageError(path, "a folder, not an image file")
    # Opening a named pipe would wait for a writer that may never come.
    if not stat.S_ISREG(status.st_mode):
        raise ImageError(path, "not a regular file")
    if status.st_size == 0:
        raise ImageError(path, "the file is empty (0 bytes)")


@functools.cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _refuse_huge(path: str | os.PathLike[str], image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise ImageError(
            path, f"{image.width} x {image.height} pixels, the limit for a crop is {MAX_PIXELS:,} in all"
        )


def _upright_size(path: str | os.PathLike[str], image: Image.Image) -> tuple[int, int]:
    _refuse_huge(path, image)
    # The base class's method: that of PNG decodes the pixels to reach what may stand behind them.
    lying = Image.Image.getexif(image).get(ExifTags.Base.Orientation, 1) in _LYING
    # Newer versions of Pillow give a TIFF's size as turned already, older ones do not: its tags tell.
    tags = getattr(image, "tag_v2", None)
    width, height = image.size if tags is None else (tags[256], tags[257])
    return (height, width) if lying else (width, height)


def _decode(path: str | os.PathLike[str], image: Image.Image) -> npt.NDArray[np.uint8]:
    _refuse_huge(path, image)
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return _sixteen_bits(path, image)
    if image.mode == "F":
        raise ImageError(path, "floating-point pixels; save the image with 8 or 16 bits per channel")
    gray = image.mode in _GRAY_MODES
    if image.has_transparency_data:
        image = _over_white(image)
    pixels = np.array(image.convert("L" if gray else "RGB"), dtype=np.uint8)
    return pixels if gray else np.ascontiguousarray(pixels[..., ::-1])


def _over_white(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer)


def _sixteen_bits(path: str | os.PathLike[str], image: Image.Image) -> npt.NDArray[np.uint8]:
    # Pillow opens 16-bit gray as "I;16" and its kin, or as 32-bit "I", which can hold more than 16 bits.
    values: npt.NDArray[Any] = np.array(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ImageError(
            path, f"gray values from {values.min()} to {values.max()}; expected 8 or 16 bits per channel"
        )
    return ((values + 128) // 257).astype(np.uint8)


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
