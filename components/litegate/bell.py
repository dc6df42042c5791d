"""A bell between the processes of a home: who waits for work hears at once that there is some.

It is a pipe with a name. Where nobody listens, or nobody is there yet, ringing does nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["Bell", "bell_in", "parse_bell_in", "ring"]

_RINGS = 4096


class Bell:
    """The listener's side.

    Args:
        path: where it is to be found.

    Raises:
        OSError: it cannot be made there.
    """

    def __init__(self, path: Path) -> None:
        with suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # Open for writing too, or it would stay readable after the first who rang has gone.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        """What can be read once somebody has rung."""
        return self._descriptor

    def rang(self) -> bool:
        """Whether somebody has, since this was last asked."""
        with suppress(BlockingIOError):
            return bool(os.read(self._descriptor, _RINGS))
        return False

    def close(self) -> None:
        """Listen no more."""
        os.close(self._descriptor)


def bell_in(home: Path) -> Path:
    """Where the scheduler of a home hears that a run has been asked for."""
    return home / "bell"


def parse_bell_in(home: Path) -> Path:
    """Where the DAG processor of a home hears that a DAG file is to be read again."""
    return home / "parse-bell"


def ring(path: Path) -> None:
    """Tell whoever listens there."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(descriptor, b"\0")
        finally:
            os.close(descriptor)
