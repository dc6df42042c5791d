"""Room on disk: how much litegate needs, and saying which disk is full where something cannot be written."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from litegate.errors import DiskFull, StepFailed
from litegate.failures import FailureKind

__all__ = [
    "COMFORTABLE",
    "GIB",
    "NEEDED",
    "failing_when_full",
    "free_bytes",
    "is_full",
    "naming_full",
    "shortage",
]

GIB = 1 << 30
NEEDED = 1 * GIB
"""The servers are not started with less than that."""
COMFORTABLE = 5 * GIB
"""With less than that, `litegate doctor` and `litegate status` warn."""

_NUMBERS = (errno.ENOSPC, errno.EDQUOT)


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write there, or in the nearest folder above that exists."""
    place = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(place).free


def shortage(folder: Path, least: int = NEEDED) -> str | None:
    """What is to be said of a disk with less than `least` bytes free; None if it has them."""
    free = free_bytes(folder)
    if free >= least:
        return None
    return f"the disk of {folder} is almost full: {free / GIB:.2f} GiB are left, less than {least / GIB:g} GiB"


def is_full(error: BaseException) -> bool:
    """Whether an error says that a disk, or the user's part of it, is full."""
    return isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in _NUMBERS)


@contextmanager
def naming_full(folder: Path) -> Iterator[None]:
    """Name the folder if its disk is full, which the error of the operating system does not.

    Raises:
        DiskFull: nothing more can be written to the folder.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise DiskFull(str(folder)) from error
        raise


@contextmanager
def failing_when_full(step: str, scratch: Path) -> Iterator[None]:
    """Let a step fail for a full disk with a message that names the folder.

    Args:
        scratch: the folder in which the step writes, where its error names none.

    Raises:
        StepFailed: of the kind `disk_full`.
    """
    try:
        yield
    except StepFailed as error:
        if error.kind != FailureKind.DISK_FULL or DiskFull.START in error.detail:
            raise
        raise StepFailed(step, FailureKind.DISK_FULL, f"{DiskFull(str(scratch))}: {error.detail}") from None
    except (DiskFull, OSError) as error:
        if not is_full(error):
            raise
        found = error if isinstance(error, DiskFull) else DiskFull(str(scratch))
        raise StepFailed(step, FailureKind.DISK_FULL, str(found)) from error
