"""One execution of a step: look its result up, else have it computed, and publish what it found."""

from __future__ import annotations

import logging
import threading
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from litegate.disk import failing_when_full
from litegate.execution.confinement import time_limit
from litegate.execution.endings import check_ending
from litegate.execution.executor import Executor
from litegate.execution.executors import new_executor
from litegate.execution.fetching import data_broker, fetch_files
from litegate.execution.lookup import keep, look_up
from litegate.execution.preparation import prepared, work_folder
from litegate.execution.publishing import publish
from litegate.execution.result_key import result_key
from litegate.execution.retries import persistently
from litegate.execution.returned.reading import BadStepInput
from litegate.execution.returned.snapshots import Seen
from litegate.execution.step import Step
from litegate.execution.turns import turn
from litegate.records import Record
from litegate.settings import Settings
from litegate.storage.copies import private_folder
from litegate.storage.workspace import Workspace

__all__ = ["BadStepInput", "StepRun"]

log = logging.getLogger("litegate")


class StepRun:
    """`run` does it, `kill` (from another thread) ends it.

    Args:
        executor: what runs the step's process; None for the one that the settings name.

    Raises:
        BadInput: the settings name an executor that does not exist.
    """

    def __init__(self, step: Step, request: Record, settings: Settings, executor: Executor | None = None) -> None:
        self.step = step
        self.request, self.settings = request, settings
        self.workspace = Workspace(settings.workspace, settings.cache)
        self.executor = executor or new_executor(settings)
        self._killed = threading.Event()

    def run(self) -> Any:
        """The step's result record, found or computed; a child that is ended from outside is started again.

        Where another run on this host computes the same, it is waited for.

        Raises:
            BadStepInput: the step refused its input; trying again is pointless.
            StepFailed: the child crashed, timed out, raised, or handed back what its step cannot have made.
        """
        with failing_when_full(self.step.name, self.settings.scratch), self._turn():
            found = self.find()
            if found is not None:
                return found
            result = persistently(self._compute, self.settings.waits, self._killed)
            if self.step.cached:
                keep(self.step, result, self.key(), self.workspace)
            return result

    def find(self) -> Any | None:
        """The result of an earlier run with the same key, or None; none counts that is damaged or lacks a file."""
        return look_up(self.step, self.request, self.key(), self.workspace) if self.step.cached else None

    def key(self) -> str:
        """Digest of all that the result depends on."""
        return result_key(self.step, self.request, self.step.python(self.request, self.settings.pythons))

    def kill(self) -> None:
        """End the child and everything that it started, also if it is yet to be started."""
        self._killed.set()
        self.executor.kill()

    def _turn(self) -> AbstractContextManager[None]:
        if not self.step.cached:
            return nullcontext()
        folder = private_folder(self.settings.cache) / "turns"
        return turn(folder / f"{self.step.name}-{self.key()}", self._killed, time_limit(self.step, self.request))

    def _compute(self) -> Any:
        """One attempt."""
        places = self.settings
        private_folder(places.cache)
        files = fetch_files(self.request, self.workspace)
        with work_folder(self.step, places.scratch) as folder:
            with data_broker(self.step, self.request, folder, places.cache) as broker:
                ready = prepared(self.step, self.request, folder, files, places)
                ending = self.executor.run(ready, partial(log.info, "%s"))
            check_ending(ending, ready, self._killed.is_set())
            seen = Seen("; ".join(ending.not_isolated) or "complete", broker)
            return publish(self.step, self.request, folder, seen, places.scratch, self.workspace)
