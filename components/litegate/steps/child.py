"""The child's side of the step contract, after `litegate.execution.sandbox` has confined the process.

Reads FOLDER/request.json, writes FOLDER/result.json whole. Exit code 0: done; 2: bad input; anything else: a
crash, which the parent classifies. FOLDER/error.json says what went wrong, if Python could still say it: a kind of
`FailureKind`, and a message, or for bad input `where`, `expected` and `got`.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import signal
import sys
import traceback
from pathlib import Path

from litegate.diagnosis import exhausted, kind_of, message_of
from litegate.errors import BadInput, StepFailed
from litegate.failures import FailureKind
from litegate.steps import STEPS
from litegate.work.step_work import Work

__all__ = ["run_step"]


def run_step(name: str, folder: Path, cache: Path, not_isolated: tuple[str, ...] = ()) -> int:
    """Run one step as described above and return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    step = STEPS[name]
    if step.grace:
        signal.signal(signal.SIGTERM, _end)
    request = step.request.model_validate_json((folder / "request.json").read_text())
    try:
        result = importlib.import_module(f"litegate.steps.{name}").run(request, Work(folder, cache, not_isolated))
        _write(folder / "result.json", result.to_json())
    except Exception as error:
        return _report(error, folder)
    gc.collect()  # semaphores and the like are given back as their owners are collected
    return 0


def _end(number: int, _: object) -> None:
    """Unwind, so that what was begun elsewhere is ended; once is enough."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(128 + number)


def _report(error: Exception, folder: Path) -> int:
    """Describe what went wrong in error.json."""
    resource = exhausted(error)
    if resource is None and not isinstance(error, BadInput | StepFailed):
        traceback.print_exception(error)
    kind = resource or kind_of(error)
    _write(folder / "error.json", {"kind": kind} | _described(kind, error))
    return BadInput.exit_code if kind is FailureKind.BAD_INPUT else 1


def _described(kind: FailureKind, error: Exception) -> dict[str, str]:
    if kind is FailureKind.BAD_INPUT and isinstance(error, BadInput):
        return {"where": error.where, "expected": error.expected, "got": error.got}
    if kind is FailureKind.OUT_OF_MEMORY and not isinstance(error, StepFailed):
        return {"message": str(error) or type(error).__name__}
    return {"message": message_of(error)}


def _write(path: Path, value: object) -> None:
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, allow_nan=False))
    temporary.replace(path)
