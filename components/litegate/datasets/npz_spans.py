"""Npz files of which little is read: their directories, the labels, and the rows that are asked for.

That takes arrays that are stored as they are (`np.savez`), so that a row has a place in the file. The labels are read
to their end and verified by their CRC-32. A row is verified by nothing but the version of its object.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from typing_extensions import override

from litegate.datasets.fields import Wanted
from litegate.datasets.npy import Header, Rows
from litegate.datasets.npz import NpzDataset, data_of, naming_damage
from litegate.datasets.pinned import PinnedFile, at_once, want_together
from litegate.storage.spans import Span

__all__ = ["SpanNpz"]

Array = np.ndarray[Any, np.dtype[Any]]
_TAIL, _HEAD = 1 << 17, 1 << 13
"""Bytes at the end, which hold the directory and mostly the labels, and at the beginning of a member: its headers."""


@dataclass(frozen=True)
class SpanNpz(NpzDataset):
    """An indexed npz file, which `paths` has as it is pinned. Its arrays' headers say where they lie in the file."""

    @classmethod
    def open_together(
        cls, files: Mapping[str, PinnedFile], wanted: Wanted, inputs: Collection[str]
    ) -> Iterator[NpzDataset]:
        """Index files, of which each part is fetched for all of them at once; one with packed features as a whole.

        Args:
            files: by what messages call them.

        Raises:
            DataError: one is no npz file, or its arrays do not belong together.
        """
        want_together((file, [(0, _HEAD), (file.size - _TAIL, file.size)]) for file in files.values())
        members = [cls._members(file, where) for where, file in files.items()]
        whole = {f"{name}.npy" for name in (wanted.label, wanted.group, *wanted.slices)}
        want_together(zip(files.values(), (_beginnings(each, whole) for each in members), strict=True))

        def open_one(item: tuple[str, PinnedFile, Sequence[zipfile.ZipInfo]]) -> NpzDataset:
            where, file, infos = item
            if _is_packed(infos, whole):
                return NpzDataset.open({file.entry.name: file}, where, wanted, inputs)
            return cls.indexed(cast("Any", {"": file}), where, wanted, inputs)._placed(infos)

        waiting = any(_is_packed(each, whole) for each in members)  # else threads do nothing but hinder each other
        return (at_once if waiting else map)(open_one, zip(files, files.values(), members, strict=True))

    @classmethod
    def _members(cls, file: PinnedFile, where: str) -> list[zipfile.ZipInfo]:
        with naming_damage(where, "a whole .npz file"), cls._archive(file) as archive:
            return archive.infolist()

    def _placed(self, members: Sequence[zipfile.ZipInfo]) -> SpanNpz:
        """The same, with the arrays' places in the file instead of those in its members."""
        file: Any = self.paths[""]
        with file.spans() as raw:
            places = {each.filename.removesuffix(".npy"): data_of(raw, each) for each in members}
        moved = {name: replace(header, start=header.start + places[name]) for name, header in self.headers.items()}
        return replace(self, headers=moved)

    def wanted(self, rows: Array) -> tuple[PinnedFile, list[Span]]:
        """Where rows of all arrays lie."""
        spans = (span for header in self.headers.values() for span in _rows_of(header, rows))
        return cast("Any", self.paths[""]), list(spans)

    @override
    @contextmanager
    def _rows(self, _wanted: Array | range) -> Iterator[Mapping[str, Rows]]:
        file, spans = self.wanted(np.asarray(_wanted))
        file.want(spans)
        with file.spans() as raw:
            yield {name: Rows(raw, header) for name, header in self.headers.items()}

    @override
    @staticmethod
    @contextmanager
    def _archive(source: Any) -> Iterator[zipfile.ZipFile]:
        with source.spans() as raw, zipfile.ZipFile(raw) as archive:
            yield archive


def _is_packed(members: Sequence[zipfile.ZipInfo], whole: Collection[str]) -> bool:
    """Whether an array is that is not read whole."""
    return any(each.compress_type != zipfile.ZIP_STORED for each in members if each.filename not in whole)


def _beginnings(members: Sequence[zipfile.ZipInfo], whole: Collection[str]) -> list[Span]:
    """The headers of all members, and of some of them all that follows."""
    sizes = {each.filename: each.compress_size if each.filename in whole else 0 for each in members}
    return [(each.header_offset, each.header_offset + _HEAD + sizes[each.filename]) for each in members]


def _rows_of(header: Header, wanted: Array) -> Iterator[Span]:
    size = math.prod(header.shape[1:]) * header.dtype.itemsize
    if header.fortran_order:  # rows are scattered over the whole array
        yield header.start, header.start + header.shape[0] * size
    else:
        yield from ((header.start + index * size, header.start + (index + 1) * size) for index in wanted.tolist())
