"""What the embedded servers use of a core while nothing runs."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from litegate.stack.home import Home
from litegate.stack.processes import marked_processes
from litegate.stack.state import Stack

__all__ = ["idle_shares", "idle_stack", "used"]


def idle_stack(home: Path, seconds: float = 60) -> float:
    """Share of a core that all processes of the running stack of `home` use together."""
    return sum(idle_shares(home, seconds).values())


def idle_shares(home: Path, seconds: float) -> dict[str, float]:
    """The same by process; what began and ended meanwhile counts for whoever has waited for it."""
    before, began = used(home), time.monotonic()
    time.sleep(seconds)
    passed, after = time.monotonic() - began, used(home)
    return {name: (after[name] - before.get(name, 0.0)) / passed for name in after}


def used(home: Path) -> dict[str, float]:
    """CPU seconds of each process of the running stack so far, with those of the children that it has waited for.

    Raises:
        FileNotFoundError: the home has no stack.
    """
    stack = Stack.read(Home(home))
    if stack is None:
        raise FileNotFoundError(f"{home}: expected a home with a running stack, got none")
    found = {}
    for process in marked_processes(stack.marker):
        try:
            times, name = process.cpu_times(), f"{process.pid} {' '.join(process.cmdline())}"
        except psutil.Error:
            continue
        found[name] = times.user + times.system + times.children_user + times.children_system
    return found
