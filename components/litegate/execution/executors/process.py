"""Child processes, followed until the end."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from litegate.execution.executor import Ending
from litegate.execution.sandbox.kernel import syscall
from litegate.failures import FailureKind
from litegate.processes import readable

__all__ = ["ChildProcess"]

_MAX_LINES, _MAX_LINE = 10_000, 2000


class ChildProcess:
    """A process in a session of its own.

    The last argument of its command is a descriptor, to which it may write, as JSON, what `Ending.exceeded` is to be.

    Args:
        hears: whether a line of its output says something; the last that do are kept.
        say: gets these lines, up to a limit.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        hears: Callable[[str], bool],
        say: Callable[[str], None],
    ) -> None:
        self._oom_kills = _oom_kills()
        self._channel, writer = os.pipe()
        self._popen = subprocess.Popen(
            [*command, str(writer)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(writer,),
        )
        os.close(writer)
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
            code = self._popen.wait()
            exceeded = self._exceeded()
        return Ending(code, self._output.tail, timed_out, _oom_kills() > self._oom_kills, exceeded)

    def end(self, grace: float) -> None:
        """Ask it to end, if it is given any time for that, and kill what is left of it and of its session."""
        deadline = time.monotonic() + grace
        if grace and self._popen.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._popen.pid, signal.SIGTERM)
            while not self._has_ended() and time.monotonic() < deadline:
                time.sleep(0.02)
        self.kill()

    def _has_ended(self) -> bool:
        """It is not reaped: that is for whoever follows it."""
        with suppress(ChildProcessError):
            return os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return True

    def kill(self) -> None:
        """End it and everything that it started in its session, unless it has ended already."""
        if self._popen.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)

    def _exceeded(self) -> tuple[FailureKind, str] | None:
        os.set_blocking(self._channel, False)
        with os.fdopen(self._channel, "rb") as channel:
            data = channel.read()
        if not data:
            return None
        kind, detail = json.loads(data)
        return FailureKind(kind), detail

    def _wait(self, timeout: float) -> bool:
        """Whether it had to be ended. It is not yet reaped, so that its process id stays its own."""
        assert self._popen.stdout is not None
        ended = syscall("pidfd_open", self._popen.pid, 0)  # not every Python has `os.pidfd_open`
        try:
            with selectors.DefaultSelector() as selector, self._popen.stdout as pipe:
                os.set_blocking(pipe.fileno(), False)
                selector.register(pipe.fileno(), selectors.EVENT_READ)
                selector.register(ended, selectors.EVENT_READ)
                return self._listen(selector, pipe.fileno(), ended, time.monotonic() + timeout)
        finally:
            os.close(ended)

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
        self._last: deque[str] = deque(maxlen=20)
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
        for line in lines:
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
