"""The only way to and from XCom: records in and out, found by what the tasks do that left them.

A task that runs one step returns its result. One that runs several returns all results by their jobs: the step, and
after a slash the variant if it is for one. A failed instance of a mapped task leaves a gap: map indexes mean nothing.

What this task has found itself goes first, then what was found by looking up cached results, and last what a task has
left: that may be of an earlier try of the run. Each value is asked for once: every question costs Airflow a request.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from airflow.sdk.execution_time.xcom import XCom

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.tasks import LOOKUP_CACHE, Job, Task
from litegate.presentation.run_notes import shortened
from litegate.records import Record, Resolved, RunResult
from litegate.variants import BASELINE, CHAMPION, in_order
from litegate_airflow.runtime.note import NOTE
from litegate_airflow.runtime.wiring import Wiring

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = [
    "CACHED",
    "DECIDED",
    "FAILURE",
    "FAILURES",
    "POSITION",
    "RESOLVED",
    "RETURN_VALUE",
    "Found",
    "Records",
    "TaskPlace",
    "leave",
    "push",
    "recorded",
    "registered_model",
    "say",
]

log = logging.getLogger("litegate")

DECIDED = "decided"
FAILURE = "failure"
FAILURES = "failures"
CACHED = "cached"
RESOLVED = "resolved"
POSITION = "position"
RETURN_VALUE = "return_value"

R = TypeVar("R", bound=Record)
Found = Mapping[str, Any]
"""Results as XCom has them, by job."""

_KEYS = {"resolve": RESOLVED, "read_ledger": POSITION}
"""Of XCom, by step, where the task returns something else: Airflow maps over what a task returns."""


def push(ti: RuntimeTaskInstanceProtocol, key: str, record: Record) -> None:
    """Leave a record under a key of its own, beside the task's return value."""
    ti.xcom_push(key, record.to_json())


def say(ti: RuntimeTaskInstanceProtocol, what: str) -> None:
    """Leave what came of the run so far, for people: the note of the run, once it has ended.

    Nothing may fail for it.
    """
    try:
        ti.xcom_push(NOTE, shortened(what))
    except Exception as error:
        log.warning("the run has no note: %s: %s", type(error).__name__, error)


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
    value = _first(dag_id, run_id, task_id, RETURN_VALUE)
    return None if value is None else RunResult.model_validate(value)


def registered_model(dag_id: str, run_id: str, task_id: str) -> str | None:
    """The name under which a run registers what passes; None before the task that resolves it has read the spec."""
    value = _first(dag_id, run_id, task_id, RESOLVED)
    return None if value is None else Resolved.model_validate(value).spec.registry.name


def _first(dag_id: str, run_id: str, task_id: str, key: str) -> Any | None:
    """What a task that is not mapped has left: asked for all values, Airflow logs no error where there is none yet."""
    found: Sequence[Any] | None = XCom.get_all(key=key, dag_id=dag_id, run_id=run_id, task_id=task_id)
    return next(iter(found or ()), None)


class Records:
    """What the tasks of a DAG run have left for each other.

    Args:
        found: what was cached; if not given, what the task that looked it up says.

    Attributes:
        kept: what this task has found itself, by job.
    """

    def __init__(self, ti: RuntimeTaskInstanceProtocol, found: Found | None = None) -> None:
        self.ti, self._found = ti, found
        self.kept: dict[str, Any] = {}
        self._pulled: dict[tuple[str, str], Sequence[Any]] = {}
        self._read: dict[tuple[type[Record], Job], Record] = {}

    @property
    def wiring(self) -> Wiring:
        """Which tasks of the DAG do what, as the task knows it that asks."""
        wiring: Wiring = self.ti.task.wiring  # type: ignore[attr-defined]
        return wiring

    def keep(self, job: Job, result: Record) -> None:
        """Add what this task has found itself."""
        self.kept[str(job)] = result.to_json()
        self._read.clear()

    def returned(self, record: type[R], does: Task) -> R:
        """What the task that does this returned."""
        return self._as(record, does, self._left(self.wiring.one(does)))

    def _one(self, record: type[R], does: Task, job: Job) -> R:
        if (record, job) not in self._read:
            self._read[record, job] = self._as(record, does, self._value_of(does, job))
        return cast("R", self._read[record, job])

    def _value_of(self, does: Task, job: Job) -> Any | None:
        for found in (self.kept, self._cached()):
            if str(job) in found:
                return found[str(job)]
        return self._left_by(does, job.step).get(str(job))

    def _all(self, record: type[R], does: Sequence[Task], step: str) -> tuple[R, ...]:
        """Of the quantized variants, by all tasks that run the step for some of them."""
        left = {job: value for each in does for job, value in self._left_by(each, step).items()}
        found = {**left, **self._cached(), **self.kept}
        prefix = str(Job(step, "-"))[:-1]
        variants = in_order(job.removeprefix(prefix) for job in found if job.startswith(prefix))
        jobs = (str(Job(step, variant)) for variant in variants if variant not in (BASELINE, CHAMPION))
        return tuple(record.model_validate(found[job]) for job in jobs)

    def _as(self, record: type[R], does: Task, value: Any | None) -> R:
        if value is None:
            task_id = self.wiring.one(does)
            detail = f"the task {task_id} left no {record.__name__}: open its log and clear it"
            raise StepFailed(task_id, FailureKind.NO_RESULT, detail)
        return record.model_validate(value)

    def _left_by(self, does: Task, step: str) -> Found:
        """What the tasks that do this have left, by job."""
        if does.mapped:
            values = self._of_instances(does)
        else:
            values = [self._left(task, _KEYS.get(step, RETURN_VALUE)) for task in self.wiring.all(does)]
        values = [value for value in values if value is not None]
        if len(does.jobs) == 1 or step in _KEYS:
            return {str(Job(step, value["variant"] if does.mapped else does.of)): value for value in values}
        return {job: result for value in values for job, result in value.items()}

    def _of_instances(self, does: Task, key: str = RETURN_VALUE) -> list[Any]:
        """Of tasks that may be mapped."""
        found = (self._pull(task, key) for task in self.wiring.all(does))
        return [value for values in found for value in values if value is not None]

    def _left(self, task_id: str, key: str = RETURN_VALUE) -> Any | None:
        """Of a task that is not mapped; None if it has left nothing."""
        return next(iter(self._pull(task_id, key)), None)

    def _pull(self, task_id: str, key: str) -> Sequence[Any]:
        """Of all instances: asked for a list of ids, Airflow logs no error where there is nothing yet."""
        asked = (task_id, key)
        if asked not in self._pulled:
            self._pulled[asked] = self.ti.xcom_pull(key=key, task_ids=(task_id,))
        return self._pulled[asked]

    def _cached(self) -> Found:
        if self._found is None:
            looked_up = self.wiring.all(LOOKUP_CACHE)
            self._found = (self._left(looked_up[0], CACHED) if looked_up else None) or {}
        return self._found
