"""Arrays: one for each input under its name, and one with the labels; the first axis are the samples.

They are the members of one npz file, or npy files in a folder; a single npy file feeds a model with one input.
A label of shape (samples,) or (samples, 1) that holds integers or booleans is a class for each sample; any other
numbers are targets, such as regression values or masks. Rows are read one by one, targets like inputs, so memory does
not grow with the data. Those of an unpacked array are read from their places, after the archive's checksums were
verified.
Nothing is unpickled, and no array is read that is not as long as its header says.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any, ClassVar, Self, overload

import numpy as np
from typing_extensions import override

from litegate.datasets.archives import check_zip
from litegate.datasets.fields import Wanted
from litegate.datasets.groups import groups_of_array
from litegate.datasets.npy import Header, Rows, read_header
from litegate.errors import DataError

__all__ = ["NpyDataset", "NpzDataset", "Positions", "data_of", "naming_damage"]

Array = np.ndarray[Any, np.dtype[Any]]
Files = Mapping[str, Callable[[], Path]]
_LOCAL = struct.Struct("<26xHH")
"""What stands before the bytes of a member: at its end, the lengths of a name and of an extra field that follow."""
_LABELS = 1 << 16
"""So many labels are read at once."""
_BLOCK_BYTES = 1 << 18
"""So much is read at once for those who take one sample at a time."""
_VERIFIED_BYTES = 1 << 20
_ANY = Wanted()
_DAMAGE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, NotImplementedError)


@dataclass(frozen=True)
class Positions(Sequence[str]):
    """The identities of samples without names: their positions, made when they are asked for."""

    size: int

    def __len__(self) -> int:
        return self.size

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        found = range(self.size)[index]
        return str(found) if isinstance(found, int) else [str(each) for each in found]


@dataclass(frozen=True)
class _ArrayDataset:
    """Indexed arrays of any container; see `litegate.datasets.Dataset`.

    Attributes:
        sources: the array that feeds each input, where the spec says so; else arrays have the inputs' names.
    """

    positional: ClassVar[bool] = True
    paths: Mapping[str, Path]
    where: str
    headers: dict[str, Header]
    label: str
    ids: Sequence[str]
    labels: Array | None
    labelled: bool
    groups: Array | None = None
    slices: Mapping[str, Array] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def indexed(cls, paths: Mapping[str, Path], where: str, wanted: Wanted, inputs: Collection[str] = ()) -> Self:
        """Read the headers, the classes, the groups and the slices of the arrays in the files `paths`."""
        label, group, sources = wanted.label, wanted.group, wanted.arrays
        with cls._container(paths, where) as members:
            headers = {name: _header(name, member, where) for name, member in members.items()}
            labels = _labels(members, headers, label, where)
            groups = None if group is None else _values(members, headers, group, where, "group")
            slices = {name: _values(members, headers, name, where, "slices") for name in wanted.slices}
        count = _count(headers, where)
        labelled = label in headers
        _check_sources(sources, headers, where)
        feeding = set(sources.values()) or {name for name in headers if wanted.is_feature(name, inputs)}
        if not feeding:
            raise DataError(where, "one array per input of the model", "no array besides the labels")
        read = feeding if labels is not None else feeding | {label}  # classes need not be read again
        held = {name: each for name, each in headers.items() if name in read}
        return cls(paths, where, held, label, Positions(count), labels, labelled, groups, slices, sources=sources)

    def read(self, indices: Sequence[int] | Array) -> Iterator[tuple[int, Mapping[str, Array], int | Array | None]]:
        """Samples in ascending order, without the batch axis.

        Raises:
            DataError: the file is damaged.
        """
        sample = sum(math.prod(header.shape[1:]) * header.dtype.itemsize for header in self.headers.values())
        for block, features, labels in self.blocks(indices, max(1, _BLOCK_BYTES // max(1, sample))):
            for place, index in enumerate(block.tolist()):
                label = None if labels is None else labels[place, ...] if self.labels is None else int(labels[place])
                yield index, {name: values[place, ...] for name, values in features.items()}, label

    def blocks(
        self, indices: Sequence[int] | Array, size: int
    ) -> Iterator[tuple[Array, Mapping[str, Array], Array | None]]:
        """Samples in ascending order, `size` at a time: indices, features and labels, with the batch axis.

        Raises:
            DataError: the file is damaged.
        """
        wanted = indices if isinstance(indices, range) else np.sort(np.asarray(indices, np.int64))
        with self._rows(wanted) as rows:
            for start in range(0, len(wanted), size):
                block = np.asarray(wanted[start : start + size], np.int64)
                taken = {name: reader.take(block) for name, reader in rows.items()}
                target = taken.get(self.label) if self.labels is None else self.labels[block].astype(np.int64)
                yield block, self._features(taken), target

    def _features(self, taken: Mapping[str, Array]) -> Mapping[str, Array]:
        if self.sources:
            return {feature: taken[name] for feature, name in self.sources.items()}
        return {name: values for name, values in taken.items() if name != self.label}

    def identity(self, position: int) -> str:
        """The sample's position."""
        return str(position)

    def some(self, name: str, indices: Array) -> Array:
        """Rows of one array, in ascending order."""
        with self._rows(indices) as rows:
            return rows[name].take(indices)

    @contextmanager
    def _rows(self, _wanted: Array | range) -> Iterator[Mapping[str, Rows]]:
        """A context in which the rows that are wanted of each array are read, in ascending order."""
        with self._container(self.paths, self.where) as members, ExitStack() as stack:
            yield {name: Rows(stack.enter_context(members[name][0]()), header) for name, header in self.headers.items()}

    @classmethod
    def _container(cls, paths: Mapping[str, Path], where: str) -> Any:
        """A context in which arrays are opened: by name, what opens one and how many bytes it has."""
        raise NotImplementedError


