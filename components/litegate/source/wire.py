"""The wire format of protobufs (https://protobuf.dev/programming-guides/encoding), as much of it as is needed."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["decoded", "fields", "messages", "numbers", "text"]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def text(data: memoryview, number: int) -> str:
    """The first field of that number as text; empty if there is none."""
    return next((decoded(value) for value in messages(data, number)), "")


def decoded(value: memoryview) -> str:
    """Bytes as text, whatever they are."""
    return bytes(value).decode("utf-8", errors="replace")


def messages(data: memoryview, wanted: int) -> Iterator[memoryview]:
    """The fields of one number that have a length."""
    return (value for number, value in fields(data) if number == wanted)


def numbers(data: memoryview, wanted: int) -> Iterator[int]:
    """The fields of one number that are integers."""
    return (value for number, value in _all(data) if number == wanted and isinstance(value, int))


def fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Number and bytes of every field that has a length."""
    return ((number, value) for number, value in _all(data) if isinstance(value, memoryview))


def _all(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Every field, but for numbers of a fixed size.

    Raises:
        ValueError: the bytes are no protobuf.
    """
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == _VARINT:
            value, position = _varint(data, position)
            yield tag >> 3, value
        elif kind == _BYTES:
            size, position = _varint(data, position)
            if size > len(data) - position:
                raise ValueError("it ends too early")
            yield tag >> 3, data[position : position + size]
            position += size
        elif kind in (_FIXED64, _FIXED32):
            position += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"a field of the unknown kind {kind}")
    if position > len(data):
        raise ValueError("it ends too early")


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("it ends too early")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number that does not end")
