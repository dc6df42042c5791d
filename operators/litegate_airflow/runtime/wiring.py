"""Which task of a DAG does what: from the tasks that an operator is given as its upstream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from airflow.sdk import BaseOperator, TaskGroup, XComArg

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.tasks import Task

__all__ = ["Upstream", "Wiring", "tasks_in", "waited_for"]


@dataclass(frozen=True)
class Wiring:
    """The ids that tasks have in a DAG, by what they do.

    Only tasks for the quantized variants may be several: one for each variant, where they are not mapped.
    """

    ids: Mapping[Task, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, tasks: Iterable[BaseOperator | Wiring], kind: Sequence[Task]) -> Self:
        """Those of all the tasks together that belong to one kind of run."""
        ids: dict[Task, tuple[str, ...]] = {}
        for task in tasks:
            wiring = task if isinstance(task, Wiring) else getattr(task, "wiring", Wiring())
            for does in (each for each in kind if each in wiring.ids):
                names = wiring.ids[does]
                ids[does] = tuple(dict.fromkeys((*ids.get(does, ()), *names)))
        return cls(ids)

    def with_task(self, does: Task, task_id: str) -> Wiring:
        """The same and one more.

        Raises:
            ValueError: it needs what is not there, or several tasks do what only one may do.
        """
        have = {task.id for task in self.ids}
        missing = [name for name in does.needs if name not in have]
        if missing:
            raise ValueError(
                f"the task {task_id} needs the result of {_listed(missing)}: give `upstream` the operator that does "
                "this, or one that comes after it"
            )
        for task, names in self.ids.items():
            if len(names) > 1 and not task.mapped:
                raise ValueError(
                    f"the task {task_id} has two tasks upstream of which each does {task.id!r}: {_listed(names)}; "
                    "leave one of them out of `upstream`"
                )
        return Wiring({**self.ids, does: (task_id,)})

    def one(self, does: Task) -> str:
        """The id of the only task that does this.

        Raises:
            StepFailed: there is none, or one for each variant.
        """
        names = self.all(does)
        if len(names) != 1:
            detail = f"{len(names)} tasks upstream do {does.id!r}, where one is needed: see `upstream` in the DAG file"
            raise StepFailed(does.id, FailureKind.NO_RESULT, detail)
        return names[0]

    def all(self, does: Task) -> tuple[str, ...]:
        """The ids of the tasks that do this."""
        return self.ids.get(does, ())


Upstream = BaseOperator | XComArg | TaskGroup | Wiring | Iterable["Upstream"]
"""Tasks as a DAG file has them: operators, their output, task groups, or several of these."""


def tasks_in(upstream: Upstream) -> Iterator[Any]:
    """The single tasks and wirings.

    Raises:
        TypeError: there is something else among them.
    """
    if isinstance(upstream, BaseOperator | Wiring):
        yield upstream
    elif isinstance(upstream, XComArg):
        yield from (task for task, _ in upstream.iter_references())
    elif isinstance(upstream, TaskGroup):
        yield from upstream.iter_tasks()
    elif isinstance(upstream, Iterable) and not isinstance(upstream, str):
        for each in upstream:
            yield from tasks_in(each)
    else:
        expected = "expected operators, their output or task groups"
        mapped = "; of mapped tasks their mapped task group" if type(upstream).__name__ == "MappedOperator" else ""
        raise TypeError(f"upstream: {expected}{mapped}, got {upstream!r}")


def waited_for(upstream: Upstream) -> list[Any]:
    """What Airflow is to wait for: of a task group its last tasks, which it finds by itself."""
    if isinstance(upstream, Wiring):
        return []
    if isinstance(upstream, BaseOperator | XComArg | TaskGroup):
        return [upstream]
    return [each for item in upstream for each in waited_for(item)]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
