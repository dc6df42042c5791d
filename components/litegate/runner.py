"""The caller's side of the step contract: look the result up, else compute it in a child process."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import platform
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from litegate.digest import digest_file, digest_json
from litegate.errors import BadInput, StepFailed
from litegate.records import FileRef, Record
from litegate.settings import Settings
from litegate.steps import STEPS, Step
from litegate.store import Store

__all__ = ["BadStepInput", "StepRun"]

log = logging.getLogger("litegate")

# TensorFlow says so at every start, whatever it is told.
_NOISE = re.compile(r"^I0000 |cuda_platform\.cc|cudart_stub|All log messages before absl|XNNPACK delegate for CPU")
_SIGNALS = {signal.SIGSEGV: "segfault", signal.SIGABRT: "abort", signal.SIGKILL: "killed"}


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
        self._process: subprocess.Popen[str] | None = None
        self._tail: deque[str] = deque(maxlen=20)
        self._timed_out = False

    def run(self) -> Any:
        """The step's result record, found or computed.

        Raises:
            BadStepInput: the step refused its input; trying again is pointless.
            StepFailed: the child crashed, timed out or raised.
        """
        key = self.key()
        found = self.store.result(self.step.name, key) if self.step.cached else None
        if found is not None:
            log.info("%s: found the result of an earlier run: %.1000s", self.step.name, json.dumps(found))
            return self.step.result.model_validate(found)
        result = self._compute()
        if self.step.cached:
            self.store.keep_result(self.step.name, key, result.to_json())
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
        """End the child and everything that it started."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _compute(self) -> Any:
        for ref in _file_refs(self.request):
            self.store.fetch(ref)
        self.settings.scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{self.step.name}-", dir=self.settings.scratch))
        try:
            (folder / "request.json").write_text(self.request.model_dump_json())
            code = self._run_child(folder)
            self._raise_failure(code, folder)
            for path in (folder / "outputs").glob("*"):
                self.store.keep_file(path, path.name)
            return self.step.result.model_validate_json((folder / "result.json").read_text())
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _run_child(self, folder: Path) -> int:
        command = [str(self.settings.pythons[self.step.environment]), "-m", "litegate.steps.child"]
        process = subprocess.Popen(
            [*command, self.step.name, str(folder), str(self.settings.cache)],
            cwd=folder,
            env=_child_environment(self.step, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._process = process
        watchdog = threading.Timer(self.step.timeout, self._time_out)
        watchdog.start()
        try:
            assert process.stdout is not None
            with process.stdout as lines:
                for line in lines:
                    if not _NOISE.search(line):
                        self._tail.append(line.rstrip())
                        log.info("%s", line.rstrip())
            return process.wait()
        finally:
            watchdog.cancel()
            self.kill()
            process.wait()

    def _time_out(self) -> None:
        self._timed_out = True
        self.kill()

    def _raise_failure(self, code: int, folder: Path) -> None:
        error = _read_json(folder / "error.json")
        if code == BadInput.exit_code and error:
            raise BadStepInput(error["message"])
        tail = "\n".join(self._tail)[-2000:]
        if self._timed_out:
            raise StepFailed(self.step.name, "timeout", f"no result after {self.step.timeout:g} s; last said: {tail}")
        if code < 0:
            kind = _SIGNALS.get(signal.Signals(-code), "signal")
            raise StepFailed(self.step.name, kind, f"{signal.Signals(-code).name}; last said: {tail}")
        if code != 0:
            kind, detail = (error["kind"], error["message"]) if error else ("python_error", tail)
            raise StepFailed(self.step.name, kind, detail)
        if not (folder / "result.json").exists():
            raise StepFailed(self.step.name, "no_result", f"exit code 0 without a result; last said: {tail}")


def _read_json(path: Path) -> Any | None:
    return json.loads(path.read_text()) if path.exists() else None


def _file_refs(value: object) -> Iterator[FileRef]:
    """Every file that a record names, at any depth."""
    if isinstance(value, FileRef):
        yield value
    elif isinstance(value, Record):
        for name in type(value).model_fields:
            yield from _file_refs(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _file_refs(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _file_refs(item)


def _child_environment(step: Step, folder: Path) -> dict[str, str]:
    """The parent's environment without the secrets that this step does not need."""
    private = ["AIRFLOW", "_AIRFLOW"]
    private += [] if step.tracking else ["MLFLOW_"]
    private += [] if step.storage else ["AWS_"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(tuple(private))}
    if not step.storage:
        environment["HOME"] = str(folder)
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "2", "CUDA_VISIBLE_DEVICES": "-1", "PYTHONUNBUFFERED": "1"}
    return environment | quiet | {"TMPDIR": str(folder), "KERAS_HOME": str(folder)}


@cache
def _code_digest() -> str:
    """Digest of our own source, without the parts that no result depends on."""
    root = Path(__file__).parent
    sources = sorted(path for path in root.rglob("*.py") if path.parent.name not in ("cli", "stack"))
    return digest_json([[path.relative_to(root).as_posix(), digest_file(path)] for path in sources])


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
