"""Results of earlier runs: found by what they depend on, and believed only as far as they can be those of the step."""

from __future__ import annotations

import logging
from typing import Any

from litegate.execution.confinement import named
from litegate.execution.returned.claims import problems
from litegate.execution.step import Step
from litegate.records import FileRef, Record
from litegate.storage.workspace import Store, result_name

__all__ = ["keep", "look_up"]

log = logging.getLogger("litegate")


def look_up(step: Step, request: Record, key: str, store: Store) -> Any | None:
    """The result of an earlier run with the same key, or None; none counts that is damaged or lacks a file."""
    stored = store.result(step.name, key)
    if stored is None:
        return None
    result = _valid(step, request, stored)
    if result is None:
        _forget(step, key, store, "an earlier run's result cannot be that of this step")
        return None
    if not store.use_result(step.name, key, set(named(result, FileRef))):
        _forget(step, key, store, "files of an earlier run's result are gone")
        return None
    log.info("%s: found the result of an earlier run: %s", step.name, result_name(step.name, key))
    return result


def keep(step: Step, result: Record, key: str, store: Store) -> None:
    """Store a result for later runs with the same key."""
    store.keep_result(step.name, key, result.to_json())


def _forget(step: Step, key: str, store: Store, why: str) -> None:
    log.warning("%s: %s: it is computed again", step.name, why)
    store.forget_result(step.name, key)


def _valid(step: Step, request: Record, stored: Any) -> Any | None:
    """A stored result as a record, if it can be that of the request."""
    try:
        result = step.result.model_validate(stored)
    except ValueError:
        return None
    return None if any(problems(step.name, request, result)) else result
