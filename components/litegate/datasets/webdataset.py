"""WebDataset shards: tars in which the files `<key>.<field>` of one key, one after the other, are a sample.

`.npy` files are arrays, `.jpg`, `.png` and other images are decoded, `.cls` is an integer class, and the entries
of a `.json` object are fields of their own (https://github.com/webdataset/webdataset). A file is a field under
its extension, or under what stands before it: `0001.jpg` is `jpg`, `0001.left.npy` is `left`.
A class in a `.cls` file is the label whatever the label's name.
"""

from __future__ import annotations

import json
import posixpath
import sys
from array import array
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np

from litegate.datasets.archives import TarIndex, index_tar
from litegate.datasets.fields import Raw
from litegate.datasets.npy import parse_array
from litegate.datasets.shards import RecordIndex
from litegate.errors import DataError

__all__ = ["WebDatasetShard"]

Array = np.ndarray[Any, np.dtype[Any]]
_PACKED = (b"\x1f\x8b", b"BZ", b"\xfd7")


@dataclass(frozen=True)
class WebDatasetShard:
    """One indexed tar.

    Attributes:
        label: name of the label, which a `.cls` file holds whatever it is called.
        keys: of the samples; the one at `position` has the members from `starts[position]` to the next start.
        extensions, offsets, sizes: of the members.
    """

    positional: ClassVar[bool] = False
    fetch: Callable[[], Path]
    where: str
    label: str
    keys: Sequence[str]
    starts: Array
    extensions: Sequence[str]
    offsets: Array
    sizes: Array
    fields: Sequence[str] = ()
    numbers: Sequence[str] = ()

    @classmethod
    def open(cls, fetch: Callable[[], Path], where: str, index: RecordIndex) -> WebDatasetShard:
        """Index the members, and read the labels, groups and slices.

        Raises:
            DataError: the tar is damaged, packed, has a member that it must not have, or a key twice.
        """
        path = fetch()
        with path.open("rb") as file:
            if file.read(2) in _PACKED:
                raise DataError(where, "a tar that is not packed, so that it can be read at any place", "a packed one")
            members = index_tar(path, where)
            keys, starts, extensions = _grouped(members, where)
            label = index.labels.name
            shard = cls(fetch, where, label, keys, starts, extensions, members.offsets, members.sizes)
            for position in range(len(keys)):
                index.labels.add(shard._label(file, position), shard._place(position))
                for name, each in index.named.items():
                    each.add(shard._named(file, position, name), shard._place(position))
            fields = tuple(sorted(shard._names(file, 0))) if keys else ()
        return cls(fetch, where, label, keys, starts, extensions, members.offsets, members.sizes, fields)

    def __len__(self) -> int:
        return len(self.keys)

    def identity(self, position: int) -> str:
        """The sample's key."""
        return self.keys[position]

    def read(self, positions: Array, names: Collection[str]) -> Iterator[Mapping[str, Raw]]:
        """The fields `names` of the samples at `positions`."""
        with self.fetch().open("rb") as file:
            for position in positions.tolist():
                place = self._place(position)
                files = self._files(position)
                entries = {} if set(names) <= set(files) else self._entries(file, position)
                values = {name: _decoded(*self._content(file, *files[name]), place) for name in names if name in files}
                yield values | {name: entries[name] for name in names if name in entries}

    def _names(self, file: IO[bytes], position: int) -> set[str]:
        return {*self._files(position), *self._entries(file, position)} - {"json"}

    def _label(self, file: IO[bytes], position: int) -> Raw | None:
        files = self._files(position)
        if self.label in files:
            return _decoded(*self._content(file, *files[self.label]), self._place(position))
        return self._entries(file, position).get(self.label)

    def _named(self, file: IO[bytes], position: int, name: str) -> object:
        """What names its group or slice: a file of text, an array of one element, or an entry of its `.json` file."""
        files = self._files(position)
        if name in files:
            return _decoded(*self._content(file, *files[name]), self._place(position))
        return self._json(file, position).get(name)

    def _files(self, position: int) -> dict[str, tuple[str, int]]:
        """The sample's members by field: their kind, and their number."""
        found: dict[str, tuple[str, int]] = {}
        for at in range(int(self.starts[position]), int(self.starts[position + 1])):
            name, _, kind = self.extensions[at].rpartition(".")
            name = self.label if kind == "cls" else name or kind
            if name in found:
                raise DataError(self._place(position), "one file for each field", f"several for {name!r}")
            found[name] = kind.lower(), at
        return found

    def _entries(self, file: IO[bytes], position: int) -> dict[str, Raw]:
        """The numbers and lists of numbers of the sample's `.json` file, by name."""
        found = self._json(file, position).items()
        return {name: value for name, entry in found if (value := _numbers(entry)) is not None}

    def _json(self, file: IO[bytes], position: int) -> dict[str, Any]:
        """The object in the sample's `.json` file; empty where there is none."""
        files, place = self._files(position), f"{self._place(position)}.json"
        if "json" not in files:
            return {}
        try:
            entries = json.loads(self._content(file, *files["json"])[1])
        except ValueError as error:
            raise DataError(place, "JSON", str(error)) from None
        if not isinstance(entries, dict):
            raise DataError(place, "a JSON object", type(entries).__name__)
        return entries

    def _content(self, file: IO[bytes], kind: str, at: int) -> tuple[str, bytes]:
        file.seek(int(self.offsets[at]))
        return kind, file.read(int(self.sizes[at]))

    def _place(self, position: int) -> str:
        return f"{self.where}: {self.keys[position]}"


def _grouped(members: TarIndex, where: str) -> tuple[list[str], Array, list[str]]:
    """Keys, the member at which each begins, and the members' extensions."""
    keys: list[str] = []
    starts, extensions = array("q"), []
    for at, name in enumerate(members.names):
        folder, file = posixpath.split(posixpath.normpath(name))  # a Path would intern each part of each name
        stem, _, extension = file.partition(".")
        if not stem or not extension:
            raise DataError(f"{where}: {name}", "files named <key>.<field>", "another name")
        key = posixpath.join(folder, stem)
        if not keys or keys[-1] != key:
            keys.append(key)
            starts.append(at)
        extensions.append(sys.intern(extension))
    if len(set(keys)) != len(keys):
        raise DataError(where, "the files of one key one after the other", "a key at several places")
    return keys, np.array([*starts, len(members.names)], np.int64), extensions


def _decoded(kind: str, data: bytes, place: str) -> Raw:
    """Arrays and classes; all others as they are."""
    if kind == "npy":
        return parse_array(data, f"{place}.npy")
    if kind != "cls":
        return data
    try:
        return np.asarray(int(data), np.int64)
    except (ValueError, OverflowError):
        raise DataError(f"{place}.cls", "an integer class", f"{data[:40]!r}") from None


def _numbers(entry: Any) -> Raw | None:
    try:
        found = np.asarray(entry)
    except (ValueError, OverflowError):
        return None
    return found if found.dtype.kind in "biuf" else None
