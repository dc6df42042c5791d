"""The caller's side of the step contract: look the result up, else compute it in a child process."""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from litegate.disk import failing_when_full
from litegate.errors import BadInput, StepFailed
from litegate.execution.confinement import (
    child_environment,
    confinement,
    listed_uris,
    manifests,
    named,
    objects_folder,
    time_limit,
)
from litegate.execution.endings import last_words, refined, signal_kind
from litegate.execution.leftovers import remove
from litegate.execution.process import ChildProcess, Ending
from litegate.execution.result_key import result_key
from litegate.execution.retries import persistently
from litegate.execution.returned.claims import problems
from litegate.execution.returned.files import take_files
from litegate.execution.returned.reading import BadStepInput, Forged, described_error, read_result
from litegate.execution.returned.snapshots import Seen, contradictions
from litegate.execution.sandbox import REPORT
from litegate.execution.step import Step
from litegate.failures import CRASHES, FailureKind
from litegate.processes import end_namespaces
from litegate.records import FileRef, Record
from litegate.settings import Settings
from litegate.storage.copies import private_folder
from litegate.storage.scratch import held
from litegate.storage.use import use_local
from litegate.storage.workspace import Workspace, result_name
from litegate.work.broker import Broker

__all__ = ["BadStepInput", "StepRun"]

log = logging.getLogger("litegate")

# TensorFlow says so at every start, whatever it is told.
_NOISE = re.compile(r"^I0000 |cuda_platform\.cc|cudart_stub|All log messages before absl|XNNPACK delegate for CPU")


