"""Processes of steps, followed until the end."""

from __future__ import annotations

import json
import os
import selectors
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from litegate.execution.executor import Ending
from litegate.failures import FailureKind
from litegate.processes import readable

__all__ = ["ChildProcess", "Process"]

_MAX_LINES, _MAX_LINE, _LAST = 10_000, 2000, 20


class Process(Protocol):
    """A process in a session of its own, however it was started.

    Attributes:
        output: a pipe with what it says.
        channel: a pipe with what `Ending.exceeded` is to be, as JSON, or nothing.
        ended: a descriptor that can be read once it has ended.
    """

    output: int
    channel: int
    ended: int

    def terminate(self) -> None:
        """Ask it to end, unless it has ended already."""

    def kill(self) -> None:
        """End it and everything that it started in its session, unless it has ended already."""

    def has_ended(self) -> bool:
        """Whether it has; also from another thread than the one that waits for it."""

    def code(self) -> int:
        """Wait for its end: the exit code, or the number of the signal as a negative number. Called once."""


class ChildProcess:
    """What it says and how it ends.

    Args:
        hears: whether a line of its output says something; the last that do are kept.
        say: gets these lines, up to a limit.
    """

    def __init__(self, process: Process, hears: Callable[[str], bool], say: Callable[[str], None]) -> None:
        self._oom_kills = _oom_kills()
        self._process = process
        self._output = _Output(hears, say)

    def follow(self, timeout: float) -> Ending:
        """Pass its output on until it has ended, or until `timeout` seconds have passed and it is killed.

        What it started in its session is ended with it.
        """
        timed_out = False
        try:
            timed_out = self._wait(timeout)
        finally:
            self.kill()
            code = self._process.code()
            exceeded = self._exceeded()
        return Ending(code, self._output.tail, timed_out, _oom_kills() > self._oom_kills, exceeded)

    def end(self, grace: float) -> None:
        """Ask it to end, if it is given any time for that, and kill what is left of it and of its session."""
        deadline = time.monotonic() + grace
        if grace:
            self._process.terminate()
            while not self._process.has_ended() and time.monotonic() < deadline:
                time.sleep(0.02)
        self.kill()

    def kill(self) -> None:
        """End it and everything that it started in its session, unless it has ended already."""
        self._process.kill()

    def _exceeded(self) -> tuple[FailureKind, str] | None:
        os.set_blocking(self._process.channel, False)
        with os.fdopen(self._process.channel, "rb") as channel:
            data = channel.read()
        if not data:
            return None
        kind, detail = json.loads(data)
        return FailureKind(kind), detail

    def _wait(self, timeout: float) -> bool:
        """Whether it had to be ended."""
        pipe, ended = self._process.output, self._process.ended
        try:
            with selectors.DefaultSelector() as selector:
                os.set_blocking(pipe, False)
                selector.register(pipe, selectors.EVENT_READ)
                selector.register(ended, selectors.EVENT_READ)
                return self._listen(selector, pipe, ended, time.monotonic() + timeout)
        finally:
            os.close(pipe)

    def _listen(self, selector: selectors.BaseSelector, pipe: int, ended: int, deadline: float) -> bool:
        timed_out = False
        while True:
            left = None if timed_out else max(0.0, deadline - time.monotonic())
            ready = {key.fd for key, _ in selector.select(left)}
            if ended in ready:
                self._output.drain(pipe)
                return timed_out
            if pipe in ready and not self._output.read(pipe):
                selector.unregister(pipe)
            if not timed_out and time.monotonic() >= deadline:
                timed_out = True
                self.kill()


class _Output:
    """Lines from a pipe, bounded in length and number: a child must not fill its parent's memory or log."""

    def __init__(self, hears: Callable[[str], bool], say: Callable[[str], None]) -> None:
        self._hears, self._say = hears, say
        self._begun = b""
        self._last: deque[str] = deque(maxlen=_LAST)
        self._lines = 0

    @property
    def tail(self) -> str:
        return "\n".join(self._last)[-_MAX_LINE:]

    def read(self, descriptor: int) -> bool:
        """One piece; False at the end of the pipe."""
        try:
            piece = os.read(descriptor, 1 << 16)
        except BlockingIOError:
            return True
        *lines, self._begun = (self._begun + piece).split(b"\n")
        # Of a flood nobody reads more than its end: a child must not take its parent's time either.
        for line in lines if self._lines <= _MAX_LINES else lines[-_LAST:]:
            self._line(line)
        if len(self._begun) > _MAX_LINE:
            self._line(self._begun)
            self._begun = b""
        return bool(piece)

    def drain(self, descriptor: int) -> None:
        """What is left in the pipe; others that still hold its other end are not waited for."""
        with suppress(BlockingIOError):
            for _ in range(64):
                piece = os.read(descriptor, 1 << 16)
                if not piece:
                    break
                self._begun += piece
        for line in self._begun.split(b"\n"):
            self._line(line)
        self._begun = b""

    def _line(self, line: bytes) -> None:
        text = readable(line[:_MAX_LINE].decode(errors="replace")).rstrip()
        if not text or not self._hears(text):
            return
        self._last.append(text)
        self._lines += 1
        if self._lines <= _MAX_LINES:
            self._say(text)
        elif self._lines == _MAX_LINES + 1:
            self._say(f"... more than {_MAX_LINES:,} lines: the rest is left out")


def _oom_kills() -> int:
    """How many processes the kernel has killed for lack of memory since it booted; 0 where it does not count."""
    with suppress(OSError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            if line.startswith("oom_kill "):
                return int(line.split()[1])
    return 0
