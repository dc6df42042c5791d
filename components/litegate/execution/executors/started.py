"""Processes that are started anew."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from litegate.execution.executors.process import Process
from litegate.execution.sandbox.kernel import syscall

__all__ = ["StartedProcess"]


class StartedProcess(Process):
    """A program in a session of its own. The last argument of its command is the other end of `channel`.

    It is not reaped before `code` is called, so that until then its process id stays its own.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self.output, output = os.pipe()
        self.channel, channel = os.pipe()
        try:
            self._popen = subprocess.Popen(
                [*command, str(channel)],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(channel,),
            )
        finally:
            os.close(output)
            os.close(channel)
        self.ended = syscall("pidfd_open", self._popen.pid, 0)  # not every Python has `os.pidfd_open`

    def terminate(self) -> None:
        """Ask it to end."""
        if self._popen.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self._popen.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it and its session."""
        if self._popen.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)

    def has_ended(self) -> bool:
        """It is not reaped: that is for whoever follows it."""
        with suppress(ChildProcessError):
            return os.waitid(os.P_PID, self._popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return True

    def code(self) -> int:
        """Wait for its end."""
        code = self._popen.wait()
        os.close(self.ended)
        return code
