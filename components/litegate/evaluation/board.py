"""What the processes of a pass know of each other: which batches are whose, and which file each is at.

Memory that all of them share. A lock is the kernel's, which takes it from a process that dies.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

__all__ = ["ELSEWHERE", "Board"]

ELSEWHERE = -1
"""In the place of a file: reading, preprocessing, measuring, waiting."""
_NEXT, _END, _AT, _SINCE, _CELLS = 0, 1, 2, 3, 4


class Board:
    """A row for each process, and a mark for each file that is not to be run any more.

    Args:
        processes, files: how many there are; each goes by its number.
        path: of the file on which locks are held.
    """

    def __init__(self, processes: int, files: int, path: Path) -> None:
        memory = mmap.mmap(-1, 8 * (processes * _CELLS + files))
        cells = np.frombuffer(memory, np.int64)
        self._rows = cells[: processes * _CELLS].reshape(processes, _CELLS)
        self.dropped = cells[processes * _CELLS :]
        self._lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def give(self, process: int, start: int, end: int) -> None:
        """Batches for a process that waits."""
        self._rows[process] = (start, end, ELSEWHERE, time.monotonic_ns())

    def claim(self, process: int) -> int | None:
        """The next of one's own batches, or None."""
        with self._locked(process):
            number, end = (int(cell) for cell in self._rows[process, :_AT])
            if number >= end:
                return None
            self._rows[process, _NEXT] = number + 1
            return number

    def take_half(self, process: int) -> tuple[int, int] | None:
        """The later half of the batches that another process has not begun yet, or None."""
        with self._locked(process):
            number, end = (int(cell) for cell in self._rows[process, :_AT])
            middle = number + (end - number) // 2
            if middle >= end:
                return None
            self._rows[process, _END] = middle
            return middle, end

    def left(self, process: int) -> int:
        """How many batches a process has not begun yet."""
        return int(self._rows[process, _END] - self._rows[process, _NEXT])

    def end(self, process: int) -> int:
        """Where the batches of a process end."""
        return int(self._rows[process, _END])

    def begun(self, process: int) -> int:
        """The batch that a process has begun last."""
        return int(self._rows[process, _NEXT]) - 1

    def at(self, process: int) -> int:
        """The file that a process runs, or `ELSEWHERE`."""
        return int(self._rows[process, _AT])

    def seconds_at(self, process: int) -> float:
        """How long it has been there."""
        return (time.monotonic_ns() - int(self._rows[process, _SINCE])) / 1e9

    def enter(self, process: int, file: int) -> None:
        """A process says that it goes on with a file, or elsewhere."""
        self._rows[process, _SINCE] = time.monotonic_ns()
        self._rows[process, _AT] = file

    @contextmanager
    def _locked(self, process: int) -> Iterator[None]:
        fcntl.lockf(self._lock, fcntl.LOCK_EX, 1, process)
        try:
            yield
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN, 1, process)

    def close(self) -> None:
        """Give the descriptor back; the memory goes with the last process."""
        os.close(self._lock)
