"""Whatever a task does outside of its step too: Airflow tries again only what may pass by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Asset
from airflow.sdk.exceptions import AirflowFailException, AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from litegate.digest import OtherBytes
from litegate.errors import SpecError, StoreError
from litegate.spec import Approval
from litegate.variants import CHAMPION
from litegate_airflow.events.notify import RunNotifier, judged
from litegate_airflow.operators import step
from litegate_airflow.operators.approve import ApproveOperator
from litegate_airflow.operators.benchmark import BenchmarkOperator
from litegate_airflow.operators.champion import FetchChampionOperator
from litegate_airflow.operators.check import CheckOperator
from litegate_airflow.operators.convert import ConvertOperator
from litegate_airflow.operators.decide import DecideOperator
from litegate_airflow.operators.decide_approval import DecideApprovalOperator
from litegate_airflow.operators.evaluate import EvaluateOperator
from litegate_airflow.operators.gate import GateOperator
from litegate_airflow.operators.lookup_cache import LookupCacheOperator
from litegate_airflow.operators.produce import PrepareDataOperator
from litegate_airflow.operators.promote import PromoteOperator
from litegate_airflow.operators.quantize import QuantizeOperator
from litegate_airflow.operators.register import RegisterOperator
from litegate_airflow.operators.requalify import (
    ActOperator,
    DriftOperator,
    FetchChampionEvidenceOperator,
    RecordOperator,
    RequalifyEvaluateOperator,
    RequalifyGateOperator,
)
from litegate_airflow.operators.resolve import ResolveOperator
from litegate_airflow.operators.sample import SampleOperator
from litegate_airflow.runtime.failing import failures_reported
from tests.operators.wiring import NAMED, REQUALIFYING

DEFECTS = (
    KeyError("ours"),
    OtherBytes("0" * 64),
    StoreError("the bytes are not what their digest says"),
    RuntimeError("who knows"),
)
NO_ANSWER = ConnectionError("refused")
RUNS = (NAMED, REQUALIFYING)
APPROVAL = Approval(on_timeout="fail")
PLAIN = (ConvertOperator, SampleOperator, CheckOperator, EvaluateOperator, BenchmarkOperator, RegisterOperator)
LATER = (GateOperator, PromoteOperator, DecideApprovalOperator, FetchChampionOperator)
REQUALIFY = (FetchChampionEvidenceOperator, DriftOperator, RequalifyGateOperator, RecordOperator, ActOperator)
READERS: dict[str, Callable[[], Any]] = {
    **{cls.__name__: lambda cls=cls: cls(upstream=RUNS, task_id="task") for cls in (*PLAIN, *LATER, *REQUALIFY)},
    "QuantizeOperator": lambda: QuantizeOperator(upstream=RUNS, task_id="task", variant="int8"),
    "RequalifyEvaluateOperator": lambda: RequalifyEvaluateOperator(upstream=RUNS, task_id="task", variant=CHAMPION),
    "ApproveOperator": lambda: ApproveOperator(upstream=NAMED, task_id="task", approval=APPROVAL),
}
"""Every operator that begins with what earlier tasks left."""


def execute(operator: Any, ti: Any, **context: Any) -> Any:
    ti.max_tries = 0
    ti.task = operator
    return operator.execute({"ti": ti, "task_instance": ti, "outlet_events": {}} | context)


def raising(error: Exception) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize("error", DEFECTS, ids=repr)
@pytest.mark.parametrize("name", READERS)
def test_a_look_up_that_fails_for_an_unknown_reason_is_not_repeated(name: str, error: Exception, ti: Any) -> None:
    ti.xcom_pull = raising(error)
    with pytest.raises(AirflowFailException, match=str(error)):
        execute(READERS[name](), ti)
    assert ti.pushed("failure")["kind"] == "python_error"


@pytest.mark.parametrize("name", READERS)
def test_a_look_up_without_an_answer_is_repeated(name: str, ti: Any) -> None:
    ti.xcom_pull = raising(NO_ANSWER)
    with pytest.raises(ConnectionError):
        execute(READERS[name](), ti)
    assert ti.pushed("failure")["kind"] == "infrastructure"


@dataclass(frozen=True)
class Produce:
    """The operator that needs no other task."""

    folder: Path
    outlets: tuple[Asset, ...] = ()

    def __call__(self, ti: Any) -> Any:
        (self.folder / "theirs.py").write_text(
            "def write(folder):\n    (folder / 'x').write_text('x')\n    return folder / 'x'\n"
        )
        where = {"folder": str(self.folder), "uri": str(self.folder / "out")}
        operator = PrepareDataOperator(
            task_id="task", entry_point="theirs:write", arguments={}, outlets=list(self.outlets), **where
        )
        return execute(operator, ti)


@pytest.mark.parametrize("error", DEFECTS, ids=repr)
def test_a_step_run_that_fails_for_an_unknown_reason_is_not_repeated(
    error: Exception, tmp_path: Path, ti: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step.StepRun, "run", raising(error))
    with pytest.raises(AirflowFailException, match=str(error)):
        Produce(tmp_path)(ti)
    assert ti.pushed("failure")["kind"] == "python_error"


def test_a_delivery_that_fails_is_reported_and_not_repeated(
    tmp_path: Path, ti: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The context has no events for the outlet: a `KeyError` of ours."""
    monkeypatch.setenv("LITEGATE_HOME", str(tmp_path / "home"))
    with pytest.raises(AirflowFailException, match="KeyError"):
        Produce(tmp_path, (Asset("theirs"),))(ti)
    assert ti.pushed("failure")["kind"] == "python_error"


