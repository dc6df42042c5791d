"""What other workers found on shards of the samples, put together as if it had been found here.

Each shard is the result of a confined step that ran the user's code, like any outcomes. What it may say is what a file
gave on the very samples that are asked for, each of them once; shards of which this does not hold are not used.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from litegate.datasets.npy import Header, read_header
from litegate.errors import DataError
from litegate.evaluation.kept import Kept
from litegate.evaluation.one_pass import Part
from litegate.outcomes.columns import Outcomes
from litegate.records import EvaluateRequest
from litegate.work.step_work import Work

__all__ = ["merge"]

Array = np.ndarray[Any, np.dtype[Any]]
_OF_DATA = {"index", "id", "group", "slices"}
"""Columns that the dataset has itself."""
_KINDS = "biufS"
_AT_ONCE = 1 << 20
"""Bytes of a column that are read at once."""
_DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, DataError, OSError, KeyError)


def merge(file: EvaluateRequest, part: Part, kept: Kept, work: Work) -> bool:
    """Keep what all shards of a file gave; False if there are none, or what they say cannot be used.

    Raises:
        ValueError: shards have columns of several shapes.
    """
    if not file.shards:
        return False
    runs = list(zip(*(shard.runs for shard in file.shards), strict=False))
    try:
        found = [_Run([work.path(ref) for ref in refs if ref is not None]) for refs in runs]
        problem = _problem(file, part, found)
    except _DAMAGED as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        work.say("evaluate %s: its shards are not used, and it is evaluated at once: %s", part.name, problem)
        return False
    for (number, _), run in zip(part.demands, found, strict=True):
        run.add_to(kept, number)
    work.say("evaluate %s: merged from %d shards", part.name, len(file.shards))
    return True


def _problem(file: EvaluateRequest, part: Part, found: Sequence[_Run]) -> str:
    """Why the shards are not those of this file; empty if they are."""
    if any(shard.artifact_digest != file.artifact.file.digest for shard in file.shards):
        return "they are of another file"
    if any(len(shard.runs) != len(part.demands) for shard in file.shards):
        return f"expected {len(part.demands)} runs of files in each"
    for (_, order), run in zip(part.demands, found, strict=True):
        if not np.array_equal(np.sort(run.index), np.sort(np.asarray(order))):
            return f"expected each of {len(order):,} samples once, got {len(run.index):,} others"
    return ""


class _Run:
    """What all shards have of a run of a file.

    Raises:
        ValueError: a file has other columns than outcomes have.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._indices = {path: _index(path) for path in paths}
        self.index = np.concatenate([np.empty(0, np.int64), *self._indices.values()])

    def add_to(self, kept: Kept, number: int) -> None:
        """As what a file with this number gave."""
        for path, index in self._indices.items():
            names = [kept.dataset.ids[position].encode() for position in index.tolist()]
            kept.add(number, index, {"id": np.array(names)}, {})
            for name, rows, values in _parts(path):
                kept.add(number, index[rows], {}, {name: values})


def _index(path: Path) -> Array:
    """The samples in an npz of outcomes, all of whose columns are looked at."""
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


def _parts(path: Path) -> Iterator[tuple[str, slice, Array]]:
    """The columns that a file gave, some rows at a time."""
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
