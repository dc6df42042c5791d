"""A fork of a process that has loaded the step's libraries already, where such a warm parent is to be had."""

from __future__ import annotations

import logging
import threading
from functools import cache
from pathlib import Path

from typing_extensions import override

from litegate.execution.executor import PreparedStep
from litegate.execution.executors.cold import started_cold
from litegate.execution.executors.forked import NoFork, forked
from litegate.execution.executors.host import HostExecutor
from litegate.execution.executors.process import Process

__all__ = ["WarmExecutor"]

log = logging.getLogger("litegate")


class WarmExecutor(HostExecutor):
    """Asks the warm parent of the step's interpreter for a process, and starts a new interpreter if it gets none.

    Training is always started anew: it may use a GPU, which no fork can.

    Args:
        folder: where warm parents listen.
        expected: whether it is to be said if there is none.
    """

    def __init__(self, folder: Path | None, expected: bool) -> None:
        super().__init__()
        self._folder, self._expected = folder, expected

    @override
    def start(self, prepared: PreparedStep, given_up: threading.Event) -> Process:
        process = None if prepared.step.storage else self._forked(prepared, given_up)
        return started_cold(prepared) if process is None else process

    def _forked(self, prepared: PreparedStep, given_up: threading.Event) -> Process | None:
        try:
            process = None if self._folder is None else forked(self._folder, prepared, given_up)
        except NoFork as error:
            _say(f"no warm start of {prepared.python}: {error}")
            return None
        if process is None and self._expected:
            _say(f"no warm start of {prepared.python}: there is no warm parent in {self._folder}")
        return process


@cache
def _say(why: str) -> None:
    """Once for each reason."""
    log.warning("%s; steps start cold", why)
