"""Folders and files that belong to somebody who is at work, and those that a killed process has left.

Who works on a folder or a temporary file holds a lock on it, which the kernel gives back however the process
ends. So what nobody holds was left behind; only what is a minute old counts, for it is made before it is locked.
"""

from __future__ import annotations

import fcntl
import os
import platform
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["TEMPORARY", "WRITER_TAG", "abandoned", "claim", "held", "is_held", "temporary_folder", "writer"]

TEMPORARY = ".tmp-*"
WRITER_TAG = "litegate.writer"
"""Of a run in MLflow: who records it."""
_FRESH = 60.0


def claim(descriptor: int) -> None:
    """Hold an open file or folder until it is closed; a file system without locks leaves it unheld."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder meanwhile."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        claim(descriptor)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def temporary_folder(parent: Path) -> Iterator[Path]:
    """A folder of one's own there meanwhile, under a name by which it is removed if its owner is killed."""
    with tempfile.TemporaryDirectory(dir=parent, prefix=TEMPORARY[:-1]) as name, held(Path(name)):
        yield Path(name)


def is_held(path: Path) -> bool:
    """Whether somebody who lives holds it; what is gone, nobody holds."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:  # nothing that we make
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def abandoned(paths: Iterable[Path]) -> Iterator[Path]:
    """Those that nobody holds and that were not made just now."""
    latest = time.time() - _FRESH
    for path in paths:
        with suppress(OSError):
            if path.lstat().st_mtime < latest and not is_held(path):
                yield path


def writer() -> str:
    """Who records a run from a step: this host and the step's folder, which is held until the step has ended."""
    return f"{platform.node()}:{Path.cwd()}"
