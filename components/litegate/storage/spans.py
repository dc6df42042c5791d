"""Parts of an object, fetched into a sparse local copy of it: what lies between them takes no room and no time.

A part is of the pinned object: every request names its version, and an answer of another version, range or length is
refused. Nothing else is known of it: S3 has checksums of whole objects only, so whoever reads a part verifies what
its format lets be verified.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from litegate.disk import naming_full
from litegate.storage.manifests import Entry
from litegate.storage.opening import open_storage
from litegate.surroundings import carried

__all__ = ["AT_ONCE", "GAP", "Span", "joined", "missing", "write_spans"]

Span = tuple[int, int]
"""Where a part begins, and where it ends."""

GAP = 1 << 20
"""Bytes that are rather fetched than asked around: a request costs as much as they do."""

AT_ONCE = 8
"""Requests at a time."""

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


def write_spans(entry: Entry, spans: Sequence[Span], target: Path) -> None:
    """Fetch parts of a pinned object, some at a time, each to its place in the file `target`.

    Raises:
        FileNotFoundError: the object is gone.
        Refused: it is another one now.
        DiskFull: there is no room.
    """
    storage = open_storage(entry.uri)

    def write(span: Span) -> None:
        os.pwrite(descriptor, storage.read_span("", entry.pin, span[0], span[1] - span[0]), span[0])

    with naming_full(target.parent):
        descriptor = os.open(target, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            os.ftruncate(descriptor, entry.size)
            parts = [part for span in joined(spans, GAP) for part in _parts(span)]
            with ThreadPoolExecutor(min(AT_ONCE, len(parts) or 1)) as threads:
                list(threads.map(carried(write), parts))
        finally:
            os.close(descriptor)


def _parts(span: Span) -> Iterable[Span]:
    """No request is for more than is held in memory easily."""
    return ((at, min(at + _LARGEST, span[1])) for at in range(span[0], span[1], _LARGEST))
