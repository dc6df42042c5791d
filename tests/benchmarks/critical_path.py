"""What of a run's time is work: its critical path, from when each task began and ended. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["TaskTime", "critical_path", "work_on"]


@dataclass(frozen=True)
class TaskTime:
    """A task of a run, or one element of a mapped task; seconds since the run began.

    Attributes:
        element: which one of a mapped task, -1 for others.
    """

    name: str
    element: int
    begin: float
    end: float


def critical_path(tasks: Sequence[TaskTime], upstream: Mapping[str, frozenset[str]]) -> list[TaskTime]:
    """The tasks that decided when the run ended, the first one first: of each, what it waited for longest before it.

    Args:
        upstream: the names of the tasks before each task. Elements of mapped tasks wait for the same element and,
            where a pool has no room for all of them, for those that ran before.
    """
    path: list[TaskTime] = []
    at = max(tasks, key=lambda task: task.end, default=None)
    while at is not None:
        path.insert(0, at)
        names = upstream.get(at.name, frozenset())
        before = [task for task in tasks if task.name in names and _waited_for(task, at.element)]
        before += [task for task in tasks if task.name == at.name and task.end <= at.begin]
        at = max(before, key=lambda task: task.end, default=None)
    return path


def work_on(path: Sequence[TaskTime]) -> float:
    """Seconds in which a task of the path ran."""
    return sum(task.end - task.begin for task in path)


def _waited_for(task: TaskTime, element: int) -> bool:
    return element < 0 or task.element in (-1, element)
