"""A row of `make bench`: what the embedded servers use of a core while nothing runs."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

from litegate.stack.home import Home
from litegate.stack.processes import marked_processes
from litegate.stack.state import Stack
from tests.benchmarks.bench_context import Bench
from tests.benchmarks.servers_of_rows import servers

__all__ = ["idle_share", "idle_shares", "used"]

_SETTLING = 20
"""Seconds after the start, in which the DAG files are parsed for the first time."""


def idle_share(bench: Bench) -> float:
    """Share of a core that all processes of a stack use together once it has started."""
    with servers(bench, "idle") as up:
        time.sleep(_SETTLING)
        shares = idle_shares(up.home, bench.size(60, 5))
    print("\n".join(f"{share:.4f} {name}" for name, share in sorted(shares.items(), key=lambda item: -item[1])))
    return sum(shares.values())


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
