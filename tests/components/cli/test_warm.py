"""`litegate warm` keeps parents until it is asked to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from litegate.execution.warm.door import is_there
from litegate.execution.warm.keeping import answers
from litegate.settings import settings
from tests.components.execution.sandbox.hosts import running

pytestmark = pytest.mark.e2e


def test_parents_are_kept_started_anew_and_ended(tmp_path: Path) -> None:
    folder, python = tmp_path / "warm", settings().pythons["service"]
    command = [Path(sys.executable).parent / "litegate", "warm", "--home", str(tmp_path)]
    with _started(command) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == f"warm parents listen in {folder}\n"
        _wait_for(lambda: is_there(folder, python))
        again = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "there are warm parents in" in again.stderr
        first = min(
            running(f"warm\0service\0{folder}"), key=int
        )  # what it starts as it loads goes by its name at first
        os.kill(int(first), signal.SIGKILL)
        assert keeper.stderr is not None
        assert keeper.stderr.readline().startswith("service: ended with -9; again in 0.5 s; see ")
        _wait_for(lambda: answers(folder, python))
        os.kill(int(min(running(f"warm\0service\0{folder}"), key=int)), signal.SIGKILL)
        assert keeper.stderr.readline().startswith("service: ended with -9; again in 1 s; see ")
        keeper.send_signal(signal.SIGTERM)  # while there is none
        assert keeper.wait(60) == 0
    _wait_for(lambda: not running(f"\0{folder}\0"))  # what it starts as it loads may end a moment later
    assert not is_there(folder, python)


@contextmanager
def _started(command: list[object]) -> Iterator[subprocess.Popen[str]]:
    """It does not end by itself, whatever fails here."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as keeper:
        try:
            yield keeper
        finally:
            keeper.kill()


def _wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
