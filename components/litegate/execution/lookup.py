"""Results of earlier runs: found by what they depend on, and believed only as far as they can be those of the step."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from litegate.errors import StepFailed
from litegate.execution.confinement import named
from litegate.execution.returned.claims import problems
from litegate.execution.step import Step, parts
from litegate.failures import Retry
from litegate.records import FileFailure, FileRef, Record
from litegate.storage.workspace import Workspace, result_name

__all__ = ["FileKilled", "Results", "joined", "look_up"]

log = logging.getLogger("litegate")


class FileKilled(StepFailed):
    """The process of a single file was ended from outside, and it alone is to be tried again."""


class Results:
    """The results that a request asks for: one, or those of its files; each has a key, and equal ones are one.

    Args:
        keys: of the request, or of each of its files in their order.
    """

    def __init__(self, step: Step, request: Record, keys: tuple[str, ...], workspace: Workspace) -> None:
        self._step, self._keys, self._workspace = step, keys, workspace
        self._requests = dict(zip(keys, parts(step, request), strict=True))
        self._found: dict[str, Any] = {}

    def look_up(self) -> tuple[Any | None, ...]:
        """What earlier runs have left of each, or None."""
        each = self._step.each or self._step
        found = {key: look_up(each, request, key, self._workspace) for key, request in self._requests.items()}
        self._found |= {key: result for key, result in found.items() if result is not None}
        return tuple(found[key] for key in self._keys)

    def complete(self, compute: Callable[[Any], Any]) -> None:
        """Have computed at once what is missing, and keep it for later runs; failures are not kept.

        Raises:
            FileKilled: the process of a file was ended from outside: once more, for what is still missing.
        """
        missing = {key: request for key, request in self._requests.items() if not self._is_final(key)}
        if not missing:
            return
        for key, result in zip(missing, self._computed(tuple(missing.values()), compute), strict=True):
            self._found[key] = result
            if not isinstance(result, FileFailure):
                self._workspace.keep_result(self._step.name, key, result.to_json())
        killed = [self._found[key] for key in missing if not self._is_final(key)]
        if killed:
            raise FileKilled(self._step.name, killed[0].kind, killed[0].message)

    def joined(self) -> Any:
        """The result of the whole request, once there is nothing missing."""
        return joined(self._step, tuple(self._found[key] for key in self._keys))

    def _is_final(self, key: str) -> bool:
        found = self._found.get(key)
        return found is not None and not (isinstance(found, FileFailure) and found.kind.retry is Retry.AT_ONCE)

    def _computed(self, requests: tuple[Any, ...], compute: Callable[[Any], Any]) -> tuple[Any, ...]:
        if self._step.each is None:
            return (compute(requests[0]),)
        whole: Any = self._step.request
        return tuple(compute(whole(files=requests)).files)


def joined(step: Step, results: tuple[Any, ...]) -> Any:
    """The result of a request from those of its files; of a request for one thing its own."""
    whole: Any = step.result
    return whole(files=results) if step.each else results[0]


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
