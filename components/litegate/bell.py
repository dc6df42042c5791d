"""A bell between the processes of a home: who waits for work hears at once that there is some.

It is a pipe with a name. Where nobody listens, or nobody is there yet, ringing does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from litegate.digest import digest_bytes

__all__ = ["Bell", "bell_in", "hearing_the_end", "parse_bell_in", "ring", "tell_the_end"]

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


@contextmanager
def hearing_the_end(home: Path, dag: str, run: str) -> Iterator[Bell | None]:
    """Hear meanwhile that a run of a DAG of this home has ended; None where no bell can be made."""
    path, bell = _end_bells(home) / f"{_named(dag, run)}.{os.getpid()}", None
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        bell = Bell(path)
    try:
        yield bell
    finally:
        if bell is not None:
            bell.close()
            path.unlink(missing_ok=True)


def tell_the_end(home: Path, dag: str, run: str) -> None:
    """Tell all who follow a run, and those who did and could not take their leave, that it has ended."""
    for path in _end_bells(home).glob(f"{_named(dag, run)}.*"):
        ring(path)
        with suppress(OSError):  # who rings has other things to do
            path.unlink()


def _end_bells(home: Path) -> Path:
    return home / "end-bells"


def _named(dag: str, run: str) -> str:
    return digest_bytes(f"{dag}/{run}".encode())[:16]
