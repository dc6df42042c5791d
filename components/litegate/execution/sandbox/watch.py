"""Whether a step takes more processes and more disk than it may have, looked at from outside while it runs."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from itertools import chain
from typing import NamedTuple

from litegate.execution.sandbox.usage import CannotCount, bytes_below, bytes_deleted, is_nearly_full
from litegate.failures import FailureKind

__all__ = ["Exceeded", "Watch", "descendants", "most_threads", "numbers_in"]

_GIB = 1 << 30


class Exceeded(NamedTuple):
    """Why a step is ended: the kind of its death, and what there was too much of."""

    kind: FailureKind
    detail: str


def most_threads(processes: int) -> int:
    """How many threads so many processes may have together: numerical libraries start some for each core."""
    return processes * (16 + (os.cpu_count() or 1))


class Watch:
    """Looks at one step.

    Args:
        folder: the step's own, as it is called outside.
        disk: bytes that its files may have together.
        processes: how many it may have at a time.
        proc: an open /proc folder, its own or the host's.
        find: the numbers of its processes in that folder.
    """

    def __init__(self, folder: str, disk: int, processes: int, proc: int, find: Callable[[int], list[int]]) -> None:
        self._folder, self._disk, self._processes, self._proc = folder, disk, processes, proc
        self._find = find

    def look(self) -> Exceeded | None:
        """What the step has too much of, if it has."""
        found = self._find(self._proc)
        return self._of_processes(found) or self.of_files(found)

    def of_files(self, processes: list[int]) -> Exceeded | None:
        """The same of its files alone; those in its folder can be counted after its end too."""
        used = 0
        try:
            for size in chain(bytes_below(self._folder), bytes_deleted(self._proc, processes)):
                used += size
                if used > self._disk:
                    return Exceeded(
                        FailureKind.DISK_LIMIT, f"the step's files took more than {self._disk / _GIB:g} GiB"
                    )
        except CannotCount as error:
            return Exceeded(FailureKind.DISK_LIMIT, f"the step's files cannot be counted: {error}")
        if processes and is_nearly_full(self._folder):
            return Exceeded(FailureKind.DISK_FULL, f"the disk of {self._folder} is full, but for the last 256 MiB")
        return None

    def _of_processes(self, found: list[int]) -> Exceeded | None:
        if len(found) > self._processes:
            return Exceeded(FailureKind.TOO_MANY_PROCESSES, f"the step had more than {self._processes} processes")
        most = most_threads(self._processes)
        if sum(_threads(self._proc, number) for number in found) > most:
            return Exceeded(FailureKind.TOO_MANY_PROCESSES, f"the step had more than {most} threads")
        return None


def numbers_in(proc: int) -> list[int]:
    """All processes of a /proc folder but the first, which is the one that started them."""
    return [int(name) for name in os.listdir(proc) if name.isdigit() and name != "1"]


def descendants(proc: int, of: int) -> list[int]:
    """The processes that one has started, and those that they have."""
    parents = {number: _parent(proc, number) for number in numbers_in(proc)}
    found, new = set[int](), {of}
    while new:
        new = {number for number, parent in parents.items() if parent in new} - found
        found |= new
    return sorted(found)


def _threads(proc: int, number: int) -> int:
    with suppress(OSError):
        return os.stat(f"{number}/task", dir_fd=proc).st_nlink - 2
    return 0


def _parent(proc: int, number: int) -> int:
    with suppress(OSError, IndexError):
        descriptor = os.open(f"{number}/stat", os.O_RDONLY, dir_fd=proc)
        with os.fdopen(descriptor, "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    return 0
