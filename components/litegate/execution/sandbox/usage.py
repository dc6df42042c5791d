"""What a step's files take: those in its folder, however it arranged them, and those deleted and still open."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress

__all__ = ["CannotCount", "bytes_below", "bytes_deleted", "is_nearly_full"]

_LEAST = 16 << 10
"""What a file counts at least: a file system runs out of files too, often at one for each 16 KiB."""
_DEEPEST = 64
_LEFT_OVER, _LEFT_OVER_SHARE = 256 << 20, 50
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class CannotCount(Exception):
    """Folders that nobody nests so deeply, or that cannot be read."""


def bytes_below(path: str) -> Iterator[int]:
    """The size of each file and folder below one, without following links; of a sparse one what it claims to have.

    Raises:
        CannotCount: for what no step does unless it hides something.
    """
    with suppress(FileNotFoundError):
        yield from _below(os.open(path, _FOLDER), 0)


def bytes_deleted(proc: int, processes: Iterable[int]) -> Iterator[int]:
    """The size of each file that has no name any more and that one of these processes has open.

    Args:
        proc: the open folder /proc, in which the processes have these numbers.
    """
    seen = set()
    for number in processes:
        for status in _open_files(proc, number):
            known = (status.st_dev, status.st_ino)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 0 and known not in seen:
                seen.add(known)
                yield _size(status)


def is_nearly_full(path: str) -> bool:
    """Whether the disk of a folder has less than 256 MiB left, or less than 2 % of a small one."""
    found = os.statvfs(path)
    least = min(_LEFT_OVER, found.f_blocks * found.f_frsize // _LEFT_OVER_SHARE)
    return found.f_bavail * found.f_frsize < least


def _below(folder: int, depth: int) -> Iterator[int]:
    if depth > _DEEPEST:
        os.close(folder)
        raise CannotCount(f"folders in folders, more than {_DEEPEST} deep")
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                yield from _entry(entry, folder, depth)
    finally:
        os.close(folder)


def _entry(entry: os.DirEntry[str], folder: int, depth: int) -> Iterator[int]:
    try:
        status = entry.stat(follow_symlinks=False)
        yield _size(status)
        if stat.S_ISDIR(status.st_mode):
            yield from _below(os.open(entry.name, _FOLDER, dir_fd=folder), depth + 1)
    except (FileNotFoundError, NotADirectoryError):
        return  # it went away
    except OSError as error:
        raise CannotCount(f"{entry.name!r:.100}: {error.strerror}") from None


def _open_files(proc: int, number: int) -> Iterator[os.stat_result]:
    with suppress(OSError):  # it ended
        folder = os.open(f"{number}/fd", _FOLDER, dir_fd=proc)
        try:
            for name in os.listdir(folder):  # noqa: PTH208
                with suppress(OSError):
                    yield os.stat(name, dir_fd=folder)
        finally:
            os.close(folder)


def _size(status: os.stat_result) -> int:
    return max(status.st_size, status.st_blocks * 512, _LEAST)
