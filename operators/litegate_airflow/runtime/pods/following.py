"""Passing on what the step of a pod says, while it says it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from litegate.processes import readable
from litegate_airflow.runtime.pods.status import has_begun

if TYPE_CHECKING:
    from kubernetes.client import V1Pod
    from pendulum import DateTime

    from litegate_airflow.runtime.pods.cluster import Cluster

__all__ = ["Follower"]

_PAUSE, _LAST_LINES, _LONGEST = 1.0, 5.0, 2000


class Follower:
    """Follows the log of one container in a thread of its own; a context.

    What it says is for people to read: that a line is lost changes nothing. A connection that breaks is made again.
    """

    def __init__(self, cluster: Cluster, pod: V1Pod, container: str, say: Callable[[str], None]) -> None:
        self._cluster, self._pod, self._container, self._say = cluster, pod, container, say
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        if self._thread is None and error[0] is None:
            self._follow()  # it was over before anybody looked
        elif self._thread is not None:
            self._thread.join(_LAST_LINES)

    def look(self, pod: V1Pod) -> None:
        """Begin once the container has."""
        if self._thread is None and has_begun(pod, self._container):
            self._thread = threading.Thread(target=self._follow, daemon=True)
            self._thread.start()

    def _follow(self) -> None:
        last: DateTime | None = None
        is_last = False
        while not is_last:
            is_last = self._ended.is_set()
            for when, line in self._cluster.log_lines(self._pod, self._container, last):
                last = when or last
                if text := readable(line[:_LONGEST]).rstrip():
                    self._say(text)
            if not is_last:
                self._ended.wait(_PAUSE)
