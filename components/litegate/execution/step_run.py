"""One execution of a step: look its result up, else have it computed, and publish what it found."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from litegate.digest import digest_json
from litegate.disk import failing_when_full
from litegate.execution.confinement import time_limit
from litegate.execution.endings import check_ending, files_refined
from litegate.execution.executor import Executor
from litegate.execution.executors import new_executor
from litegate.execution.fetching import data_broker, fetch_files
from litegate.execution.lookup import FileKilled, Results, joined
from litegate.execution.preparation import prepared, work_folder
from litegate.execution.progress import progress_folder
from litegate.execution.publishing import publish
from litegate.execution.result_key import result_keys
from litegate.execution.retries import persistently
from litegate.execution.returned.reading import BadStepInput
from litegate.execution.returned.snapshots import Seen
from litegate.execution.step import Step, parts
from litegate.execution.times import Time, keep_time
from litegate.execution.turns import turn
from litegate.records import Record
from litegate.settings import Settings
from litegate.storage.copies import private_folder
from litegate.storage.workspace import Workspace
from litegate.telemetry import span

__all__ = ["BadStepInput", "StepRun"]

log = logging.getLogger("litegate")


class StepRun:
    """`run` does it, `kill` (from another thread) ends it.

    Args:
        executor: what runs the step's process; None for the one that the settings name.
        label: what it is run for (`litegate.execution.times`), by which its time is kept; not kept if empty.

    Attributes:
        computed: whether it had anything computed; else all was found.

    Raises:
        BadInput: the settings name an executor that does not exist.
    """

    def __init__(
        self, step: Step, request: Record, settings: Settings, executor: Executor | None = None, label: str = ""
    ) -> None:
        self.step, self.label = step, label
        self.request, self.settings = request, settings
        self.workspace = Workspace(settings.workspace, settings.cache)
        self.executor = executor or new_executor(settings)
        self._killed = threading.Event()
        self.computed = False

    def run(self) -> Any:
        """The step's result record, found or computed; a child that is ended from outside is started again.

        It is a span `litegate.<step>` of OpenTelemetry.

        Where another run on this host computes the same, it is waited for. Of a request for several files what is
        missing is computed at once, and each result is kept by itself.

        Raises:
            BadStepInput: the step refused its input; trying again is pointless.
            StepFailed: the child crashed, timed out, raised, or handed back what its step cannot have made.
        """
        attributes = {"litegate.step": self.step.name, "litegate.label": self.label}
        with span(f"litegate.{self.step.name}", attributes) as noted:
            try:
                return self._run()
            finally:
                noted["litegate.computed"] = self.computed

    def _run(self) -> Any:
        with failing_when_full(self.step.name, self.settings.scratch), self._turns():
            if not self.step.cached:
                return persistently(partial(self._compute, self.request), self.settings.waits, self._killed)
            results = Results(self.step, self.request, self.keys(), self.workspace)
            results.look_up()
            with suppress(FileKilled):  # a failure like any other, once it has been tried often enough
                persistently(partial(results.complete, self._timed), self.settings.waits, self._killed)
            return results.joined()

    def find(self) -> Any | None:
        """The result of an earlier run with the same key, or None; none counts that is damaged or lacks a file."""
        found = self.find_each()
        return None if None in found else joined(self.step, found)

    def find_each(self) -> tuple[Any | None, ...]:
        """The same of each of the request's files, in their order; of a request for one thing that alone."""
        if not self.step.cached:
            return (None,)
        results = Results(self.step, self.request, self.keys(), self.workspace)
        return results.look_up()

    def key(self) -> str:
        """Digest of all that the result depends on."""
        keys = self.keys()
        return keys[0] if len(keys) == 1 else digest_json(keys)

    def keys(self) -> tuple[str, ...]:
        """The same of each of the request's files, in their order."""
        return result_keys(self.step, self.request, self.step.python(self.request, self.settings.pythons))

    def kill(self) -> None:
        """End the child and everything that it started, also if it is yet to be started."""
        self._killed.set()
        self.executor.kill()

    @contextmanager
    def _turns(self) -> Iterator[None]:
        """One for each result, in an order in which nobody waits for one who waits for him."""
        folder, limit = private_folder(self.settings.cache) / "turns", time_limit(self.step, self.request)
        with ExitStack() as stack:
            for key in sorted(set(self.keys())) if self.step.cached else ():
                stack.enter_context(turn(folder / f"{self.step.name}-{key}", self._killed, limit))
            yield

    def _timed(self, request: Record) -> Any:
        """One attempt, whose time is kept if it succeeds."""
        began = time.monotonic()
        result = self._compute(request)
        if self.label:
            took = Time(time.monotonic() - began, len(parts(self.step, request)))
            keep_time(self.workspace, self.step.name, self.label, took)
        return result

    def _compute(self, request: Record) -> Any:
        """One attempt."""
        self.computed = True
        if not self.step.resumes(request):
            return self._computed(request)
        with progress_folder(self.settings.cache, f"{self.step.name}-{self.key()}") as progress:
            return self._computed(request, progress)

    def _computed(self, request: Record, progress: Path | None = None) -> Any:
        places = self.settings
        private_folder(places.cache)
        files = fetch_files(request, self.workspace)
        with work_folder(self.step, places.scratch) as folder:
            with data_broker(self.step, request, folder, places.cache) as broker:
                ready = prepared(self.step, request, folder, files, places, progress)
                ending = self.executor.run(ready, partial(log.info, "%s"))
            check_ending(ending, ready, self._killed.is_set())
            seen = Seen("; ".join(ending.not_isolated) or "complete", broker)
            result = publish(self.step, request, folder, seen, places.scratch, self.workspace)
        return files_refined(result, ending) if self.step.each else result
