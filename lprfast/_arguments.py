"""Checks of plain arguments, before the compiled core sees them."""

from __future__ import annotations

import operator


def whole_number(name: str, value: int) -> int:
    """The value as an int of 32 bits; TypeError or ValueError that names the argument otherwise."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}: expected a whole number, got {value!r}") from None
    if abs(number) >= 2**31:
        raise ValueError(f"{name}: expected a number of 32 bits, got {number}")
    return number
