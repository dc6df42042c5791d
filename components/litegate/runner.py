"""The caller's side of the step contract: look the result up, else compute it in a child process."""

from __future__ import annotations

import json
import logging
import platform
import re
import shutil
import tempfile
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache, partial
from pathlib import Path
from typing import Any

from litegate.broker import Broker
from litegate.confinement import (
    child_environment,
    confinement,
    listed_uris,
    manifests,
    named,
    objects_folder,
    time_limit,
)
from litegate.deaths import CRASHES, last_words, refined, signal_kind
from litegate.digest import digest_file, digest_json
from litegate.disk import failing_when_full
from litegate.errors import BadInput, StepFailed
from litegate.process import ChildProcess, Ending, kill_network
from litegate.records import FileRef, Record
from litegate.sandbox import REPORT
from litegate.scratch import held
from litegate.settings import Settings
from litegate.steps import STEPS, Step
from litegate.store import Store, result_name
from litegate.use import use_local
from litegate.work import is_plain_file, read_json

__all__ = ["BadStepInput", "StepRun"]

log = logging.getLogger("litegate")

# Of our own packages: who calls steps, and has no part in what they find.
_CALLERS = ("cli", "stack")
# TensorFlow says so at every start, whatever it is told.
_NOISE = re.compile(r"^I0000 |cuda_platform\.cc|cudart_stub|All log messages before absl|XNNPACK delegate for CPU")