_Members = Mapping[str, tuple[Callable[[], IO[bytes]], int]]


class NpzDataset(_ArrayDataset):
    """An indexed npz file."""

    @classmethod
    def open(cls, files: Files, where: str, wanted: Wanted = _ANY, inputs: Collection[str] = ()) -> Self:
        """Read the headers, the classes, the groups and the slices.

        Args:
            files: by name, what fetches the file.
            where: the spec key and the URI, for messages.
            wanted: which arrays are what.
            inputs: names of the signature's inputs, which a slice may be too.

        Raises:
            DataError: it is not one npz file, or its arrays do not belong together.
        """
        if len(files) != 1:
            raise DataError(where, "one .npz file", f"{len(files)} files")
        paths = {"": next(iter(files.values()))()}
        found = cls.indexed(paths, where, wanted, inputs)
        cls._verify(paths, where)
        return found

    @classmethod
    def _verify(cls, paths: Mapping[str, Path], where: str) -> None:
        """Read unpacked arrays to their ends, for the archive's checksums; their rows are then read by themselves."""
        with cls._container(paths, where), cls._archive(paths[""]) as archive:
            for info in archive.infolist():
                if info.compress_type == zipfile.ZIP_STORED:
                    with archive.open(info) as member:
                        while member.read(_VERIFIED_BYTES):
                            pass

    @classmethod
    @contextmanager
    def _container(cls, paths: Mapping[str, Path], where: str) -> Iterator[_Members]:
        with naming_damage(where, "a whole .npz file"), cls._archive(paths[""]) as archive:
            check_zip(archive, where)
            yield {
                info.filename.removesuffix(".npy"): (lambda info=info: archive.open(info), info.file_size)  # type: ignore[misc]
                for info in _arrays_of(archive, where)
            }

    @override
    @contextmanager
    def _rows(self, _wanted: Array | range) -> Iterator[Mapping[str, Rows]]:
        with ExitStack() as stack:
            members = stack.enter_context(self._container(self.paths, self.where))
            archive = stack.enter_context(self._archive(self.paths[""]))
            rows = {}
            for name, header in self.headers.items():
                member = archive.getinfo(f"{name}.npy")
                if member.compress_type == zipfile.ZIP_STORED:  # zipfile reads all that lies before a row
                    file: IO[bytes] = stack.enter_context(self.paths[""].open("rb"))
                    rows[name] = Rows(file, replace(header, start=header.start + data_of(file, member)))
                else:
                    rows[name] = Rows(stack.enter_context(members[name][0]()), header)
            yield rows

    @staticmethod
    def _archive(source: Path) -> AbstractContextManager[zipfile.ZipFile]:
        return zipfile.ZipFile(source)


