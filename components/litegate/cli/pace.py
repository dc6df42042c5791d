"""How often a server is asked: seldom where it takes long to answer, for then others ask it as well.

And ever less often while the answer stays the same: who waits for half a minute of work does not slow it down.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Pace"]

_TIMES = 25
"""So many times as long as an answer takes, whoever asks waits before the next question. The first answer does not
count: for that a server may have to load something."""
_LONGER, _LONGEST = 1.25, 4.0
"""So many times as long as that after each answer that was nothing new, and after many of them."""


class Pace:
    """Between two questions.

    Args:
        least, most: seconds to wait.
    """

    def __init__(self, least: float, most: float = 10.0) -> None:
        self._least, self._most = least, most
        self.pause = least
        self._patience = 1.0
        self._first = True

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask meanwhile."""
        began = time.monotonic()
        yield
        took = time.monotonic() - began
        self.pause = self._least if self._first else min(self._most, max(self._least, _TIMES * took))
        self._first = False

    def wait(self, news: bool = True) -> None:
        """Until the next question.

        Args:
            news: whether the last answer was another than the one before.
        """
        self._patience = 1.0 if news else min(_LONGEST, self._patience * _LONGER)
        time.sleep(min(self._most, self.pause * self._patience))
