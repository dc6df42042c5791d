"""An npz file of which little is read: its directory, the labels, and the rows that are asked for.

That takes arrays that are stored as they are (`np.savez`), so that a row has a place in the file. The labels are read
to their end and verified by their CRC-32. A row is verified by nothing but the version of its object.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from typing_extensions import override

from litegate.datasets.fields import Wanted
from litegate.datasets.npy import Rows
from litegate.datasets.npz import NpzDataset, data_of
from litegate.datasets.pinned import PinnedFile

__all__ = ["SpanNpz"]

Array = np.ndarray[Any, np.dtype[Any]]
_TAIL, _HEAD = 1 << 17, 1 << 13
"""Bytes at the end, which hold the directory and mostly the labels, and at the beginning of a member: its headers."""


@dataclass(frozen=True)
class SpanNpz(NpzDataset):
    """An indexed npz file, which `paths` has as it is pinned."""

    @classmethod
    def of(cls, file: PinnedFile, where: str, wanted: Wanted, inputs: Collection[str]) -> NpzDataset:
        """Index it; one with packed features is fetched whole.

        Raises:
            DataError: it is no npz file, or its arrays do not belong together.
        """
        sources: Any = {"": file}
        with cls._container(sources, where), _archive(file) as archive:
            members = archive.infolist()
        whole = {f"{name}.npy" for name in (wanted.label, wanted.group, *wanted.slices)}
        if any(each.compress_type != zipfile.ZIP_STORED for each in members if each.filename not in whole):
            return NpzDataset.open({file.entry.name: file}, where, wanted, inputs)
        sizes = {each.filename: each.compress_size if each.filename in whole else 0 for each in members}
        file.want((each.header_offset, each.header_offset + _HEAD + sizes[each.filename]) for each in members)
        return cls.indexed(sources, where, wanted, inputs)

    def prefetch(self, wanted: Array) -> None:
        """Fetch rows that are going to be read."""
        with self._rows(wanted):
            pass

    @override
    @contextmanager
    def _rows(self, _wanted: Array | range) -> Iterator[Mapping[str, Rows]]:
        file: Any = self.paths[""]
        with _archive(file) as archive, file.spans() as raw:
            places = {each.filename: data_of(raw, each) for each in archive.infolist()}
            headers = {
                name: replace(header, start=header.start + places[f"{name}.npy"])
                for name, header in self.headers.items()
            }
            file.want(span for header in headers.values() for span in _rows_of(header, np.asarray(_wanted)))
            yield {name: Rows(raw, header) for name, header in headers.items()}

    @override
    @staticmethod
    def _archive(source: Any) -> AbstractContextManager[zipfile.ZipFile]:
        return _archive(source)


@contextmanager
def _archive(file: PinnedFile) -> Iterator[zipfile.ZipFile]:
    file.want([(0, _HEAD), (file.size - _TAIL, file.size)])
    with file.spans() as raw, zipfile.ZipFile(raw) as archive:
        yield archive


def _rows_of(header: Any, wanted: Array) -> Iterator[tuple[int, int]]:
    size = math.prod(header.shape[1:]) * header.dtype.itemsize
    if header.fortran_order:  # rows are scattered over the whole array
        yield header.start, header.start + header.shape[0] * size
    else:
        yield from ((header.start + index * size, header.start + (index + 1) * size) for index in wanted.tolist())
