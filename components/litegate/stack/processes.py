"""Processes: start one that cannot outlive its parent, recognise it, and end all of a stack."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

__all__ = [
    "MARKER",
    "ServerProcess",
    "become_subreaper",
    "birth_of",
    "is_same_process",
    "kill_descendants",
    "kill_marked",
    "marked_processes",
    "reap_orphans",
]

MARKER = "LITEGATE_STACK"

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True)


class ServerProcess:
    """A server in a session of its own, so that it and its workers can be ended together.

    Args:
        repeat: seconds after which SIGTERM is sent again; 0 for never. Airflow's scheduler can lose a
            SIGTERM, its triggerer is wedged by a second one.
        folder: that it works in; None for the supervisor's own.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        repeat: float = 0,
        folder: Path | None = None,
    ) -> None:
        with log.open("ab") as output:
            # Safe in the supervisor, which has one thread only.
            self._popen = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_dying_with(os.getpid()),
            )
        self.pid, self.repeat = self._popen.pid, repeat
        self._asked = 0.0

    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._popen.poll()

    def ask(self) -> None:
        """Ask it to end."""
        self._asked = time.monotonic()
        self._popen.send_signal(signal.SIGTERM)

    def end(self, grace: float) -> None:
        """Wait for it to end, `grace` seconds at most, then kill what is left of its process group."""
        deadline = time.monotonic() + grace
        while self.exit_code() is None and time.monotonic() < deadline:
            if self.repeat and time.monotonic() - self._asked > self.repeat:
                self.ask()
            time.sleep(0.05)
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()


def become_subreaper() -> None:
    """Let every orphan among our descendants become our child, so that none is lost."""
    _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def reap_orphans(known: set[int]) -> None:
    """Collect ended children that nobody waits for, which are all but the `known` ones."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in known:
            return
        os.waitpid(ended.si_pid, 0)


def birth_of(pid: int) -> int | None:
    """When a process was started, in clock ticks since boot; None if there is none or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def is_same_process(pid: int, birth: int) -> bool:
    """Whether the process that was started then still runs."""
    return pid > 0 and birth_of(pid) == birth


def marked_processes(marker: str) -> list[psutil.Process]:
    """Every running process of this user, besides ourselves, whose environment carries the marker."""
    return [process for process in psutil.process_iter() if process.pid != os.getpid() and _carries(process, marker)]


def kill_marked(marker: str, limit: float = 10) -> list[psutil.Process]:
    """Kill all processes that carry the marker; returns those that are still there."""
    return _kill_all(lambda: marked_processes(marker), limit)


def kill_descendants(limit: float = 10) -> list[psutil.Process]:
    """Kill all processes below this one; returns those that are still there."""
    return _kill_all(lambda: psutil.Process().children(recursive=True), limit)


def _kill_all(find: Callable[[], list[psutil.Process]], limit: float) -> list[psutil.Process]:
    deadline = time.monotonic() + limit
    while (left := find()) and time.monotonic() < deadline:
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(left, timeout=1)
    return left


def _carries(process: psutil.Process, marker: str) -> bool:
    try:
        return process.environ().get(MARKER) == marker and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _dying_with(parent: int) -> Callable[[], None]:
    def ask_for_signal() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask_for_signal
