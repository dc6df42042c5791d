"""A step dies as if its parent had started it itself, and all that it started dies with it."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.components.execution.sandbox.hosts import running

BEGIN = """
import os, signal, sys, time
from contextlib import suppress
from litegate.execution.sandbox import Confinement
from litegate.execution.sandbox.confining import confine
os.chdir(sys.argv[1])
assert confine(Confinement(os.getppid(), 1 << 32, 1 << 30, True, write=(sys.argv[1],))) == ()
"""
WAIT = 30.0
"""Seconds; the machine may be busy."""


def command(code: str, folder: Path) -> list[str]:
    return [sys.executable, "-c", BEGIN + code, str(folder)]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", 0),
        ("os._exit(7)", 7),
        ("sys.exit(2)", 2),
        ("sys.exit('said')", 1),
        ("raise ValueError('said')", 1),
        ("os.abort()", -signal.SIGABRT),
        ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
        ("import faulthandler; faulthandler.enable(); os.kill(os.getpid(), signal.SIGBUS)", -signal.SIGBUS),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("signal.signal(signal.SIGPIPE, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGPIPE)", -signal.SIGPIPE),
        ("os.kill(os.getpid(), 40)", -40),
        # its own process group does not reach the supervisor, nor does it reach the first process
        ("signal.signal(signal.SIGUSR1, signal.SIG_IGN); os.kill(0, signal.SIGUSR1); os._exit(5)", 5),
        ("for each in (2, 9, 15, 19):\n    with suppress(PermissionError): os.kill(1, each)\nos._exit(6)", 6),
        # an orphan is no concern of whoever waits
        ("os.fork() or os.fork() or os._exit(0)\ntime.sleep(0.2)\nos._exit(8)", 8),
    ],
)
def test_the_supervisor_dies_of_what_the_step_died_of(tmp_path: Path, code: str, expected: int) -> None:
    done = subprocess.run(command(code, tmp_path), capture_output=True, text=True, check=False, timeout=WAIT)
    assert done.returncode == expected, done.stderr
    assert ("said" in done.stderr) == ("said" in code)


LATE = """
import os
fork = os.fork
def late():
    if number := fork():
        os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
    return number
os.fork = late
"""


def test_a_supervisor_that_looks_only_when_all_is_over_sees_how_the_step_ended(tmp_path: Path) -> None:
    slow = [sys.executable, "-c", f"{LATE}{BEGIN}os._exit(7)", str(tmp_path)]
    assert subprocess.run(slow, check=False, timeout=WAIT).returncode == 7


@pytest.mark.parametrize("whom", ["supervisor", "parent"])
def test_a_daemon_ends_with_whoever_was_killed(tmp_path: Path, whom: str) -> None:
    """Where nobody can clean up: the supervisor itself is killed, or what started it."""
    mark = f"litegate-{secrets.token_hex(8)}"
    daemon = f"""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execv("/bin/sh", ["sh", "-c", "echo begun; sleep 600; : {mark}"])
    os._exit(0)
time.sleep(600)
"""
    starter = command(daemon, tmp_path)
    if whom == "parent":
        starter = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])", *starter]
    with subprocess.Popen(starter, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        assert running(f"sleep 600; : {mark}")
        process.kill()
        deadline = time.monotonic() + WAIT
        while running(f"sleep 600; : {mark}"):
            assert time.monotonic() < deadline, "it outlives the step"
            time.sleep(0.05)
