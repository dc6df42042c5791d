"""Outcomes that a confined step has left as an npz, read a part at a time; what is in it is that step's word alone.

Its bytes are those that the step left. It may still have put anything in there, for the user's code ran in it.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from litegate.datasets.npy import Header, read_header
from litegate.errors import DataError
from litegate.outcomes.columns import Outcomes

__all__ = ["UNREADABLE", "stored_index", "stored_parts"]

Array = np.ndarray[Any, np.dtype[Any]]
UNREADABLE = (zipfile.BadZipFile, zlib.error, ValueError, DataError, OSError, KeyError)
"""What reading raises where a file is no npz of outcomes."""
_OF_DATA = {"index", "id", "group", "slices"}
"""Columns that the dataset has itself."""
_KINDS = "biufS"
_AT_ONCE = 1 << 20
"""Bytes of a column that are read at once."""


def stored_index(path: Path) -> Array:
    """The samples in an npz of outcomes, all of whose columns are looked at.

    Raises:
        Exception: one of `UNREADABLE`: it has others than outcomes have, or of other lengths.
    """
    with zipfile.ZipFile(path) as archive:
        headers = {name: _header(archive, name) for name in archive.namelist()}
        index = np.concatenate([values for _, values in _rows(archive, "index.npy")])
    for name, header in headers.items():
        known = name.removesuffix(".npy") in Outcomes.names() and header.dtype.kind in _KINDS
        if not known or header.fortran_order or header.shape[:1] != index.shape:
            raise ValueError(f"{name}: expected a column for {len(index):,} samples, got {header.dtype}{header.shape}")
    if index.dtype != np.int64:
        raise ValueError(f"index.npy: expected int64, got {index.dtype}")
    return index


def stored_parts(path: Path) -> Iterator[tuple[str, slice, Array]]:
    """Name, rows and values of the columns that a file gave, some rows at a time."""
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            if name not in _OF_DATA:
                yield from ((name, rows, values) for rows, values in _rows(archive, member))


def _rows(archive: zipfile.ZipFile, member: str) -> Iterator[tuple[slice, Array]]:
    with _opened(archive, member) as (file, header):
        size = header.dtype.itemsize * math.prod(header.shape[1:])
        step = max(1, _AT_ONCE // max(1, size))
        for start in range(0, header.shape[0], step):
            count = min(step, header.shape[0] - start)
            values = np.frombuffer(file.read(count * size), header.dtype)
            yield slice(start, start + count), values.reshape(count, *header.shape[1:])


def _header(archive: zipfile.ZipFile, member: str) -> Header:
    with _opened(archive, member) as (_, header):
        return header


@contextmanager
def _opened(archive: zipfile.ZipFile, member: str) -> Iterator[tuple[IO[bytes], Header]]:
    """An array of an archive, at its first value."""
    with archive.open(member) as file:
        yield file, read_header(file, archive.getinfo(member).file_size, member)
