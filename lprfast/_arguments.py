"""Checks of plain arguments, before the compiled core sees them."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def whole_number(name: str, value: int) -> int:
    """The value as an int of 32 bits; TypeError or ValueError that names the argument otherwise."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected a whole number, got {value!r}") from None
    if abs(number) >= 2**31:
        raise ValueError(f"{name}: expected a number of 32 bits, got {number}")
    return number


def checked_color(value: str) -> str:
    """The value; TypeError if it is no text. Which texts there are the compiled core says."""
    if not isinstance(value, str):
        raise TypeError(f"color: expected 'bgr' or 'rgb', got {value!r}")
    return value


def finite_number(name: str, value: float) -> float:
    """The value as a float; TypeError or ValueError that names the argument if it is none, or not finite."""
    try:
        if math.isfinite(value):
            return float(value)
    except TypeError:
        raise TypeError(f"{name}: expected a number, got {value!r}") from None
    except OverflowError:
        pass
    raise ValueError(f"{name}: expected a finite number, got {value}")


def listed(name: str, values: Any, what: str) -> list[Any]:
    """The values as a list; TypeError that names the argument for one text, or what cannot be gone through.

    Args:
        name: of the argument.
        values: what was given.
        what: was expected, in words.
    """
    try:
        if not isinstance(values, (str, bytes)):
            return list(iter(values))
    except TypeError:
        if hasattr(values, "__iter__"):  # its own error, while it was gone through
            raise
    hint = "" if values is None else "; put it in a list"
    raise TypeError(f"{name}: expected {what}, got {type(values).__name__}{hint}")


def checked_times(times: Iterable[float] | None, count: int) -> list[float] | None:
    """Finite seconds, as many as there are reads; TypeError or ValueError that names the wrong one else."""
    if times is None:
        return None
    given = listed("times", times, "a list of seconds, one per read")
    seconds = [finite_number(f"times[{index}]", time) for index, time in enumerate(given)]
    if len(seconds) != count:
        raise ValueError(f"times: expected {count}, one per read, got {len(seconds)}")
    return seconds


def stop_probability(name: str, value: float | None) -> float | None:
    """None, or a probability over 0 and up to 1; TypeError or ValueError that names the argument else."""
    if value is None:
        return None
    number = finite_number(name, value)
    if not 0 < number <= 1:
        raise ValueError(f"{name}: expected a probability over 0 and up to 1, or None, got {number}")
    return number


def crop_list(crops: Any, single: str = "read()") -> list[Any]:
    """A sequence of crops, or one array ``[N, H, W, C]``, as a list; TypeError for anything else.

    Args:
        crops: what was given.
        single: what the message names for one crop.
    """
    if isinstance(crops, np.ndarray) and crops.ndim != 4:
        raise TypeError(
            "crops: expected a sequence of crops or one array [N, H, W, C], got one array of shape "
            f"{crops.shape}; for a single crop use {single}"
        )
    if isinstance(crops, Mapping):
        raise TypeError(
            f"crops: expected a sequence of uint8 arrays, got {type(crops).__name__}; "
            "give its values in a list"
        )
    if isinstance(crops, (str, bytes)) or not hasattr(crops, "__iter__"):
        raise TypeError(
            f"crops: expected a sequence of uint8 arrays, got {type(crops).__name__}; "
            "to read image files use 'lprfast read' or lprfast.load_image"
        )
    return list(crops)
