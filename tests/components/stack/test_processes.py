from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from litegate.stack.processes import MARKER, ServerProcess, birth_of, is_same_process, kill_marked, marked_processes

OBEDIENT = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def environment() -> dict[str, str]:
    return os.environ | {MARKER: uuid4().hex}


def server(code: str, environment: dict[str, str], log: Path) -> ServerProcess:
    process = ServerProcess([sys.executable, "-c", code], environment, log)
    deadline = time.monotonic() + 20
    while "ready" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.02)
    return process


def test_a_server_that_ends_when_asked_is_not_killed(environment, tmp_path):
    process = server(OBEDIENT, environment, tmp_path / "log")

    process.ask()
    process.end(grace=20)

    assert process.exit_code() == 7


def test_a_server_that_ignores_the_request_is_killed_with_its_children(environment, tmp_path):
    process = server(STUBBORN, environment, tmp_path / "log")
    assert len(marked_processes(environment[MARKER])) == 2

    process.ask()
    process.end(grace=0.2)

    assert process.exit_code() == -signal.SIGKILL
    assert kill_marked(environment[MARKER]) == []


def test_a_server_dies_with_its_parent(environment, tmp_path):
    code = f"""
import os, sys
from pathlib import Path
from litegate.stack.processes import ServerProcess
command = [sys.executable, "-c", "import time; time.sleep(60)"]
process = ServerProcess(command, os.environ, Path({str(tmp_path)!r}) / "log")
print(process.pid, flush=True)
os.kill(os.getpid(), 9)
"""
    parent = subprocess.run([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)

    assert parent.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while birth_of(int(parent.stdout)) is not None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert birth_of(int(parent.stdout)) is None


def test_killing_the_marked_processes_finds_those_that_left_their_session(environment):
    lost = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], env=environment, start_new_session=True
    )
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    with lost, other:
        assert [process.pid for process in marked_processes(environment[MARKER])] == [lost.pid]
        assert kill_marked(environment[MARKER]) == []
        assert other.poll() is None
        other.kill()


def test_a_process_is_recognised_by_its_start():
    birth = birth_of(os.getpid())

    assert birth is not None
    assert is_same_process(os.getpid(), birth)
    assert not is_same_process(os.getpid(), birth + 1)
    assert not is_same_process(0, birth)


def test_an_ended_process_that_nobody_has_waited_for_does_not_run():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    with ended:
        deadline = time.monotonic() + 10
        while psutil.Process(ended.pid).status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
            time.sleep(0.02)
        assert birth_of(ended.pid) is None
