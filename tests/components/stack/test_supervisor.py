"""The supervisor over small programs in place of the servers."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from litegate import disk
from litegate.errors import StackError
from litegate.stack import Home, Stack
from litegate.stack.processes import birth_of
from litegate.stack.reviving import Revivals
from litegate.stack.servers import Server
from litegate.stack.supervisor import Supervisor

DIES = Server("dies", (sys.executable, "-c", "print('no such table'); raise SystemExit(7)"))
LIVES = Server("lives", (sys.executable, "-c", "import time; time.sleep(600)"))


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    home = Home(tmp_path / "home")
    home.prepare()
    supervisor = Supervisor(home, Stack.plan(home, {}))
    supervisor.servers = {"dies": DIES, "lives": LIVES}
    ticks = itertools.count()
    supervisor.revivals = Revivals(lambda: next(ticks) * 20.0)  # every wait is over soon
    yield supervisor
    supervisor._end(*supervisor.processes)


def launch(supervisor: Supervisor, phase: str) -> int:
    supervisor._say(phase=phase)
    for server in supervisor.servers.values():
        supervisor._launch(server)
    return supervisor.processes["lives"].pid


def revive_until(supervisor: Supervisor, deaths: int) -> None:
    deadline = time.monotonic() + 120
    while not supervisor.stack.deaths or supervisor.stack.deaths[-1].in_all < deaths:
        assert time.monotonic() < deadline
        supervisor._revive()
        time.sleep(0.01)


def test_a_server_that_keeps_dying_does_not_end_the_others(supervisor: Supervisor) -> None:
    other = launch(supervisor, "ready")

    revive_until(supervisor, 6)

    assert supervisor.processes["lives"].pid == other
    assert birth_of(other) is not None
    (death,) = Stack.read(supervisor.home).deaths  # type: ignore[union-attr]
    assert (death.server, death.exit_code, death.in_all) == ("dies", 7, 6)
    assert death.said[-1] == "no such table"
    assert "dies ended with exit code 7 at 20" in str(death)


def test_a_server_that_keeps_dying_ends_the_start_with_its_last_words(supervisor: Supervisor) -> None:
    launch(supervisor, "starting")

    with pytest.raises(StackError, match=r"(?s)dies ended with exit code 7 .*4 in all.*no such table"):
        revive_until(supervisor, 6)


def test_a_server_that_cannot_even_be_started_is_tried_again(supervisor: Supervisor) -> None:
    supervisor.servers["dies"] = Server("dies", (str(supervisor.home.root / "none"),))
    supervisor._say(phase="ready")
    supervisor.revivals.died("dies")

    revive_until(supervisor, 3)

    (death,) = supervisor.stack.deaths
    assert str(death).startswith("dies could not be started at ")
    assert "No such file" in death.reason


def test_a_disk_that_is_almost_full_is_said_and_taken_back(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    launch(supervisor, "ready")
    usage = shutil.disk_usage(supervisor.home.root)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    supervisor._look_at_disk()
    revive_until(supervisor, 1)

    stack = Stack.read(supervisor.home)
    assert stack is not None
    assert stack.disk is not None
    assert stack.disk.startswith(f"the disk of {supervisor.home.root} is almost full")
    assert stack.deaths[0].reason == stack.disk

    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage._replace(free=disk.NEEDED))
    supervisor._disk_seen = -1e9
    supervisor._look_at_disk()
    assert Stack.read(supervisor.home).disk is None  # type: ignore[union-attr]


def test_a_full_disk_does_not_end_the_supervisor(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr("litegate.stack.home.tempfile.mkstemp", full)
        supervisor._say(phase="ready")
    assert Stack.read(supervisor.home) is None
    supervisor._say()
    assert Stack.read(supervisor.home).phase == "ready", "it is made up for"  # type: ignore[union-attr]


def test_databases_of_a_home_without_a_stamp_are_set_aside_and_never_deleted(
    supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    """An interrupted first start leaves half a schema; but the stamp alone may be lost, and then it is the registry."""
    home = supervisor.home
    database = home.root / "mlflow" / "mlflow.db"
    database.write_bytes(b"all that was ever promoted")
    supervisor._set_unfinished_databases_aside()
    (kept,) = home.root.glob("set-aside/*/mlflow.db")
    assert (kept.read_bytes(), database.exists()) == (b"all that was ever promoted", False)
    assert str(kept.parent) in caplog.text

    home.initialised.write_text("3.3.2")
    database.write_bytes(b"new")
    supervisor._set_unfinished_databases_aside()
    assert database.read_bytes() == b"new"


def test_mlflows_database_is_set_before_its_server_is_started(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is open, it stays as it is."""
    modes: list[tuple[str]] = []

    def launch(_: Server) -> None:
        with closing(sqlite3.connect(supervisor.home.root / "mlflow" / "mlflow.db")) as database:
            modes.append(database.execute("PRAGMA journal_mode").fetchone())
        raise InterruptedError

    monkeypatch.setattr(supervisor, "servers", {"mlflow": LIVES})
    monkeypatch.setattr(supervisor, "environment", lambda: dict(os.environ))
    monkeypatch.setattr(supervisor, "_launch", launch)
    with pytest.raises(InterruptedError):
        supervisor._start()
    assert modes == [("wal",)]
