"""A result is computed by one at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from litegate.execution.turns import turn

LONG = 600.0
HOLD = """
import sys, threading
from pathlib import Path
from litegate.execution.turns import turn
with turn(Path(sys.argv[1]), threading.Event(), 600.0):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "turns" / "evaluate-key"


@pytest.fixture
def never() -> threading.Event:
    return threading.Event()


def test_who_comes_second_waits_until_the_first_is_done(lock: Path, never: threading.Event) -> None:
    order = []

    def second() -> None:
        with turn(lock, never, LONG):
            order.append("second")

    thread = threading.Thread(target=second)
    with turn(lock, never, LONG):
        thread.start()
        thread.join(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert not lock.exists()


def test_many_take_turns(lock: Path, never: threading.Event) -> None:
    inside, seen = 0, []

    def enter() -> None:
        nonlocal inside
        for _ in range(20):
            with turn(lock, never, LONG):
                inside += 1
                seen.append(inside)
                inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [1] * 80


def test_what_a_killed_process_held_is_free(lock: Path, never: threading.Event) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, lock], stdin=-1, stdout=-1)
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        with turn(lock, never, 0.0):  # who has waited long enough goes on
            assert lock.exists()
        holder.kill()
        holder.wait()
        with turn(lock, never, LONG):
            assert lock.exists()
    assert not lock.exists()


def test_who_is_ended_does_not_wait(lock: Path, never: threading.Event) -> None:
    ended = threading.Event()
    ended.set()
    with turn(lock, never, LONG), turn(lock, ended, LONG):
        assert lock.exists()
