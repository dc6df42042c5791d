"""What a step's process died of, told from its exit code and its last words."""

from __future__ import annotations

import re

from litegate.diagnosis import NO_ROOM
from litegate.execution.process import Ending
from litegate.failures import FailureKind, named_signal

__all__ = ["last_words", "refined", "signal_kind"]

_NO_MEMORY = re.compile(
    r"std::bad_alloc|\bMemoryError\b|_ArrayMemoryError|ResourceExhausted|out of memory|Cannot allocate memory"
    r"|OOM when allocating|can't start new thread|pthread_create failed",
    re.IGNORECASE,
)
_OF_A_FULL_DISK = frozenset({FailureKind.ABORT, FailureKind.BUS_ERROR, FailureKind.EXIT_CODE})
_OF_NO_MEMORY = frozenset({FailureKind.ABORT, FailureKind.EXIT_CODE})


def signal_kind(ending: Ending) -> tuple[FailureKind, str]:
    """Kind and name of the signal that ended a process."""
    kind, name = named_signal(-ending.code)
    if kind is FailureKind.KILLED and ending.memory_short:
        name += ", probably by the kernel, which ran out of memory meanwhile"
    return refined(kind, ending), name


def refined(kind: FailureKind, ending: Ending) -> FailureKind:
    """The kind of a death in the light of what was said and happened meanwhile."""
    if kind is FailureKind.KILLED and ending.memory_short:
        return FailureKind.OOM_KILLED
    if kind in _OF_A_FULL_DISK and NO_ROOM.search(ending.said):
        return FailureKind.DISK_FULL
    if kind in _OF_NO_MEMORY and _NO_MEMORY.search(ending.said):
        return FailureKind.OUT_OF_MEMORY
    return kind


def last_words(ending: Ending) -> tuple[FailureKind, str]:
    """Kind and detail of a process that left with an exit code and no description of its own."""
    if NO_ROOM.search(ending.said):
        return FailureKind.DISK_FULL, f"exit code {ending.code}"
    kind = FailureKind.OUT_OF_MEMORY if _NO_MEMORY.search(ending.said) else FailureKind.PYTHON_ERROR
    return kind, f"exit code {ending.code}"