class NpyDataset(_ArrayDataset):
    """Indexed npy files, each an array under its own name; a single one is the only input's."""

    @classmethod
    def open(cls, files: Files, where: str, wanted: Wanted = _ANY, inputs: Collection[str] = ()) -> Self:
        """Read the headers, the classes, the groups and the slices.

        Args:
            files: by name, what fetches the file; only those that end in `.npy` are.
            where, wanted, inputs: as for an npz file, and the same errors.
        """
        arrays = {name: fetch for name, fetch in files.items() if name.endswith(".npy")}
        if not arrays:
            raise DataError(where, "a .npy file, or a folder with <input>.npy and label.npy", f"{len(files)} others")
        if len(files) == 1:
            return cls.indexed({"arr_0": next(iter(arrays.values()))()}, where, wanted, inputs)
        paths = {name.removesuffix(".npy"): fetch() for name, fetch in arrays.items()}
        return cls.indexed(paths, where, wanted, inputs)

    @classmethod
    @contextmanager
    def _container(cls, paths: Mapping[str, Path], where: str) -> Iterator[_Members]:
        with naming_damage(where, "whole .npy files"):
            yield {
                name: (lambda path=path: path.open("rb"), path.stat().st_size)  # type: ignore[misc]
                for name, path in paths.items()
            }


@contextmanager
def naming_damage(where: str, expected: str) -> Iterator[None]:
    """What damaged files raise as an error of the data; a server that does not answer stays what it is."""
    try:
        yield
    except ConnectionError:
        raise
    except _DAMAGE as error:
        raise DataError(where, expected, f"{type(error).__name__}: {error}") from None


def data_of(raw: IO[bytes], member: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin in an archive."""
    raw.seek(member.header_offset)
    lengths = _LOCAL.unpack(raw.read(_LOCAL.size))
    return int(member.header_offset + _LOCAL.size + sum(lengths))


def _arrays_of(archive: zipfile.ZipFile, where: str) -> list[zipfile.ZipInfo]:
    arrays = [info for info in archive.infolist() if PurePosixPath(info.filename).suffix == ".npy"]
    if not arrays:
        found = ", ".join(archive.namelist()[:5])
        raise DataError(where, "a .npz file with arrays", f"members {found or 'none'}")
    return arrays


def _header(name: str, member: tuple[Callable[[], IO[bytes]], int], where: str) -> Header:
    with member[0]() as file:
        header = read_header(file, member[1], f"{where}: array {name!r}")
    if not header.shape:
        raise DataError(f"{where}: array {name!r}", "samples along the first axis", "a single number")
    return header


def _check_sources(sources: Mapping[str, str], headers: Collection[str], where: str) -> None:
    missing = sorted(set(sources.values()) - set(headers))
    if missing:
        raise DataError(where, f"the arrays that `features` names, {', '.join(missing)} among them", ", ".join(headers))


def _labels(members: _Members, headers: Mapping[str, Header], label: str, where: str) -> Array | None:
    """The classes; None where there are no labels, or where they are targets."""
    if label not in headers:
        return None
    header = headers[label]
    if header.dtype.kind not in "biuf":
        found = f"{header.dtype} of shape {header.shape}"
        raise DataError(f"{where}: array {label!r}", "numbers, integers of shape (samples,) for classes", found)
    if math.prod(header.shape[1:]) != 1 or header.dtype.kind == "f":
        return None
    with members[label][0]() as file:
        rows, count = Rows(file, header), header.shape[0]
        parts = (rows.take(np.arange(start, min(start + _LABELS, count))) for start in range(0, count, _LABELS))
        return np.concatenate([_narrow(part.reshape(-1)) for part in parts] or [np.zeros(0, np.int64)])


def _narrow(values: Array) -> Array:
    """Integers in the smallest signed type: memory does not grow by eight bytes for each sample."""
    values = values.astype(np.int64)
    for dtype in (np.int8, np.int16, np.int32):
        if np.iinfo(dtype).min <= values.min() and values.max() <= np.iinfo(dtype).max:
            return values.astype(dtype)
    return values


def _values(members: _Members, headers: Mapping[str, Header], name: str, where: str, key: str) -> Array:
    """The values of a field that the spec's `key` names."""
    if name not in headers:
        raise DataError(where, f"the array {name!r}, which `{key}` names", ", ".join(headers))
    with members[name][0]() as file:
        return groups_of_array(Rows(io.BytesIO(file.read()), headers[name]).whole(), f"{where}: array {name!r}")


def _count(headers: Mapping[str, Header], where: str) -> int:
    counts = {name: header.shape[0] for name, header in headers.items()}
    if len(set(counts.values())) != 1:
        found = ", ".join(f"{name}: {count}" for name, count in counts.items())
        raise DataError(where, "the same number of samples in every array", found)
    return next(iter(counts.values()))
