"""Asking a server again for as long as somebody may answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from litegate.errors import NoAnswer

__all__ = ["Patience", "Server"]

_LONGEST_TIMEOUT, _LONGEST_PAUSE = 120, 15
# The server is there and asks for time.
_LATER = (408, 425, 429)


@dataclass(frozen=True)
class Server:
    """A server, for people."""

    name: str
    url: str

    def __str__(self) -> str:
        return f"{self.name} at {self.url}"


def _never() -> bool:
    return False


@dataclass(frozen=True)
class Patience:
    """How long a server that gives no answer is asked again. What is asked must be harmless to ask twice.

    Attributes:
        limit: seconds without an answer after which to give up.
        timeout: seconds that the first request may take; each further one twice as many, up to 120.
        pause: seconds between the first two requests, then twice as many each time, up to 15.
        gone: whether nobody is left who could start the server again; a refused connection is then the end.
    """

    limit: float = 600
    timeout: float = 30
    pause: float = 1
    gone: Callable[[], bool] = _never

    def answer(
        self, server: Server, send: Callable[[float], httpx.Response], say: Callable[[str], None]
    ) -> httpx.Response:
        """The first answer that is no plea for time.

        Args:
            send: sends the request, with the seconds that it may take.
            say: is told when the server is slow, ever more rarely, and when it answers again.

        Raises:
            NoAnswer: nobody listens any more, or nobody answered for `limit` seconds.
        """
        began, tries, said = time.monotonic(), 0, -1.0
        while True:
            found = self._try(server, send, tries)
            if isinstance(found, httpx.Response):
                if tries:
                    say(f"{server.name} answers again")
                return found
            silent = time.monotonic() - began
            if silent >= self.limit:
                raise NoAnswer(f"{server} gave no answer for {silent:.0f} s: {found}")
            if silent > 2 * said:
                said = silent
                say(f"{server.name} is slow to answer, still trying: {found} ({silent:.0f} of {self.limit:.0f} s)")
            time.sleep(min(self.pause * 2**tries, _LONGEST_PAUSE))
            tries += 1

    def _try(self, server: Server, send: Callable[[float], httpx.Response], tries: int) -> httpx.Response | str:
        """The answer, or why there is none."""
        try:
            answer = send(min(self.timeout * 2**tries, _LONGEST_TIMEOUT))
        except httpx.ConnectError:
            if self.gone():
                raise NoAnswer(f"{server} does not run any more") from None
            return "nobody listens"
        except httpx.TransportError as error:
            return str(error) or type(error).__name__
        return f"HTTP {answer.status_code}" if answer.status_code >= 500 or answer.status_code in _LATER else answer
