"""Results of earlier runs: found by what they depend on, and believed only as far as they can be those of the step."""

from __future__ import annotations

import logging
from typing import Any

from litegate.execution.confinement import named
from litegate.execution.returned.claims import problems
from litegate.execution.step import Step
from litegate.records import FileRef, Record
from litegate.storage.workspace import Workspace, result_name

__all__ = ["keep", "look_up"]

log = logging.getLogger("litegate")


def look_up(step: Step, request: Record, key: str, workspace: Workspace) -> Any | None:
    """The result of an earlier run with the same key, or None; none counts that is damaged or lacks a file."""
    stored = workspace.result(step.name, key)
    if stored is None:
        return None
    result = _valid(step, request, stored)
    if result is None:
        _forget(step, key, workspace, "an earlier run's result is not one for this request")
        return None
    if not workspace.use_result(step.name, key, set(named(result, FileRef))):
        _forget(step, key, workspace, "files of an earlier run's result are gone")
        return None
    log.info("%s: found the result of an earlier run: %s", step.name, result_name(step.name, key))
    return result


def keep(step: Step, result: Record, key: str, workspace: Workspace) -> None:
    """Store a result for later runs with the same key."""
    workspace.keep_result(step.name, key, result.to_json())


def _forget(step: Step, key: str, workspace: Workspace, why: str) -> None:
    log.warning("%s: %s: it is computed again", step.name, why)
    workspace.forget_result(step.name, key)


def _valid(step: Step, request: Record, stored: Any) -> Any | None:
    """A stored result as a record, if it can be that of the request; one that was asked for anew cannot."""
    try:
        result = step.result.model_validate(stored)
    except ValueError:
        return None
    return None if any(problems(step.name, request, result)) else result