class StepRun:
    """One execution of a step. `run` does it, `kill` (from another thread) ends it."""

    def __init__(self, step: Step, request: Record, settings: Settings) -> None:
        self.step = step
        self.request, self.settings = request, settings
        self.workspace = Workspace(settings.workspace, settings.cache)
        self._process: ChildProcess | None = None
        self._killed = threading.Event()
        self._isolation: list[str] | None = None
        self._namespaces: list[str] = []

    def run(self) -> Any:
        """The step's result record, found or computed; a child that is ended from outside is started again.

        Raises:
            BadStepInput: the step refused its input; trying again is pointless.
            StepFailed: the child crashed, timed out, raised, or handed back what its step cannot have made.
        """
        with failing_when_full(self.step.name, self.settings.scratch):
            return self._run()

    def _run(self) -> Any:
        found = self.find()
        if found is not None:
            return found
        result = persistently(self._compute, self.settings.waits, self._killed)
        if self.step.cached:
            self.workspace.keep_result(self.step.name, self.key(), result.to_json())
        return result

    def find(self) -> Any | None:
        """The result of an earlier run with the same key, or None; none counts that is damaged or lacks a file."""
        if not self.step.cached:
            return None
        key = self.key()
        stored = self.workspace.result(self.step.name, key)
        if stored is None:
            return None
        result = self._valid(stored)
        if result is None:
            log.warning("%s: an earlier run's result cannot be that of this step: it is computed again", self.step.name)
            self.workspace.forget_result(self.step.name, key)
            return None
        if not self.workspace.use_result(self.step.name, key, set(named(result, FileRef))):
            log.warning("%s: files of an earlier run's result are gone: it is computed again", self.step.name)
            self.workspace.forget_result(self.step.name, key)
            return None
        log.info("%s: found the result of an earlier run: %s", self.step.name, result_name(self.step.name, key))
        return result

    def key(self) -> str:
        """Digest of all that the result depends on: request, code, tools, processor and host."""
        return result_key(self.step.name, self.request, self.settings.pythons[self.step.environment])

    def kill(self) -> None:
        """End the child and everything that it started, also if it is yet to be started."""
        self._killed.set()
        if self._process is not None:
            self._process.end(self.step.grace)

    def _compute(self) -> Any:
        private_folder(self.settings.cache)
        for ref in set(named(self.request, FileRef)):
            self.workspace.fetch(ref)
        self._isolation = None
        with self._folder() as folder:
            (folder / "request.json").write_text(self.request.model_dump_json())
            with self._broker(folder) as broker:
                confinement(self.step, self.request, folder, self.settings).save(folder / "confinement.json")
                ending = self._run_child(folder)
            self._raise_failure(ending, folder)
            try:
                return self._result(folder, Seen("; ".join(self._isolation or ()) or "complete", broker))
            except Forged as error:
                raise StepFailed(self.step.name, FailureKind.FORGED_RESULT, str(error)[:2000]) from None

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A folder in the scratch space, removed in the end with whatever is in it then."""
        scratch = private_folder(self.settings.scratch)
        folder = Path(tempfile.mkdtemp(prefix=f"{self.step.name}-", dir=scratch))
        with held(folder):  # until it is gone: a start removes what nobody holds
            try:
                yield folder
            finally:
                remove(folder)

    def _broker(self, folder: Path) -> AbstractContextManager[Broker | None]:
        """What serves the child with data, if it is to have any and cannot get it by itself."""
        uris, files = listed_uris(self.request), manifests(self.request, self.settings.cache)
        if not self.step.confined or not (uris or files):
            return nullcontext()
        objects = objects_folder(self.request, self.settings.cache)
        objects.mkdir(parents=True, exist_ok=True)
        use_local(objects)
        return Broker(folder, self.settings.cache, objects, uris, files)

    def _run_child(self, folder: Path) -> Ending:
        command = [str(self.settings.pythons[self.step.environment]), "-m", "litegate.execution.sandbox"]
        command += [self.step.program, self.step.name, str(folder), str(self.settings.cache)]
        environment, limit = child_environment(self.step, folder), time_limit(self.step, self.request)
        process = ChildProcess(command, environment, folder, self._hears, partial(log.info, "%s"))
        self._process = process
        if self._killed.is_set():
            process.kill()
        try:
            return process.follow(limit)
        finally:
            end_namespaces(self._namespaces)

    def _hears(self, line: str) -> bool:
        """Whether a line of the child's says something to its reader; the first one is for us."""
        if self._isolation is None and line.startswith(REPORT):
            report = json.loads(line.removeprefix(REPORT))
            self._namespaces, self._isolation = report["namespaces"], report["missing"]
            if report["missing"]:
                log.warning("%s: not isolated as it should be: %s", self.step.name, "; ".join(report["missing"]))
            return False
        return not _NOISE.search(line)

    def _raise_failure(self, ending: Ending, folder: Path) -> None:
        if ending.timed_out:
            detail = f"no result after {time_limit(self.step, self.request):g} s"
            raise self._failed(FailureKind.TIMEOUT, detail, ending)
        if ending.exceeded is not None:
            raise self._failed(*ending.exceeded, ending)
        if ending.code < 0:
            kind, detail = signal_kind(ending)
            if self._killed.is_set():
                kind, detail = FailureKind.INTERRUPTED, "ended with its task"
            raise self._failed(kind, detail, ending)
        error = described_error(folder)
        if ending.code == BadInput.exit_code and error and error.bad_input:
            raise error.bad_input
        if ending.code != 0:
            kind, detail = error[:2] if error else last_words(ending)
            if error and kind not in CRASHES:
                raise StepFailed(self.step.name, kind, detail)
            raise self._failed(refined(kind, ending), detail, ending)
        if not os.path.lexists(folder / "result.json"):
            raise self._failed(FailureKind.NO_RESULT, "exit code 0 without a result", ending)

    def _failed(self, kind: FailureKind, detail: str, ending: Ending) -> StepFailed:
        return StepFailed(self.step.name, kind, f"{detail}; last said: {ending.said}" if ending.said else detail)

    def _result(self, folder: Path, seen: Seen) -> Any:
        """What the child hands back, once everything about it is known to hold; its files are published then.

        Raises:
            Forged: something does not.
        """
        result = read_result(folder, self.step.result, our_own=self.step.tracking)
        name = self.step.name
        problem = next(chain(problems(name, self.request, result), contradictions(name, result, seen)), None)
        if problem is not None:
            raise Forged(problem)
        with self._folder() as staging:
            take_files(self.request, result, folder / "outputs", staging, self.workspace)
        return result

    def _valid(self, stored: Any) -> Any | None:
        """A stored result as a record, if it can be that of the request."""
        try:
            result = self.step.result.model_validate(stored)
        except ValueError:
            return None
        return None if any(problems(self.step.name, self.request, result)) else result
