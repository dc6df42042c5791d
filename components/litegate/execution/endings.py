"""What a step's process died of, told from its exit code and its last words."""

from __future__ import annotations

import re

from litegate.disk import FULL
from litegate.execution.process import Ending
from litegate.failures import NO_ROOM, named_signal

__all__ = ["last_words", "refined", "signal_kind"]

_NO_MEMORY = re.compile(
    r"std::bad_alloc|\bMemoryError\b|_ArrayMemoryError|ResourceExhausted|out of memory|Cannot allocate memory"
    r"|OOM when allocating|can't start new thread|pthread_create failed",
    re.IGNORECASE,
)


def signal_kind(ending: Ending) -> tuple[str, str]:
    """Kind and name of the signal that ended a process."""
    kind, name = named_signal(-ending.code)
    if kind == "killed" and ending.memory_short:
        name += ", probably by the kernel, which ran out of memory meanwhile"
    return refined(kind, ending), name


def refined(kind: str, ending: Ending) -> str:
    """The kind of a death in the light of what was said and happened meanwhile."""
    if kind == "killed" and ending.memory_short:
        return "oom_killed"
    if kind in ("abort", "bus_error", "exit_code") and NO_ROOM.search(ending.said):
        return FULL
    if kind in ("abort", "exit_code") and _NO_MEMORY.search(ending.said):
        return "out_of_memory"
    return kind


def last_words(ending: Ending) -> tuple[str, str]:
    """Kind and detail of a process that left with an exit code and no description of its own."""
    if NO_ROOM.search(ending.said):
        return FULL, f"exit code {ending.code}"
    kind = "out_of_memory" if _NO_MEMORY.search(ending.said) else "python_error"
    return kind, f"exit code {ending.code}"
