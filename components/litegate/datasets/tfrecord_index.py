"""TFRecord files with an index beside them, of which only the records that are asked for are read.

The index is that of NVIDIA DALI's `tfrecord2idx` and of the package `tfrecord`: a line of text a record, its offset and
its size with the framing, in bytes (https://docs.nvidia.com/deeplearning/dali/user-guide/docs/examples/general/
data_loading/dataloading_tfrecord.html). It has no labels, so what is read this way has none that are known before.
It is believed as far as it covers the file without a gap; each record that is read is verified as always.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from litegate.datasets.fields import Raw
from litegate.datasets.pinned import PinnedFile, want_together
from litegate.datasets.tfrecord import fields_of, read_records
from litegate.errors import DataError
from litegate.storage.spans import Span

__all__ = ["SUFFIXES", "IndexedTFRecordShard", "index_of", "open_indexed"]

Array = np.ndarray[Any, np.dtype[Any]]
SUFFIXES = (".idx", ".index")


@dataclass(frozen=True)
class IndexedTFRecordShard:
    """One TFRecord file; `offsets` says where each record begins, and where the last one ends."""

    positional: ClassVar[bool] = True
    file: PinnedFile
    where: str
    offsets: Array
    fields: Sequence[str] = ()
    numbers: Sequence[str] = ()

    @classmethod
    def open(cls, file: PinnedFile, index: PinnedFile, where: str) -> IndexedTFRecordShard:
        """Read the index.

        Raises:
            DataError: it is none of this file.
        """
        with index.spans() as content:
            offsets = _offsets(content.read(), file.size, f"{where}: its index {index.entry.name}")
        return cls(file, where, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def identity(self, position: int) -> str:
        """The record's position."""
        return str(position)

    def first_fields(self) -> Sequence[str]:
        """Names of the fields of the first record."""
        want_together([self.wanted(np.array([0]))])
        with self.file.spans() as content:
            return fields_of(content, self.file.size, f"{self.where}: record 0")

    def wanted(self, positions: Array) -> tuple[PinnedFile, list[Span]]:
        """Where the records at `positions` lie."""
        return self.file, list(zip(self.offsets[positions].tolist(), self.offsets[positions + 1].tolist(), strict=True))

    def read(self, positions: Array, names: Collection[str]) -> Iterator[Mapping[str, Raw]]:
        """The fields `names` of the records at `positions`, as flat lists or bytes."""
        want_together([self.wanted(positions)])
        with self.file.spans() as content:
            yield from read_records(content, self.file.size, self.offsets, positions, names, self.where)


def open_indexed(data: Mapping[str, Any], indexes: Mapping[str, Any], where: str) -> dict[str, IndexedTFRecordShard]:
    """The files of a dataset, by name, of which all have an index.

    Raises:
        DataError: an index is none of its file.
    """

    beside = {name: indexes[index_of(name, indexes) or ""] for name in sorted(data)}
    want_together((index, [(0, index.size)]) for index in beside.values())
    shards = {name: IndexedTFRecordShard.open(data[name], index, f"{where}: {name}") for name, index in beside.items()}
    name, first = next((each for each in shards.items() if len(each[1])), ("", None))
    return shards if first is None else shards | {name: replace(first, fields=first.first_fields())}


def index_of(name: str, files: Collection[str]) -> str | None:
    """The name of a file's index: its own with `.idx` or `.index` at its end, or in the place of its suffix."""
    stems = (name, name.rpartition(".")[0])
    return next((stem + suffix for stem in stems for suffix in SUFFIXES if stem and stem + suffix in files), None)


def _offsets(content: bytes, size: int, place: str) -> Array:
    try:
        table = np.loadtxt(io.BytesIO(content), np.int64, ndmin=2, comments=None)
    except (ValueError, OverflowError) as error:
        raise DataError(place, "an offset and a size in each line", str(error)) from None
    if table.size and table.shape[1] != 2:
        raise DataError(place, "an offset and a size in each line", f"{table.shape[1]} numbers")
    table = table.reshape(-1, 2)
    offsets = np.append(table[:, 0], size)
    if offsets[0] != 0 or not np.array_equal(offsets[1:], table.sum(axis=1)) or (np.diff(offsets) <= 0).any():
        raise DataError(place, f"records that fill the file's {size:,} bytes one after the other", "others; is it old?")
    return offsets
