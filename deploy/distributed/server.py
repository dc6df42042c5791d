"""One server: how it is started, when it is ready, and how it is ended; whoever watches it starts it again."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from litegate.stack.processes import ServerProcess

__all__ = ["NotReady", "Server", "as_nobody", "free_port", "listens", "wait"]

START_LIMIT = 180.0


class NotReady(Exception):
    """A server did not become ready, or ended while it was started; the message has the end of its output."""


@dataclass
class Server:
    """One server and its process.

    Attributes:
        command: program and arguments; no secret is among them.
        environment: all variables that it gets.
        folder: that it works in.
        ready: whether it answers.
        grace: seconds that it has to end by itself.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    log: Path
    ready: Callable[[], bool]
    grace: float = 10.0
    process: ServerProcess | None = field(default=None, init=False)
    _asked: bool = field(default=False, init=False)

    def start(self) -> None:
        """Start its process, which ends with ours at the latest."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._asked = False
        self.process = ServerProcess(self.command, self.environment, self.log, folder=self.folder)

    def wait_until_ready(self) -> None:
        """Wait until it answers.

        Raises:
            NotReady: it has ended, or does not answer.
        """
        wait(f"{self.name} to be ready", self.ready, self.check)

    def has_died(self) -> bool:
        """Whether its process has ended though nobody has asked for it."""
        return self.process is not None and self.process.exit_code() is not None

    def ask(self) -> None:
        """Ask it to end; a second time it is not asked, for some servers are wedged by that."""
        if self.process is not None and not self._asked and not self.has_died():
            self.process.ask()
            self._asked = True

    def stop(self) -> None:
        """Ask it to end unless somebody has, and end it and what is left of its process group."""
        if self.process is not None:
            if not self._asked:
                self.ask()
            self.process.end(self.grace)
            self.process = None

    def check(self) -> None:
        """Look whether it still runs.

        Raises:
            NotReady: it has ended.
        """
        if self.has_died():
            raise NotReady(f"{self.name} has ended; the end of {self.log}:\n{self.log.read_text()[-3000:]}")


def wait(what: str, reached: Callable[[], bool], check: Callable[[], None] = lambda: None) -> None:
    """Wait for something for three minutes.

    Raises:
        NotReady: it was not reached.
    """
    end = time.monotonic() + START_LIMIT
    while not reached():
        check()
        if time.monotonic() > end:
            raise NotReady(f"expected {what} within {START_LIMIT:.0f} s")
        time.sleep(0.1)


def listens(port: int) -> bool:
    """Whether anybody accepts connections on a port of loopback."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def free_port() -> int:
    """A port on loopback that nobody listens on, from below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def as_nobody() -> tuple[str, ...]:
    """What a command begins with that refuses to run as root."""
    return ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups") if os.geteuid() == 0 else ()
