"""Just enough of the protobuf wire format to look into a model file, hardened against damaged ones."""

from __future__ import annotations

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10
_SIZES = {FIXED64: 8, FIXED32: 4}

Value = int | memoryview


class WireError(ValueError):
    """Bytes that are no protobuf message; the message says what is wrong with them."""


def fields(message: memoryview) -> Iterator[tuple[int, int, Value]]:
    """The fields of one message in order: number, wire type, and value.

    A varint is an int of 64 bits without sign; the others are the bytes, looking into ``message``.

    Raises:
        WireError: the message is cut off, or no message.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise WireError("a field without a number")
        if kind == VARINT:
            value, place = _varint(message, place)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, place = _varint(message, place)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise WireError(f"field {number} of wire type {kind}, which models do not have")
        if size > len(message) - place:
            raise WireError(f"field {number} is cut off")
        yield number, kind, message[place : place + size]
        place += size


def signed(value: int) -> int:
    """A varint as an int64."""
    return value - (1 << 64) if value >= 1 << 63 else value


def varints(value: Value) -> list[int]:
    """A repeated int64 field's part: one value, or many packed."""
    if isinstance(value, int):
        return [signed(value)]
    found, place = [], 0
    while place < len(value):
        number, place = _varint(value, place)
        found.append(signed(number))
    return found


def delimited(number: int, content: bytes) -> bytes:
    """Field ``number`` of bytes, as it stands in a message."""
    return _encoded(number << 3 | BYTES) + _encoded(len(content)) + content


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(message[place : place + _LONGEST_VARINT]):
        value |= (byte & 127) << (7 * index)
        if byte < 128:
            return value & ((1 << 64) - 1), place + index + 1
    raise WireError("a number that does not end")


def _encoded(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])
