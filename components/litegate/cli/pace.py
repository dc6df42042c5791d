"""How often a server is asked: seldom where it takes long to answer, for then others ask it as well."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Pace"]

_TIMES = 25
"""So many times as long as an answer takes, whoever asks waits before the next question."""


class Pace:
    """Between two questions.

    Args:
        least, most: seconds to wait.
    """

    def __init__(self, least: float, most: float = 5.0) -> None:
        self._least, self._most = least, most
        self.pause = least

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask meanwhile."""
        began = time.monotonic()
        yield
        self.pause = min(self._most, max(self._least, _TIMES * (time.monotonic() - began)))

    def wait(self) -> None:
        """Until the next question."""
        time.sleep(self.pause)
