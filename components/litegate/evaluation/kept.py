"""What files gave on the samples, on disk: memory does not grow with how many there are.

Each column is a file of raw values with a place for every sample of the dataset, most of them holes until they are
written. It is mapped into memory only while some rows of it are written or read.
"""

from __future__ import annotations

import math
import mmap
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from litegate.datasets import Dataset
from litegate.evaluation.blocks import as_rows
from litegate.outcomes.clusters import all_distinct
from litegate.outcomes.columns import Outcomes, Unpaired
from litegate.outcomes.writing import Column, write_columns

__all__ = ["Kept", "Seen"]

Array = np.ndarray[Any, np.dtype[Any]]
_COMMON = -1
"""In the place of a file's number: what is a sample's own, whoever evaluates it."""
_SEEN = "seen"
_AT_ONCE = 1 << 20
"""Bytes of a column that are read at once."""


@dataclass
class Kept:
    """Columns of every file.

    Args:
        folder: for the columns.
        dataset: whose samples they are; a sample's index is its row.
    """

    folder: Path
    dataset: Dataset
    _kinds: dict[tuple[int, str], tuple[np.dtype[Any], tuple[int, ...]]] = field(default_factory=dict)

    def add_names(self, index: Array, names: Array) -> None:
        """What samples are called, whatever file they go to."""
        self._write(_COMMON, "id", as_rows(index), names)

    def add(self, file: int, index: Array, columns: Mapping[str, Array]) -> None:
        """What a file gave on some samples."""
        rows = as_rows(index)
        for name, values in columns.items():
            self._write(file, name, rows, values)
        self._write(file, _SEEN, rows, np.ones(len(index), bool))

    def forget(self, file: int, index: Array) -> None:
        """Take back what a file gave on samples on which it is run again."""
        self._write(file, _SEEN, as_rows(index), np.zeros(len(index), bool))

    def has_seen(self, file: int, index: Array | range) -> Array:
        """Of samples, whether a file was run on each."""
        if (file, _SEEN) not in self._kinds:
            return np.zeros(len(index), bool)
        return self.rows(file, _SEEN, index)

    def names(self, file: int) -> set[str]:
        """Of the columns of a file."""
        return {name for of, name in self._kinds if of in (file, _COMMON)} - {_SEEN}

    def rows(self, file: int, name: str, index: Array | range) -> Array:
        """Some rows of a column of a file."""
        if name == "index":
            return np.asarray(index, np.int64)
        if name in self.of_data():
            return self.of_data()[name](as_rows(index))
        file = file if (file, name) in self._kinds else _COMMON
        return np.array(self._mapped(file, name)[as_rows(index)])

    def of_data(self) -> Mapping[str, Callable[[Array | slice], Array]]:
        """Columns that the dataset holds for all of its samples, with what gives some rows of each."""
        groups, slices = self.dataset.groups, [values for _, values in sorted(self.dataset.slices.items())]
        found: dict[str, Callable[[Array | slice], Array]] = {}
        if groups is not None:
            found["group"] = lambda rows: groups[rows]
        if slices:
            found["slices"] = lambda rows: np.stack([values[rows] for values in slices], axis=1)
        return found

    def kind(self, file: int, name: str) -> tuple[np.dtype[Any], tuple[int, ...]]:
        """The type of a column, and the shape of a row."""
        if name != "index" and name not in self.of_data():
            return self._kinds.get((file, name)) or self._kinds[_COMMON, name]
        one = self.rows(file, name, range(1))
        return one.dtype, one.shape[1:]

    def _write(self, file: int, name: str, rows: Array | slice, values: Array) -> None:
        known = self._kinds.setdefault((file, name), (values.dtype, values.shape[1:]))
        if known[1] != values.shape[1:]:
            raise ValueError(f"column {name}: rows of shape {values.shape[1:]} after rows of shape {known[1]}")
        wider = np.result_type(known[0], values.dtype)
        if wider != known[0]:
            self._widen(file, name, wider)
        self._mapped(file, name)[rows] = values

    def _widen(self, file: int, name: str, dtype: np.dtype[Any]) -> None:
        """Longer names, or numbers of another type, have come."""
        narrow = self._mapped(file, name)
        self._path(file, name).unlink()  # the map holds on to what was there
        self._kinds[file, name] = dtype, narrow.shape[1:]
        self._mapped(file, name)[:] = narrow

    def _mapped(self, file: int, name: str) -> Array:
        """By hand: a process hands back some rows of many columns, and `np.memmap` takes ten times as long."""
        dtype, shape = self._kinds[file, name]
        shape = (len(self.dataset.ids), *shape)
        size = dtype.itemsize * math.prod(shape)
        column = os.open(self._path(file, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(column).st_size < size:
                os.ftruncate(column, size)
            return np.ndarray(shape, dtype, mmap.mmap(column, size))
        finally:
            os.close(column)

    def _path(self, file: int, name: str) -> Path:
        return self.folder / f"column-{file}-{name}"


@dataclass(frozen=True)
class Seen:
    """What a file gave on the samples of `order`, in that order.

    Raises:
        Unpaired: a sample was not evaluated.
    """

    kept: Kept
    file: int
    order: Array | range

    def __post_init__(self) -> None:
        missing = len(self) - int(np.count_nonzero(self.kept.has_seen(self.file, self.order)))
        if missing:
            raise Unpaired(f"{missing:,} of {len(self):,} samples were not evaluated")

    def __len__(self) -> int:
        return len(self.order)

    def column(self, name: str) -> Array | None:
        """A whole column; None if there is none."""
        if name not in self._names():
            return None
        dtype, shape = self.kept.kind(self.file, name)
        found, at = np.empty((len(self), *shape), dtype), 0
        for part in self.parts(name):
            found[at : at + len(part)] = part
            at += len(part)
        return found

    def copies(self) -> Array | None:
        """The column `fed`, where it is not certain that no two samples are equal."""
        return None if all_distinct(self.parts("fed"), len(self)) else self.column("fed")

    def outcomes(self) -> Outcomes:
        """All columns."""
        columns = {name: self.kept.rows(self.file, name, self.order) for name in self._names()}
        return Outcomes(**columns | {"id": columns["id"].astype(f"S{self._longest}")})

    def write(self, path: Path) -> Path:
        """The bytes of `outcomes().to_bytes()`, a part of a column at a time."""
        write_columns(path, {name: self._streamed(name) for name in self._names()})
        return path

    def _names(self) -> list[str]:
        found = self.kept.names(self.file) | {"index", *self.kept.of_data()}
        return [name for name in Outcomes.names() if name in found]

    def _streamed(self, name: str) -> Column:
        dtype, shape = self.kept.kind(self.file, name)
        if name == "id":  # others that were evaluated in the same pass must not show
            dtype = np.dtype(f"S{self._longest}")
        return Column(dtype, (len(self), *shape), (part.astype(dtype, copy=False) for part in self.parts(name)))

    @property
    def _longest(self) -> int:
        """Bytes of the longest name."""
        return max(1, *(int(np.char.str_len(part).max()) for part in self.parts("id")))

    def parts(self, name: str) -> Iterator[Array]:
        """A column, some rows at a time; nothing if there is none."""
        if (name not in ("id", "index") and name not in self._names()) or not len(self):
            return
        dtype, shape = self.kept.kind(self.file, name)
        step = max(1, _AT_ONCE // max(1, dtype.itemsize * int(np.prod(shape))))
        for start in range(0, len(self), step):
            yield self.kept.rows(self.file, name, self.order[start : start + step])
