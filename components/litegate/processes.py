"""Processes: ending with the parent, ending those of a namespace, and their output made harmless."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["die_with_parent", "end_namespaces", "end_session", "namespace_of", "readable"]

_PR_SET_PDEATHSIG = 1
_COLOURS, _CONTROL = re.compile(r"\x1b\[[0-9;]*m"), re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_TRIES, _PAUSE = 500, 0.01


def die_with_parent(parent: int | None = None) -> None:
    """End with the process that started us, however it ended: nobody is left to take the result.

    The kernel means the thread that started us; a parent waits in that thread.

    Args:
        parent: its process id, where we know it from itself: it may have ended before we could ask.
    """
    if parent is None:
        parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def readable(text: str) -> str:
    """A line without colours and other control characters: they could do things to the terminal that shows it."""
    return _CONTROL.sub(" ", _COLOURS.sub("", text))


def namespace_of(kind: str, process: int | str = "self") -> str:
    """The namespace of a process, such as `pid:[4026531836]`; empty if it cannot be told, as after its end."""
    with suppress(OSError):
        return str(Path(f"/proc/{process}/ns/{kind}").readlink())
    return ""


def end_session(leader: int) -> None:
    """End the first process of a session and what it has started there, also if it is yet to begin the session."""
    for end in (os.killpg, os.kill):
        with suppress(ProcessLookupError):
            end(leader, signal.SIGKILL)


def end_namespaces(names: Sequence[str]) -> None:
    """End all processes of these namespaces, but for those that we are in too, and wait until they are gone.

    A process can leave its session, but not the namespaces that it was shut into.
    """
    others = {name.partition(":")[0]: name for name in names}
    others = {kind: name for kind, name in others.items() if name != namespace_of(kind)}
    for _ in range(_TRIES if others else 0):
        numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        found = [number for number in numbers if any(namespace_of(each, number) == others[each] for each in others)]
        for number in found:
            with suppress(OSError):
                os.kill(number, signal.SIGKILL)
        if not found:
            return
        time.sleep(_PAUSE)
