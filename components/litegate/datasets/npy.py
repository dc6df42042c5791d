"""Single arrays in NumPy's format: headers that are checked before anything is allocated, and rows.

The format is https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from litegate.errors import DataError

__all__ = ["Header", "Rows", "parse_array", "read_header"]

Array = np.ndarray[Any, np.dtype[Any]]
_LISTS = " (lists of several lengths? parquet, webdataset and tfrecord hold them; here fill them up to one length)"


@dataclass(frozen=True)
class Header:
    """What an array says of itself; its data begins at byte `start` of its file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool
    start: int


def read_header(file: IO[bytes], size: int, place: str) -> Header:
    """The header of an array in a file of `size` bytes.

    Raises:
        DataError: it holds Python objects, or is not as long as its header says.
        ValueError: it is no npy file.
    """
    version = npy.read_magic(file)
    reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran_order, dtype = reader(file)
    if dtype.hasobject:
        raise DataError(place, "numbers", f"Python objects, which are never unpickled{_LISTS}")
    header = Header(shape, dtype, fortran_order, file.tell())
    declared = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or declared != size - header.start:
        raise DataError(place, f"{declared:,} bytes, as its header says", f"{size - header.start:,} bytes")
    return header


def parse_array(data: bytes, place: str) -> Array:
    """The array that the bytes of an npy file hold.

    Raises:
        DataError: they are none, or hold Python objects.
    """
    file = io.BytesIO(data)
    try:
        header = read_header(file, len(data), place)
    except ValueError as error:
        raise DataError(place, "an array in NumPy's format", str(error)) from None
    return Rows(file, header).whole()


class Rows:
    """Rows of one array, read forward from its file."""

    def __init__(self, file: IO[bytes], header: Header) -> None:
        self._file, self._header = file, header
        self._kept: Array | None = None

    def take(self, indices: Array) -> Array:
        """The elements at `indices`, which ascend, of the first axis; neighbours are read at once. Read-only."""
        if self._header.fortran_order:  # rows are scattered over the whole array
            if self._kept is None:
                self._kept = self.whole()
            return np.ascontiguousarray(self._kept[indices])
        shape = self._header.shape[1:]
        size = math.prod(shape) * self._header.dtype.itemsize
        runs = np.split(indices, np.flatnonzero(np.diff(indices) != 1) + 1)
        parts = [self._read(int(run[0]) * size, len(run) * size) for run in runs]
        found = parts[0] if len(parts) == 1 else np.concatenate(parts)
        found.flags.writeable = False
        return found.reshape(len(indices), *shape)

    def whole(self) -> Array:
        """All of the array."""
        shape, order = self._header.shape, "F" if self._header.fortran_order else "C"
        values = self._read(0, math.prod(shape) * self._header.dtype.itemsize)
        return values.reshape(shape, order=order)  # type: ignore[call-overload,no-any-return]

    def _read(self, offset: int, size: int) -> Array:
        self._file.seek(self._header.start + offset)
        return np.frombuffer(self._file.read(size), self._header.dtype)
