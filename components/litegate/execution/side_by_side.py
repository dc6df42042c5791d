"""Several executions of steps by one caller: some at the same time, and all of them ended together."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from contextvars import copy_context
from typing import TypeVar

from litegate.errors import StepFailed
from litegate.execution.step_run import StepRun
from litegate.failures import FailureKind

__all__ = ["AT_ONCE", "StepRuns"]

AT_ONCE = 4
"""A conversion takes up to ten times the model's size in memory, so that more cores need not help."""

K = TypeVar("K")
R = TypeVar("R")


class StepRuns:
    """What runs now. It has no lock, so that a signal's handler may stop it whatever the thread was about to do.

    Attributes:
        stopped: whether nothing more may begin.
    """

    def __init__(self) -> None:
        self.stopped = False
        self._running: set[StepRun] = set()

    @contextmanager
    def held(self, run: StepRun) -> Iterator[StepRun]:
        """While it runs, `stop` ends it.

        Raises:
            StepFailed: everything was stopped before.
        """
        self._running.add(run)
        try:
            if self.stopped:  # asked after it is among those that are ended
                raise _not_begun(run.step.name)
            yield run
        finally:
            self._running.discard(run)

    def check(self, step: str) -> None:
        """Whether a step may begin.

        Raises:
            StepFailed: everything was stopped.
        """
        if self.stopped:
            raise _not_begun(step)

    def stop(self) -> None:
        """End what runs, and begin nothing more."""
        self.stopped = True
        for run in tuple(self._running):
            run.kill()

    @contextmanager
    def side_by_side(self, calls: Mapping[K, Callable[[], R]]) -> Iterator[Iterator[tuple[K, Future[R]]]]:
        """Call as many at once as there are cores, and one for the gaps between steps; any error in the block ends all.

        Yields:
            The calls by their names, as they end.
        """
        with ThreadPoolExecutor(max(1, min((os.cpu_count() or 1) + 1, AT_ONCE))) as pool:
            futures = {pool.submit(copy_context().run, call): name for name, call in calls.items()}
            try:
                yield ((futures[future], future) for future in as_completed(futures))
            except BaseException:  # an interrupt comes here too, while the threads wait for their children
                self.stop()
                raise


def _not_begun(step: str) -> StepFailed:
    return StepFailed(step, FailureKind.INTERRUPTED, "not begun, for the run was stopped")
