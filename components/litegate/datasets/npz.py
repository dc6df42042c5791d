"""NPZ data sets: one array per input name, and `label`; the first axis are the samples.

A `label` of shape (samples,) that holds integers or booleans is a class for each sample; any other numbers are
targets, such as regression values or masks. Rows are read from the archive one by one, targets like inputs, so
memory does not grow with the file. Nothing is unpickled.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, overload

import numpy as np
from numpy.lib import format as npy

from litegate.errors import DataError

__all__ = ["NpzDataset"]

Array = np.ndarray[Any, np.dtype[Any]]
LABEL = "label"


@dataclass(frozen=True)
class _Member:
    """Header of one array of the archive."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran_order: bool


@dataclass(frozen=True)
class NpzDataset:
    """An indexed npz file; see `litegate.datasets.Dataset`."""

    path: Path
    where: str
    members: dict[str, _Member]
    ids: Sequence[str]
    labels: Array | None
    labelled: bool
    classes: tuple[str, ...] = ()

    @classmethod
    def open(cls, files: Mapping[str, Callable[[], Path]], where: str) -> NpzDataset:
        """Read the headers and the classes.

        Args:
            files: by name, what fetches the file.
            where: the spec key and the URI, for messages.

        Raises:
            DataError: it is not one npz file, or its arrays do not belong together.
        """
        if len(files) != 1:
            raise DataError(where, "one .npz file", f"{len(files)} files")
        path = next(iter(files.values()))()
        try:
            with zipfile.ZipFile(path) as archive:
                members = {name: _header(archive, name, where) for name in _names(archive, where)}
                labels = _labels(archive, members, where)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(where, "a whole .npz file", f"{type(error).__name__}: {error}") from None
        count = _count(members, where)
        labelled = LABEL in members
        if labels is not None:  # they need not be read again
            del members[LABEL]
        if not set(members) - {LABEL}:
            raise DataError(where, "one array per input of the model", "no array besides the labels")
        return cls(path, where, members, _Positions(count), labels, labelled)

    def read(self, indices: Sequence[int] | Array) -> Iterator[tuple[int, Mapping[str, Array], int | Array | None]]:
        """Samples in ascending order, without the batch axis."""
        with zipfile.ZipFile(self.path) as archive, ExitStack() as stack:
            rows = {
                name: _Rows(stack.enter_context(archive.open(f"{name}.npy")), member)
                for name, member in self.members.items()
            }
            for index in map(int, np.sort(np.asarray(indices, np.int64))):
                features = {name: reader.row(index) for name, reader in rows.items()}
                target = features.pop(LABEL, None)
                yield index, features, target if self.labels is None else int(self.labels[index])


@dataclass(frozen=True)
class _Positions(Sequence[str]):
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


class _Rows:
    """Rows of one array, read forward from its archive member."""

    def __init__(self, file: IO[bytes], member: _Member) -> None:
        self._file, self._member = file, member
        _read_header(file)
        self._start = file.tell()
        self._whole: Array | None = None
        if member.fortran_order:  # rows are scattered over the whole array
            file.seek(0)
            self._whole = npy.read_array(file, allow_pickle=False)

    def row(self, index: int) -> Array:
        if self._whole is not None:
            return np.ascontiguousarray(self._whole[index])
        shape, dtype = self._member.shape[1:], self._member.dtype
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        self._file.seek(self._start + index * size)
        return np.frombuffer(self._file.read(size), dtype).reshape(shape)


def _names(archive: zipfile.ZipFile, where: str) -> list[str]:
    names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
    if not names:
        raise DataError(where, "a .npz file with arrays", f"members {', '.join(archive.namelist()[:5]) or 'none'}")
    return names


def _header(archive: zipfile.ZipFile, name: str, where: str) -> _Member:
    with archive.open(f"{name}.npy") as file:
        shape, fortran_order, dtype = _read_header(file)
    if dtype.hasobject:
        raise DataError(f"{where}: array {name!r}", "numbers", "Python objects, which are never unpickled")
    if not shape:
        raise DataError(f"{where}: array {name!r}", "samples along the first axis", "a single number")
    return _Member(shape, dtype, fortran_order)


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    return reader(file)


def _labels(archive: zipfile.ZipFile, members: Mapping[str, _Member], where: str) -> Array | None:
    """The classes; None where there are no labels, or where they are targets."""
    if LABEL not in members:
        return None
    member = members[LABEL]
    if member.dtype.kind not in "biuf":
        found = f"{member.dtype} of shape {member.shape}"
        raise DataError(f"{where}: array {LABEL!r}", "numbers, integers of shape (samples,) for classes", found)
    if len(member.shape) != 1 or member.dtype.kind == "f":
        return None
    with archive.open(f"{LABEL}.npy") as file:
        labels: Array = npy.read_array(file, allow_pickle=False)
    return labels.astype(np.int64)


def _count(members: Mapping[str, _Member], where: str) -> int:
    counts = {name: member.shape[0] for name, member in members.items()}
    if len(set(counts.values())) != 1:
        found = ", ".join(f"{name}: {count}" for name, count in counts.items())
        raise DataError(where, "the same number of samples in every array", found)
    return next(iter(counts.values()))