class BadStepInput(BadInput):
    """A step refused its input; the message is the step's own."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "", "")

    def __str__(self) -> str:
        return self.where


class StepRun:
    """One execution of a step. `run` does it, `kill` (from another thread) ends it."""

    def __init__(self, name: str, request: Record, settings: Settings) -> None:
        self.step: Step = STEPS[name]
        self.request, self.settings = request, settings
        self.store = Store(settings.workspace, settings.cache)
        self._process: ChildProcess | None = None
        self._killed = False
        self._isolation: list[str] | None = None
        self._network = ""

    def run(self) -> Any:
        """The step's result record, found or computed.

        Raises:
            BadStepInput: the step refused its input; trying again is pointless.
            StepFailed: the child crashed, timed out or raised.
        """
        with failing_when_full(self.step.name, self.settings.scratch), ExitStack() as self._folders:
            return self._run()

    def _run(self) -> Any:
        found = self.find()
        if found is not None:
            return found
        result = self._compute()
        if self.step.cached:
            self.store.keep_result(self.step.name, self.key(), result.to_json())
        return result

    def find(self) -> Any | None:
        """The result of an earlier run with the same key, or None; one whose files are gone counts as none."""
        if not self.step.cached:
            return None
        key = self.key()
        stored = self.store.result(self.step.name, key)
        if stored is None:
            return None
        result = self.step.result.model_validate(stored)
        if not self.store.use_result(self.step.name, key, set(named(result, FileRef))):
            log.warning("%s: files of an earlier run's result are gone: it is computed again", self.step.name)
            self.store.forget_result(self.step.name, key)
            return None
        log.info("%s: found the result of an earlier run: %s", self.step.name, result_name(self.step.name, key))
        return result

    def key(self) -> str:
        """Digest of all that the result depends on: request, code, tools, processor and host."""
        python = self.settings.pythons[self.step.environment]
        return digest_json(
            {
                "step": self.step.name,
                "request": self.request.to_json(),
                "code": _code_digest(),
                "tools": _installed(python),
                "host": _host(),
            }
        )

    def kill(self) -> None:
        """End the child and everything that it started, also if it is yet to be started."""
        self._killed = True
        if self._process is not None:
            self._process.kill()

    def _compute(self) -> Any:
        for ref in set(named(self.request, FileRef)):
            self.store.fetch(ref)
        self.settings.scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{self.step.name}-", dir=self.settings.scratch))
        self._folders.enter_context(held(folder))
        try:
            (folder / "request.json").write_text(self.request.model_dump_json())
            with self._broker(folder):
                confinement(self.step, self.request, folder, self.settings).save(folder / "confinement.json")
                ending = self._run_child(folder)
            self._raise_failure(ending, folder)
            return self._result(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _broker(self, folder: Path) -> AbstractContextManager[object]:
        """What serves the child with data, if it is to have any and cannot get it by itself."""
        uris, files = listed_uris(self.request), manifests(self.request, self.settings.cache)
        if not self.step.confined or not (uris or files):
            return nullcontext()
        objects = objects_folder(self.request, self.settings.cache)
        objects.mkdir(parents=True, exist_ok=True)
        use_local(objects)
        return Broker(folder, self.settings.cache, objects, uris, files)

    def _run_child(self, folder: Path) -> Ending:
        command = [str(self.settings.pythons[self.step.environment]), "-m", "litegate.sandbox"]
        command += [self.step.name, str(folder), str(self.settings.cache)]
        environment, limit = child_environment(self.step, folder), time_limit(self.step, self.request)
        process = ChildProcess(command, environment, folder, self._hears, partial(log.info, "%s"))
        self._process = process
        if self._killed:
            process.kill()
        try:
            return process.follow(limit)
        finally:
            kill_network(self._network)

    def _hears(self, line: str) -> bool:
        """Whether a line of the child's says something to its reader; the first one is for us."""
        if self._isolation is None and line.startswith(REPORT):
            report = json.loads(line.removeprefix(REPORT))
            self._network, self._isolation = report["network"], report["missing"]
            if report["missing"]:
                log.warning("%s: not isolated as it should be: %s", self.step.name, "; ".join(report["missing"]))
            return False
        return not _NOISE.search(line)

    def _raise_failure(self, ending: Ending, folder: Path) -> None:
        if ending.timed_out:
            detail = f"no result after {time_limit(self.step, self.request):g} s"
            raise self._failed("timeout", detail, ending)
        if ending.code < 0:
            kind, detail = signal_kind(ending)
            raise self._failed(kind, detail, ending)
        error = _described(folder)
        if ending.code == BadInput.exit_code and error:
            raise BadStepInput(error[1])
        if ending.code != 0:
            kind, detail = error or last_words(ending)
            if error and kind not in CRASHES:
                raise StepFailed(self.step.name, kind, detail)
            raise self._failed(refined(kind, ending), detail, ending)
        if not (folder / "result.json").exists():
            raise self._failed("no_result", "exit code 0 without a result", ending)

    def _failed(self, kind: str, detail: str, ending: Ending) -> StepFailed:
        return StepFailed(self.step.name, kind, f"{detail}; last said: {ending.said}" if ending.said else detail)

    def _result(self, folder: Path) -> Any:
        try:
            result = self.step.result.model_validate(read_json(folder / "result.json"))
        except ValueError as error:
            raise StepFailed(self.step.name, "no_result", f"a result that is none: {error}"[:2000]) from None
        outputs = folder / "outputs"
        for path in () if outputs.is_symlink() else outputs.glob("*"):
            if is_plain_file(path):
                self.store.keep_file(path, path.name)
        return result


def _described(folder: Path) -> tuple[str, str] | None:
    """Kind and message of the error that a child has described."""
    error = read_json(folder / "error.json")
    if not isinstance(error, dict):
        return None
    return str(error.get("kind", "python_error")), str(error.get("message", ""))[:20_000]


@cache
def _code_digest() -> str:
    """Digest of our own source, without the parts that no result depends on."""
    root = Path(__file__).parent
    sources = sorted(path.relative_to(root) for path in root.rglob("*.py"))
    return digest_json(
        [[path.as_posix(), digest_file(root / path)] for path in sources if path.parts[0] not in _CALLERS]
    )


@cache
def _installed(python: Path) -> str:
    """Digest of the distributions that are installed beside an interpreter, with their versions."""
    folders = python.parent.parent.glob("lib/python*/site-packages/*.dist-info")
    return digest_json(sorted(folder.name for folder in folders))


@cache
def _host() -> list[str]:
    """The processor's features, which decide the converter's bytes and the kernels, and the host's name."""
    text = Path("/proc/cpuinfo").read_text(errors="replace")
    lines = {line for line in text.splitlines() if line.startswith(("model name", "flags", "Features"))}
    return [platform.machine(), platform.node(), digest_json(sorted(lines))]
