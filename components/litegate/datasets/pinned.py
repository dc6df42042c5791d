"""The files of a pinned dataset: fetched whole, or only in the parts that are read."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

from typing_extensions import override

from litegate.storage.manifests import Entry
from litegate.storage.spans import Span, joined, missing
from litegate.work.step_work import Work

__all__ = ["PinnedFile", "SpanReader", "at_once", "want_together"]

T = TypeVar("T")
R = TypeVar("R")
_FILES_AT_ONCE = 8
_AHEAD = 1 << 14
"""Bytes that are fetched where fewer are read that nobody has asked for before."""


@dataclass
class PinnedFile:
    """One file; calling it fetches it whole. Can be sent to other processes.

    Attributes:
        where: the spec key that names the dataset, for messages.
    """

    work: Work
    entry: Entry
    where: str
    _there: list[Span] = field(default_factory=list)
    _path: Path | None = None

    def __call__(self) -> Path:
        """A local file with all of it."""
        return self.work.fetch(self.entry, self.where)

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self.entry.size

    def want(self, spans: Iterable[Span]) -> None:
        """Fetch parts that are going to be read, as far as they are not there yet; what is beyond its end is not."""
        want_together([(self, spans)])

    def lacks(self, spans: Iterable[Span]) -> list[Span]:
        """What of these parts is not there yet."""
        inside = ((max(0, start), min(end, self.size)) for start, end in spans)
        return missing(inside, self._there)

    def has(self, spans: Iterable[Span], path: Path) -> None:
        """These parts are there now, and all that were there before: in this file."""
        self._path, self._there = path, joined([*self._there, *spans])

    def spans(self) -> IO[bytes]:
        """The file to read parts of: what nobody wanted before is fetched when it is read."""
        return io.BufferedReader(SpanReader(self))


def want_together(wanted: Iterable[tuple[PinnedFile, Iterable[Span]]]) -> None:
    """The same for many files of one dataset, all of whose requests are then made side by side.

    Raises:
        DataError: a file is gone or has changed.
    """
    asked = ((file, file.lacks(spans)) for file, spans in wanted)
    lacking = [(file, spans) for file, spans in asked if spans]
    if lacking:
        first = lacking[0][0]
        paths = first.work.fetch_spans([(file.entry, spans) for file, spans in lacking], first.where)
        for (file, spans), path in zip(lacking, paths, strict=True):
            file.has(spans, path)


class SpanReader(io.RawIOBase):
    """A file that fetches what is read of it, if it is not there yet."""

    def __init__(self, file: PinnedFile) -> None:
        super().__init__()
        self._file, self._at = file, 0
        self._opened: tuple[Path, int] | None = None

    @override
    def readable(self) -> bool:
        return True

    @override
    def seekable(self) -> bool:
        return True

    @override
    def tell(self) -> int:
        return self._at

    @override
    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._file.size}[whence]
        return self._at

    @override
    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """What is there without a gap; where nothing is, as much as the buffer holds is fetched."""
        end = min(self._at + len(buffer), self._file.size)
        if end <= self._at:
            return 0
        if self._there_until() <= self._at:
            self._file.want([(self._at, max(end, self._at + _AHEAD))])
        size = os.preadv(self._descriptor(), [memoryview(buffer)[: min(end, self._there_until()) - self._at]], self._at)
        self._at += size
        return size

    def _there_until(self) -> int:
        return next((stop for start, stop in self._file._there if start <= self._at < stop), 0)

    @override
    def close(self) -> None:
        if self._opened is not None:
            os.close(self._opened[1])
            self._opened = None
        super().close()

    def _descriptor(self) -> int:
        """Of where the parts lie now: in another file, once somebody has fetched it whole."""
        path = self._file._path
        if self._opened is None or self._opened[0] != path:
            assert path is not None
            new = os.open(path, os.O_RDONLY)
            if self._opened is not None:
                os.close(self._opened[1])
            self._opened = path, new
        return self._opened[1]


def at_once(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """What a function that waits for a server gives for each item, in their order, several at a time."""
    with ThreadPoolExecutor(_FILES_AT_ONCE) as threads:
        yield from threads.map(function, items)
