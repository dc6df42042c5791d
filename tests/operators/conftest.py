"""A stand-in for the task instance: XCom in a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.operators.wiring import NAMED


@dataclass
class TaskInstance:
    """XCom values by task id, map index and key; pulls as `RuntimeTaskInstance.xcom_pull` does."""

    task_id: str = "task"
    dag_id: str = "quantize__m"
    run_id: str = "manual__2026-01-01T00:00:00+00:00"
    map_index: int = -1
    user: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    conf: dict[str, Any] = field(default_factory=dict)
    values: dict[tuple[str, int, str], Any] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    task: Any = field(default_factory=lambda: SimpleNamespace(wiring=NAMED))

    def xcom_push(self, key: str, value: Any) -> None:
        self.values[self.task_id, self.map_index, key] = value

    def xcom_pull(self, task_ids: str | list[str], key: str, map_indexes: int | None = None) -> Any:
        if isinstance(task_ids, str):
            return self.values.get((task_ids, map_indexes, key))
        found = [value for (task, _, name), value in self.values.items() if task in task_ids and name == key]
        return found or [None]

    def get_task_states(self, dag_id: str, run_ids: list[str]) -> dict[str, dict[str, str]]:
        return dict.fromkeys(run_ids, self.states)

    def get_template_context(self) -> dict[str, Any]:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        began = moment + timedelta(seconds=2)
        dag_run = SimpleNamespace(run_after=moment, start_date=began, triggering_user_name=self.user, conf=self.conf)
        return {"dag_run": dag_run, "params": self.params}

    def pushed(self, key: str) -> Any:
        return self.values.get((self.task_id, self.map_index, key))


@pytest.fixture
def ti() -> TaskInstance:
    return TaskInstance()
