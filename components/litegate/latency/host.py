"""What else the host was busy with while something was timed, as Linux tells it."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Load", "Watch", "others_share", "waited_share"]

_TICKS = os.sysconf("SC_CLK_TCK")
_IDLE = slice(3, 5)
_COUNTED = 8


@dataclass(frozen=True)
class Load:
    """Shares from 0 to 1; None where Linux does not say.

    Attributes:
        others: of all processors' time, what other processes used.
        waited: of the time that passed, what this process waited for a processor.
    """

    others: float | None = None
    waited: float | None = None


class Watch:
    """Watches the host, and this process in it, from now on."""

    def __init__(self) -> None:
        self._before = _now()

    def load(self) -> Load:
        """Since the watch began."""
        before, after = self._before, _now()
        own = after.own - before.own
        return Load(
            others_share(before.stat, after.stat, own),
            waited_share(before.schedstat, after.schedstat, after.time - before.time),
        )


def others_share(before: str, after: str, own: float) -> float | None:
    """From two texts of /proc/stat, and the processor time in seconds that this process took between them.

    See proc_stat(5): ticks by kind, of which `idle` and `iowait` are nobody's, and `guest` is in `user` already.
    """
    with suppress(ValueError, IndexError):
        spent = [late - early for early, late in zip(_ticks(before), _ticks(after), strict=True)]
        total = sum(spent)
        busy = total - sum(spent[_IDLE])
        if total > 0:
            return _share((busy - own * _TICKS) / total)
    return None


def waited_share(before: str, after: str, seconds: float) -> float | None:
    """From two texts of /proc/self/schedstat, whose second number is nanoseconds spent on a run queue."""
    with suppress(ValueError, IndexError):
        waited = int(after.split()[1]) - int(before.split()[1])
        if seconds > 0:
            return _share(waited / 1e9 / seconds)
    return None


@dataclass(frozen=True)
class _Now:
    stat: str
    schedstat: str
    own: float
    time: float


def _now() -> _Now:
    return _Now(_read("/proc/stat"), _read("/proc/self/schedstat"), time.process_time(), time.perf_counter())


def _read(path: str) -> str:
    with suppress(OSError):
        return Path(path).read_text()
    return ""


def _ticks(stat: str) -> list[int]:
    name, *ticks = stat.splitlines()[0].split()
    if name != "cpu":
        raise ValueError(name)
    return [int(tick) for tick in ticks[:_COUNTED]]


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
