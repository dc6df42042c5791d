"""How often a server is asked: seldom where it takes long to answer, for then others ask it as well.

And ever less often while the answer stays the same: who waits for half a minute of work does not slow it down.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from contextlib import contextmanager

from litegate.bell import Bell

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
        bell: ends a wait when somebody rings it.
    """

    def __init__(self, least: float, most: float = 10.0, bell: Bell | None = None) -> None:
        self._least, self._most, self._bell = least, most, bell
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

    def wait(self, news: bool = True) -> bool:
        """Until the next question.

        Args:
            news: whether the last answer was another than the one before.

        Returns:
            Whether somebody has rung.
        """
        self._patience = 1.0 if news else min(_LONGEST, self._patience * _LONGER)
        bells = [] if self._bell is None else [self._bell]
        select.select(bells, [], [], min(self._most, self.pause * self._patience))
        return any(bell.rang() for bell in bells)
