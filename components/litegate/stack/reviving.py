"""When a server that died is started again: at once at first, then ever later, and at once again after a good time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["HEALED_AFTER", "LONGEST_WAIT", "Revivals"]

LONGEST_WAIT = 60.0
"""Seconds between a server's death and its next start, at most."""
HEALED_AFTER = 300.0
"""Seconds that a server has to run for its earlier deaths not to count any more."""
_FIRST_WAIT = 0.5


@dataclass
class _Deaths:
    in_a_row: int = 0
    in_all: int = 0
    started: float = 0.0
    due: float | None = None


class Revivals:
    """The deaths of servers, counted by name.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of: dict[str, _Deaths] = {}

    def started(self, name: str) -> None:
        """Note that a server was started."""
        deaths = self._of.setdefault(name, _Deaths())
        deaths.started, deaths.due = self._clock(), None

    def died(self, name: str) -> tuple[int, int, float]:
        """Note that it ended; returns how often that was in a row and in all, and the seconds to wait."""
        deaths, now = self._of.setdefault(name, _Deaths()), self._clock()
        if now - deaths.started >= HEALED_AFTER:
            deaths.in_a_row = 0
        deaths.in_a_row += 1
        deaths.in_all += 1
        # The exponent is bounded: a float is not.
        wait = min(LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(deaths.in_a_row - 1, 30))
        deaths.due = now + wait
        return deaths.in_a_row, deaths.in_all, wait

    def due(self) -> list[str]:
        """The servers that are to be started now."""
        return [name for name, deaths in self._of.items() if deaths.due is not None and deaths.due <= self._clock()]
