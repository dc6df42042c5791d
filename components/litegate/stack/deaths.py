"""How a server of the stack ended."""

from __future__ import annotations

import signal

from litegate.record import Record

__all__ = ["Death"]


class Death(Record):
    """The last death of a server.

    Attributes:
        exit_code: negative for the number of a signal; None if it could not even be started.
        at: when it was noticed, ISO 8601.
        in_a_row: how often it died without a good time in between.
        in_all: how often it died since the stack was started.
        wait: seconds until it was, or is, started again.
        reason: what is known beyond the exit code, such as a full disk.
        log: where its output is.
        said: the last lines of it.
    """

    server: str
    exit_code: int | None
    at: str
    in_a_row: int
    in_all: int
    wait: float
    reason: str = ""
    log: str = ""
    said: tuple[str, ...] = ()

    def __str__(self) -> str:
        why = f" ({self.reason})" if self.reason else ""
        times = "the first time" if self.in_all == 1 else f"{self.in_a_row} times in a row, {self.in_all} in all"
        return f"{self.server} {self._end} at {self.at}{why}, {times}; started again after {self.wait:g} s"

    @property
    def with_log(self) -> str:
        """The same with what it said last."""
        return "\n  ".join((f"{self}; {self.log} ended with:", *self.said)) if self.said else str(self)

    @property
    def _end(self) -> str:
        if self.exit_code is None:
            return "could not be started"
        if self.exit_code >= 0:
            return f"ended with exit code {self.exit_code}"
        names = {each.value: each.name for each in signal.Signals}
        return f"was killed by {names.get(-self.exit_code, f'signal {-self.exit_code}')}"
