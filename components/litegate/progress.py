"""How far a long piece of work has come, in its log: done, rate and time left."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["Progress"]

_SHARE = 0.05


class Progress:
    """Says how many of `total` are done: nothing in the first seconds, and later ever more rarely.

    Args:
        say: gets each line, as `Work.say` does.
        what: how the line begins, such as `evaluate int8`.
        unit: what is counted.
        at_most: whether the work may end before all are done.
        every: seconds between two lines, or a twentieth of the time that has passed if that is more: a work of
            hours does not fill its log.
        clock: in seconds.
    """

    def __init__(
        self,
        say: Callable[..., None],
        what: str,
        total: int,
        *,
        unit: str = "samples",
        at_most: bool = False,
        every: float = 5.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._say, self._what, self._total, self._unit, self._at_most = say, what, total, unit, at_most
        self._every, self._clock = every, clock
        self._begin = clock()
        self._first: tuple[float, int] | None = None
        self._said = self._begin
        self._done = 0

    @property
    def seconds(self) -> float:
        """Since the work began."""
        return self._clock() - self._begin

    @property
    def wait(self) -> float:
        """Seconds until there is something to say; 0 until the first samples are done."""
        if self._first is None:
            return 0.0
        now = self._clock()
        return max(0.0, self._said + max(self._every, _SHARE * (now - self._begin)) - now)

    def add(self, more: int = 1) -> None:
        """So many more are done."""
        self.reach(self._done + more)

    def reach(self, done: int) -> None:
        """So many are done by now; say so, if it is time to."""
        self._done = done
        if self._first is None:
            self._begin_counting()
        elif not self.wait and self._first[1] < done <= self._total:
            self._tell(*self._first)

    def _begin_counting(self) -> None:
        """What passes before the first samples, as until processes have started, is not what a sample takes."""
        if self._done:
            self._said = self._clock()
            self._first = self._said, self._done

    def _tell(self, since: float, before: int) -> None:
        self._said = self._clock()
        rate = (self._done - before) / (self._said - since)
        left = _duration((self._total - self._done) / rate) + (" left at most" if self._at_most else " left")
        count = f"{self._done:,} of {self._total:,} {self._unit} ({100 * self._done // self._total} %)"
        self._say("%s: %s, %s/s, %s", self._what, count, _rate(rate), left)


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _duration(seconds: float) -> str:
    """The two largest units: `45 s`, `3 min 20 s`, `2 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 1:
        return f"{rest} s"
    hours, more = divmod(minutes, 60)
    return f"{hours} h {more} min" if hours else f"{minutes} min {rest} s"
