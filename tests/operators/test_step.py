"""Errors on their way to Airflow, and a real step run by an operator."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from litegate.errors import BadInput, GateRejected, StepFailed, StoreError
from litegate_airflow.produce import PrepareDataOperator
from litegate_airflow.step import failures_reported


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
        Row(GateRejected("nothing passed"), "rejected", AirflowFailException),
        Row(crash("segfault"), "segfault", AirflowFailException),
        Row(crash("abort"), "abort", AirflowFailException),
        Row(crash("python_error"), "python_error", AirflowFailException),
        Row(crash("timeout"), "timeout", AirflowFailException),
        Row(crash("no_result"), "no_result", AirflowFailException),
        Row(crash("killed"), "killed", AirflowException),
        Row(crash("signal"), "signal", AirflowException),
        Row(StoreError("gone"), "infrastructure", StoreError),
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
import logging, os, signal
from pathlib import Path

def write(folder: Path, text: str) -> Path:
    logging.getLogger("theirs").info("writing %s", text)
    path = folder / "data.txt"
    path.write_text(text)
    return path

def die(folder: Path, number: int) -> Path:
    os.kill(os.getpid(), number)
"""


@dataclass
class Produce:
    """Runs the operator on functions of a user's module."""

    folder: Path
    ti: Any

    def __call__(self, function: str, **arguments: Any) -> Any:
        (self.folder / "theirs.py").write_text(CODE)
        operator = PrepareDataOperator(
            task_id="prepare_data",
            entry_point=f"theirs:{function}",
            folder=str(self.folder),
            arguments=arguments,
            uri=str(self.folder / "out" / "data.txt"),
        )
        return operator.execute({"ti": self.ti, "outlet_events": {}})


@pytest.fixture
def produce(tmp_path: Path, ti: Any, monkeypatch: pytest.MonkeyPatch) -> Produce:
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
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


def test_a_step_that_is_killed_may_be_retried(produce: Produce) -> None:
    with pytest.raises(AirflowException) as raised:
        produce("die", number=9)
    assert not isinstance(raised.value, AirflowFailException)
    assert produce.ti.pushed("failure")["kind"] == "killed"


def test_a_task_that_is_killed_takes_its_step_along(monkeypatch: pytest.MonkeyPatch, ti: Any) -> None:
    killed = []

    class Endless:
        def __init__(self, *arguments: Any) -> None:
            self.operator = operator

        def run(self) -> Any:
            self.operator.on_kill()
            raise StepFailed("prepare", "killed", "SIGKILL")

        def kill(self) -> None:
            killed.append(self)

    monkeypatch.setattr("litegate_airflow.step.StepRun", Endless)
    operator = PrepareDataOperator(task_id="prepare_data", entry_point="m:f", uri="u")
    operator.on_kill()
    with pytest.raises(AirflowException):
        operator.execute({"ti": ti})
    assert len(killed) == 1
