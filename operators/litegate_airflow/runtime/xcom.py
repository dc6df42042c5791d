"""The only way to and from XCom: records in and out, found by what the tasks do that left them.

Values of mapped tasks are matched by the variant's name inside them: a failed instance leaves a gap, so map
indexes do not line up.

What was found by looking up cached results goes before what a task has left: that may be of an earlier try of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from airflow.sdk.execution_time.xcom import XCom

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.tasks import LOOKUP_CACHE, Task
from litegate.records import Record, Resolved, RunResult
from litegate_airflow.runtime.wiring import Wiring

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = [
    "CACHED",
    "DECIDED",
    "FAILURE",
    "RESOLVED",
    "RETURN_VALUE",
    "SMOKE",
    "Found",
    "Records",
    "TaskPlace",
    "leave",
    "push",
    "recorded",
    "registered_model",
]

DECIDED = "decided"
FAILURE = "failure"
CACHED = "cached"
RESOLVED = "resolved"
SMOKE = "smoke"
RETURN_VALUE = "return_value"

R = TypeVar("R", bound=Record)
Found = dict[str, dict[str, dict[str, Any]]]
"""Cached values by task, XCom key and variant; the variant is empty where a task works for the run as a whole."""


def push(ti: RuntimeTaskInstanceProtocol, key: str, record: Record) -> None:
    """Leave a record under a key of its own, beside the task's return value."""
    ti.xcom_push(key, record.to_json())


class TaskPlace(NamedTuple):
    """An instance of a task in a DAG run."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int


def leave(place: TaskPlace, key: str, value: str) -> None:
    """Leave a value as another task."""
    XCom.set(key, value, **place._asdict())


def recorded(dag_id: str, run_id: str, task_id: str) -> RunResult | None:
    """A run as the task that registers it recorded it in MLflow; None before it has."""
    value = XCom.get_one(key=RETURN_VALUE, dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=-1)
    return None if value is None else RunResult.model_validate(value)


def registered_model(dag_id: str, run_id: str, task_id: str) -> str | None:
    """The name under which a run registers what passes; None before the task that resolves it has read the spec."""
    value = XCom.get_one(key=RESOLVED, dag_id=dag_id, run_id=run_id, task_id=task_id, map_index=-1)
    return None if value is None else Resolved.model_validate(value).spec.registry.name


class Records:
    """What the tasks of a DAG run have left for each other.

    Args:
        found: what was cached; if not given, what the task that looked it up says.
    """

    def __init__(self, ti: RuntimeTaskInstanceProtocol, found: Found | None = None) -> None:
        self.ti, self._found = ti, found

    @property
    def wiring(self) -> Wiring:
        """Which tasks of the DAG do what, as the task knows it that asks."""
        wiring: Wiring = self.ti.task.wiring  # type: ignore[attr-defined]
        return wiring

    def _one(self, record: type[R], does: Task, key: str = RETURN_VALUE, map_index: int = -1, variant: str = "") -> R:
        task_id = self.wiring.one(does)
        value = self._cached(task_id, key).get(variant)
        if value is None:
            value = self._left(task_id, key, map_index)
        if value is None:
            detail = f"the task {task_id} left no {record.__name__}: open its log and clear it"
            raise StepFailed(task_id, FailureKind.NO_RESULT, detail)
        return record.model_validate(value)

    def _all(self, record: type[R], does: Task, key: str = RETURN_VALUE) -> tuple[R, ...]:
        """Asked by a list of ids, since a single id gives a bare value for one mapped instance, else a list."""
        tasks = self.wiring.all(does)
        cached = [value for task in tasks for value in self._cached(task, key).values()]
        variants = {value["variant"] for value in cached}
        left = self.ti.xcom_pull(task_ids=list(tasks), key=key) if tasks else ()
        values = cached + [value for value in left if value is not None and value["variant"] not in variants]
        return tuple(record.model_validate(value) for value in values)

    def _left(self, task_id: str, key: str = RETURN_VALUE, map_index: int = -1) -> Any | None:
        return self.ti.xcom_pull(task_ids=task_id, key=key, map_indexes=map_index)

    def _cached(self, task_id: str, key: str) -> dict[str, Any]:
        """Values by variant."""
        if self._found is None:
            looked_up = self.wiring.all(LOOKUP_CACHE)
            self._found = (self._left(looked_up[0], CACHED) if looked_up else None) or {}
        return self._found.get(task_id, {}).get(key, {})