def test_a_form_without_what_it_must_have_is_not_asked_again(ti: Any) -> None:
    with pytest.raises(AirflowFailException, match="KeyError: 'model'"):
        execute(DecideOperator(task_id="decide"), ti)


def test_a_broken_spec_is_said_as_it_is_and_not_read_again(ti: Any) -> None:
    problem = SpecError("m.yaml: target", "cpu", "'gpu'")
    with pytest.raises(AirflowFailException, match=r"^m\.yaml: target: expected cpu, got 'gpu'$"):
        execute(ResolveOperator(task_id="resolve", spec="m.yaml", problem=problem), ti)
    failure = ti.pushed("failure")
    assert (failure["kind"], failure["message"]) == ("bad_input", str(problem))


def test_a_search_for_earlier_results_that_fails_is_not_repeated(ti: Any) -> None:
    with pytest.raises(AirflowFailException):
        execute(LookupCacheOperator(upstream=NAMED, task_id="lookup_cache"), ti)  # in no DAG
    assert ti.pushed("failure")["step"] == "lookup_cache"


@pytest.mark.parametrize("error", DEFECTS, ids=repr)
def test_a_question_that_cannot_be_put_is_not_repeated(
    error: Exception, ti: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApproveOperator.__bases__[0], "execute", raising(error))
    monkeypatch.setattr("litegate_airflow.operators.approve.RunRecords", Waiting)
    monkeypatch.setattr("litegate_airflow.operators.approve.question", lambda *_: ("May it?", "It passed."))
    monkeypatch.setattr("litegate_airflow.operators.approve.mlflow_page", lambda _: "")
    monkeypatch.setattr("litegate_airflow.operators.approve.run_url", lambda _: "")
    with pytest.raises(AirflowFailException, match=str(error)):
        execute(ApproveOperator(upstream=NAMED, task_id="task", approval=APPROVAL), ti, task_state_store=Notes())


class Waiting:
    """A run of which a version waits for a person."""

    def __init__(self, _: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        return lambda: self

    state, report, version = "pending_approval", "", 1

    @property
    def selected(self) -> Waiting:
        return self


class Notes(dict[str, Any]):
    """What a task keeps between its tries."""

    def set(self, key: str, value: Any, **_: Any) -> None:
        self[key] = value


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"error": "late", "error_type": "timeout"}, "timeout"),
        ({"error": "Unauthorized", "error_type": "validation"}, "python_error"),
        ({}, "python_error"),
    ],
)
def test_an_answer_that_cannot_be_taken_is_not_taken_again(event: dict[str, Any], kind: str, ti: Any) -> None:
    operator = ApproveOperator(upstream=NAMED, task_id="task", approval=APPROVAL)
    with pytest.raises(AirflowFailException):
        operator.execute_complete({"ti": ti, "task_state_store": Notes()}, event)
    assert ti.pushed("failure")["kind"] == kind


def test_people_who_cannot_be_told_change_nothing(ti: Any, caplog: pytest.LogCaptureFixture) -> None:
    ti.xcom_pull = raising(KeyError("ours"))
    with caplog.at_level(logging.WARNING, "litegate"):
        RunNotifier(None, judged).notify({"ti": ti})  # type: ignore[arg-type]
    assert "the run told nobody: KeyError: 'ours'" in caplog.messages


@pytest.mark.parametrize(
    ("status", "raised", "kind"),
    [
        (None, AirflowRuntimeError, "infrastructure"),
        (503, AirflowRuntimeError, "infrastructure"),
        (404, AirflowFailException, "python_error"),
        (422, AirflowFailException, "python_error"),
    ],
)
def test_what_airflows_own_server_refuses_is_not_asked_again(
    status: int | None, raised: type[Exception], kind: str, ti: Any
) -> None:
    answer = ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": status, "message": "no"})
    with pytest.raises(raised), failures_reported(ti, "quantize"):
        raise AirflowRuntimeError(answer)
    assert ti.pushed("failure")["kind"] == kind


def test_a_variable_that_airflow_does_not_have_is_not_asked_for_again(ti: Any) -> None:
    with pytest.raises(AirflowFailException), failures_reported(ti, "quantize"):
        raise AirflowRuntimeError(ErrorResponse(error=ErrorType.VARIABLE_NOT_FOUND, detail={"key": "x"}))


def test_a_failure_that_cannot_be_left_in_xcom_stays_what_it_is(ti: Any, caplog: pytest.LogCaptureFixture) -> None:
    ti.xcom_push = raising(NO_ANSWER)
    with pytest.raises(AirflowFailException, match="KeyError: 'ours'"), failures_reported(ti, "quantize"):
        raise KeyError("ours")
    assert "the failure cannot be left in XCom: ConnectionError: refused" in caplog.messages
