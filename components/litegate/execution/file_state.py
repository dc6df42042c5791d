"""Whether files are still those that something was read from, by what the file system says of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

__all__ = ["State", "source_files", "state_of"]

State = tuple[tuple[str | int, ...], ...]
_SETTLED = 2_000_000_000
"""Nanoseconds after which a further change is sure to have another time: clocks of file systems are coarse."""


def state_of(files: Iterable[tuple[str, os.stat_result]]) -> State:
    """What is the same as long as no file has changed and none was added; of folders, as long as the same are in them.

    What has changed just now has a state of its own each time that it is asked for.

    Args:
        files: paths, and what the file system says of each. The time is that of the last change of whatever kind,
            which nobody can set.
    """
    found = sorted((path, status.st_ctime_ns, status.st_size, status.st_ino) for path, status in files)
    newest = max((changed for _, changed, _, _ in found), default=0)
    return (*found, *([] if time.time_ns() - newest > _SETTLED else [(time.monotonic_ns(),)]))


def source_files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """The Python files in a folder, at any depth: by `scandir`, for this is asked before every step."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from source_files(entry.path)
            elif entry.name.endswith(".py"):
                yield entry.path, entry.stat()
