"""What `litegate status` and `litegate doctor` say of servers that died or that run no more."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import psutil
import pytest

from litegate.cli import checks
from litegate.cli.servers import print_status
from litegate.stack import Home, Stack
from litegate.stack.deaths import Death
from litegate.stack.ending import last_error
from litegate.stack.processes import birth_of

DEATH = Death(
    server="mlflow",
    exit_code=-9,
    at="2026-02-03T04:05:06Z",
    in_a_row=2,
    in_all=5,
    wait=1.0,
    log="logs/mlflow.log",
    said=("Traceback", "KeyError: 'x'"),
)
SENTENCE = "mlflow was killed by SIGKILL at 2026-02-03T04:05:06Z, 2 times in a row, 5 in all; started again after 1 s"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


def left(home: Home, **update: object) -> Stack:
    """The record of a supervisor whose number another process has now."""
    gone = {"pid": os.getpid(), "birth": (birth_of(os.getpid()) or 0) - 1, "phase": "ready"}
    stack = Stack.plan(home, {}).model_copy(update=gone | update)
    stack.write(home)
    return stack


@pytest.mark.parametrize(
    ("update", "said"),
    [
        ({"phase": "failed", "error": "airflow-migration ended with 1"}, "airflow-migration ended with 1"),
        ({"deaths": (DEATH,)}, f"was killed while the servers ran; its log is .*\nbefore that: {SENTENCE}"),
        ({"phase": "starting"}, "was killed while the servers started"),
        ({"phase": "stopping"}, "was killed while it stopped the servers"),
    ],
)
def test_status_and_doctor_say_why_no_servers_run(home: Home, update: Any, said: str, capsys: Any) -> None:
    left(home, **update)

    assert print_status(home, Path("-")) == 1

    status = json.loads(capsys.readouterr().out)
    assert status["state"] == "failed"
    assert re.search(said, status["error"])
    finding = next(iter(checks.servers(home)))
    assert (finding.state, finding.found) == ("error", status["error"])


def test_a_host_that_was_restarted_is_named(home: Home) -> None:
    stack = left(home)
    os.utime(home.state, (psutil.boot_time() - 60,) * 2)

    assert last_error(home, stack) == "the host was restarted while the servers ran"


def test_the_last_death_is_in_the_status_of_servers_that_run(home: Home, capsys: Any) -> None:
    running = {"pid": os.getpid(), "birth": birth_of(os.getpid()), "phase": "starting"}
    left(home, **running, deaths=(DEATH,), disk="the disk of / is almost full")

    print_status(home, None)
    text = capsys.readouterr().out
    assert f"Last error: {SENTENCE}; logs/mlflow.log ended with:\n  Traceback\n  KeyError: 'x'" in text
    assert "Disk       the disk of / is almost full" in text

    print_status(home, Path("-"))
    (death,) = json.loads(capsys.readouterr().out)["deaths"]
    assert (death["server"], death["exit_code"], death["in_all"]) == ("mlflow", -9, 5)
    assert SENTENCE in next(iter(checks.servers(home))).found


def test_servers_that_nobody_started_are_stopped_without_a_reason(home: Home, capsys: Any) -> None:
    print_status(home, Path("-"))
    assert json.loads(capsys.readouterr().out) == {"state": "stopped", "home": str(home.root)}
