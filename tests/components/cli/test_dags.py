from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from litegate.cli import dags
from litegate.cli.dags import new_run, read_failures, wait_for_dag
from litegate.errors import StackError
from litegate.records import Failure
from litegate.stack import Home
from litegate.stack.airflow_api import RunId, TaskState


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.prepare()
    return home


@dataclass
class FakeAirflow:
    """Answers like Airflow: a DAG that is parsed again with every question after the first."""

    parses: list[str | None]
    asked: list[str] = field(default_factory=list)

    def dag(self, dag_id: str) -> dict[str, Any] | None:
        parsed = self.parses.pop(0) if len(self.parses) > 1 else self.parses[0]
        return None if parsed is None else {"is_stale": False, "last_parsed_time": f"2026-01-01T00:0{parsed}:00Z"}

    def dags(self, prefix: str) -> list[dict[str, Any]]:
        return [{"dag_id": f"{prefix}__x", "file_token": "token"}]

    def parse_again(self, token: str) -> None:
        self.asked.append(token)

    def import_errors(self) -> list[str]:
        return ["quantize.py: SyntaxError"]


@dataclass(frozen=True, kw_only=True)
class Wait:
    id: str
    parses: list[str | None]
    changed: float
    questions: int


WAITS = (
    Wait(id="parsed long after the change", parses=["5"], changed=1767225600.0, questions=0),
    Wait(id="a new DAG is new as a whole", parses=[None, None, "5"], changed=1767225900.0, questions=1),
    Wait(
        id="the parse under way may have missed the change", parses=["4", "5", "6"], changed=1767225900.0, questions=2
    ),
)


@pytest.mark.parametrize("case", WAITS, ids=lambda case: case.id)
def test_a_dag_is_known_once_a_parse_has_begun_after_its_change(case, monkeypatch):
    monkeypatch.setattr(dags.time, "sleep", lambda _: None)
    airflow = FakeAirflow(list(case.parses))

    wait_for_dag(airflow, "quantize__tiny", case.changed)  # type: ignore[arg-type]

    assert len(airflow.asked) == case.questions


def test_a_dag_that_never_appears_is_reported_with_the_import_errors(monkeypatch):
    monkeypatch.setattr(dags, "_PARSE_LIMIT", 0)
    with pytest.raises(StackError, match=r"quantize__tiny within 0 s: quantize\.py: SyntaxError"):
        wait_for_dag(FakeAirflow([None]), "quantize__tiny", 0)  # type: ignore[arg-type]


def test_run_ids_are_readable_and_unique():
    runs = [new_run("quantize__tiny") for _ in range(5)]

    assert len(set(runs)) == 5
    assert all(run.run.startswith("litegate-20") for run in runs)


class FailedRun:
    """A run in which one element of a mapped task said why it failed, and another task did not."""

    def xcom(self, run: RunId, task: str, key: str, map_index: int = -1) -> dict[str, Any] | None:
        said = Failure(step="quantize", kind="segfault", message="died", variant="int8")
        return said.to_json() if (task, key, map_index) == ("quantize", "failure", 1) else None

    def log(self, run: RunId, task: TaskState) -> list[str]:
        return ["begins", "Killed"]


def test_a_task_that_failed_without_a_word_is_reported_with_the_end_of_its_log():
    tasks = [
        TaskState("quantize", 0, "float16", "success", 1),
        TaskState("quantize", 1, "int8", "failed", 1),
        TaskState("gate", -1, None, "failed", 1),
        TaskState("register", -1, None, "upstream_failed", 0),
    ]
    said, silent = read_failures(FailedRun(), RunId("d", "r"), tasks)  # type: ignore[arg-type]

    assert (said.failure.kind, said.failure.variant) == ("segfault", "int8")
    assert (silent.task, silent.failure.kind) == ("gate", "unreported")
    assert "Killed" in silent.failure.message
