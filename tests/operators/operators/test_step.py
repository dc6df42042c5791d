"""Errors on their way to Airflow, and a real step run by an operator."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException
from botocore.exceptions import EndpointConnectionError

from litegate.errors import BadInput, GateRejected, StepFailed, StoreError
from litegate.settings import settings
from litegate_airflow.operators import step
from litegate_airflow.operators.produce import PrepareDataOperator
from litegate_airflow.runtime.failing import failures_reported


@dataclass(frozen=True)
class Row:
    error: Exception
    kind: str | None
    raised: type[Exception]


def crash(kind: str) -> StepFailed:
    return StepFailed("quantize", kind, "last words")


@pytest.mark.parametrize(
    "row",
    [
        Row(BadInput("model.uri", "a model", "nothing"), "bad_input", AirflowFailException),
        Row(GateRejected("nothing passed"), "rejected", SystemExit),
        Row(crash("segfault"), "segfault", AirflowFailException),
        Row(crash("abort"), "abort", AirflowFailException),
        Row(crash("python_error"), "python_error", AirflowFailException),
        Row(crash("timeout"), "timeout", AirflowFailException),
        Row(crash("no_result"), "no_result", AirflowFailException),
        Row(crash("killed"), "killed", AirflowFailException),
        Row(crash("signal"), "signal", AirflowFailException),
        Row(crash("oom_killed"), "oom_killed", AirflowFailException),
        Row(crash("forged_result"), "forged_result", AirflowFailException),
        Row(crash("interrupted"), "interrupted", AirflowException),
        Row(crash("infrastructure"), "infrastructure", AirflowException),
        Row(crash("disk_full"), "disk_full", AirflowFailException),
        Row(crash("disk_limit"), "disk_limit", AirflowFailException),
        Row(crash("too_many_processes"), "too_many_processes", AirflowFailException),
        Row(crash("out_of_memory"), "out_of_memory", AirflowFailException),
        Row(crash("bus_error"), "bus_error", AirflowFailException),
        Row(crash("not_isolated"), "not_isolated", AirflowFailException),
        Row(StoreError("gone"), "python_error", AirflowFailException),
        Row(KeyError("ours"), "python_error", AirflowFailException),
        Row(OSError(28, "No space left on device"), "disk_full", AirflowFailException),
        Row(EndpointConnectionError(endpoint_url="http://s3"), "infrastructure", EndpointConnectionError),
        Row(httpx.ConnectError("refused"), "infrastructure", httpx.ConnectError),
        Row(ConnectionError("refused"), "infrastructure", ConnectionError),
        Row(AirflowSkipException("not wanted"), None, AirflowSkipException),
    ],
    ids=str,
)
def test_a_failure_is_left_for_the_gate_and_retried_only_if_that_can_help(row: Row, ti: Any) -> None:
    with pytest.raises(row.raised) as raised, failures_reported(ti, "quantize", "int8"):
        raise row.error
    assert type(raised.value) is row.raised
    failure = ti.pushed("failure")
    if row.kind is None:
        assert failure is None
    else:
        assert (failure["step"], failure["kind"], failure["variant"]) == ("quantize", row.kind, "int8")
        assert failure["message"].endswith("last words" if isinstance(row.error, StepFailed) else str(row.error))


CODE = """
import logging, os, signal, subprocess, sys, time
from pathlib import Path

def write(folder: Path, text: str) -> Path:
    logging.getLogger("theirs").info("writing %s", text)
    path = folder / "data.txt"
    path.write_text(text)
    return path

def die(folder: Path, times: int) -> Path:
    begun = Path(__file__).with_name("begun")
    with begun.open("a") as file:
        file.write("x")
    if len(begun.read_text()) <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return write(folder, "alive")

def hang(folder: Path, file: str) -> Path:
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(file).write_text(str(os.getpid()))
    time.sleep(600)
"""


@dataclass
class Produce:
    """Runs the operator on functions of a user's module."""

    folder: Path
    ti: Any

    def __call__(self, function: str, **arguments: Any) -> Any:
        return self.operator(function, **arguments).execute({"ti": self.ti, "outlet_events": {}})

    def operator(self, function: str, **arguments: Any) -> PrepareDataOperator:
        (self.folder / "theirs.py").write_text(CODE)
        return PrepareDataOperator(
            task_id="prepare_data",
            entry_point=f"theirs:{function}",
            folder=str(self.folder),
            arguments=arguments,
            uri=str(self.folder / "out" / "data.txt"),
        )


@pytest.fixture
def produce(tmp_path: Path, ti: Any, monkeypatch: pytest.MonkeyPatch) -> Produce:
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(step, "settings", lambda: dataclasses.replace(settings(), waits=(0.0, 0.0)))
    return Produce(tmp_path, ti)


def test_an_operator_returns_what_its_step_found(produce: Produce, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "litegate"):
        result = produce("write", text="hello")
    assert (produce.folder / "out" / "data.txt").read_text() == "hello"
    assert (result["uri"], result["bytes"]) == (str(produce.folder / "out" / "data.txt"), 5)
    assert "writing hello" in caplog.messages


def test_bad_input_of_a_step_is_not_retried(produce: Produce) -> None:
    with pytest.raises(AirflowFailException, match="theirs:missing: expected a function missing"):
        produce("missing")
    assert produce.ti.pushed("failure")["kind"] == "bad_input"


def test_a_step_that_is_killed_twice_is_started_again_within_the_task(produce: Produce) -> None:
    assert produce("die", times=2)["bytes"] == len("alive")
    assert produce.ti.pushed("failure") is None


def test_a_step_that_is_killed_three_times_fails_and_is_not_retried_by_airflow(produce: Produce) -> None:
    with pytest.raises(AirflowFailException, match=r"\(killed\): SIGKILL"):
        produce("die", times=9)
    assert produce.ti.pushed("failure")["kind"] == "killed"
    assert len((produce.folder / "begun").read_text()) == 3


def test_on_kill_ends_the_child_and_all_that_it_started(produce: Produce) -> None:
    operator = produce.operator("hang", file=str(produce.folder / "pid"))
    outcome: list[BaseException] = []

    def execute() -> None:
        try:
            operator.execute({"ti": produce.ti})
        except BaseException as error:
            outcome.append(error)

    task = threading.Thread(target=execute)
    task.start()
    group = int(_written(produce.folder / "pid"))
    operator.on_kill()
    task.join(5)
    assert not task.is_alive()
    assert produce.ti.pushed("failure")["kind"] == "interrupted"
    assert isinstance(outcome[0], AirflowException)
    assert not isinstance(outcome[0], AirflowFailException)
    assert _all_ended(group)


def _written(path: Path) -> str:
    for _ in range(100):
        if path.exists() and path.read_text():
            return path.read_text()
        time.sleep(0.1)
    raise TimeoutError(path)


def _all_ended(group: int) -> bool:
    for _ in range(50):
        numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        if not [number for number in numbers if _group_of(number) == group]:
            return True
        time.sleep(0.1)
    return False


def _group_of(number: int) -> int | None:
    """None for what has ended, whether or not somebody has asked how."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else int(fields[2])
    return None


def test_a_step_after_the_kill_does_not_start(produce: Produce) -> None:
    operator = produce.operator("hang", file=str(produce.folder / "pid"))
    operator.on_kill()
    with pytest.raises(AirflowException, match="interrupted"):
        operator.execute({"ti": produce.ti})
    assert not (produce.folder / "pid").exists()
