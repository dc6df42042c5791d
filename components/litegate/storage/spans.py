"""Parts of objects, fetched into sparse local copies of them: what lies between takes no room and no time.

A part is of the pinned object: every request names its version, and an answer of another version, range or length is
refused. Nothing else is known of it: S3 has checksums of whole objects only, so whoever reads a part verifies what
its format lets be verified.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from litegate.disk import naming_full
from litegate.storage.manifests import Entry
from litegate.storage.opening import open_storage
from litegate.storage.protocol import AT_ONCE, Coming

__all__ = ["GAP", "Part", "Span", "joined", "missing", "parts_of", "write_together"]

Span = tuple[int, int]
"""Where a part begins, and where it ends."""

GAP = 1 << 18
"""Bytes that are rather fetched than asked around: a request costs as much as they do."""

_LARGEST = 8 << 20


def joined(spans: Iterable[Span], gap: int = 0) -> list[Span]:
    """The spans in their order, with those together that touch or lie no further apart than `gap`."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start - found[-1][1] <= gap:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def missing(wanted: Iterable[Span], there: Iterable[Span]) -> list[Span]:
    """What of the wanted spans is not there."""
    found, have = [], joined(there)
    for start, end in joined(wanted):
        at = start
        for begin, stop in have:
            if begin > at:
                found.append((at, min(begin, end)))
            at = max(at, stop)
            if at >= end:
                break
        else:
            found.append((at, end))
    return joined(found)


@dataclass(frozen=True)
class Part:
    """What one request is for, and the file that it goes to."""

    entry: Entry
    span: Span
    target: Path

    def ask(self, threads: Executor) -> Coming:
        """Ask for it."""
        start, end = self.span
        return open_storage(self.entry.uri).ask_span("", self.entry.pin, start, end - start, threads)

    def write(self, content: bytes) -> None:
        """Put it in its place.

        Raises:
            DiskFull: there is no room.
        """
        with naming_full(self.target.parent), self.target.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), content, self.span[0])


def parts_of(entry: Entry, spans: Iterable[Span], target: Path) -> list[Part]:
    """What is to be fetched of an object into the file `target`, which is made if it is not there.

    Raises:
        DiskFull: there is no room for it.
    """
    with naming_full(target.parent):
        target.touch()
        os.truncate(target, entry.size)
    found = joined(spans, GAP)
    return [
        Part(entry, (at, min(at + _LARGEST, end)), target) for start, end in found for at in range(start, end, _LARGEST)
    ]


def write_together(parts: Iterable[Part]) -> None:
    """Fetch parts to their places. Many are asked for before the first has come, all from one thread where that goes.

    Threads would take turns at the interpreter, which costs as much again as the requests.

    Raises:
        FileNotFoundError: an object is gone.
        Refused: it is another one now.
        DiskFull: there is no room.
    """
    coming: deque[tuple[Part, Coming]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        try:
            for part in parts:
                if len(coming) == AT_ONCE:
                    _receive(*coming.popleft())
                coming.append((part, part.ask(threads)))
            while coming:
                _receive(*coming.popleft())
        finally:
            for _, each in coming:
                each.cancel()


def _receive(part: Part, coming: Coming) -> None:
    part.write(coming.result())
