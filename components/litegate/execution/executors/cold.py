"""A new interpreter on this host for every step: slow to start, and with nothing left of any step before it."""

from __future__ import annotations

import threading

from typing_extensions import override

from litegate.execution.executor import PreparedStep
from litegate.execution.executors.host import HostExecutor
from litegate.execution.executors.process import Process
from litegate.execution.executors.started import StartedProcess

__all__ = ["ColdExecutor", "arguments_of", "started_cold"]


class ColdExecutor(HostExecutor):
    """Starts `python -m litegate.execution.sandbox` in the step's work folder."""

    @override
    def start(self, prepared: PreparedStep, given_up: threading.Event) -> Process:
        return started_cold(prepared)


def started_cold(prepared: PreparedStep) -> Process:
    """The process of a step, in a new interpreter."""
    command = [str(prepared.python), "-m", "litegate.execution.sandbox", *arguments_of(prepared)]
    return StartedProcess(command, prepared.environment, prepared.folder)


def arguments_of(prepared: PreparedStep) -> list[str]:
    """Those of `litegate.execution.sandbox`, but for the channel."""
    return [prepared.step.program, prepared.step.name, str(prepared.folder), str(prepared.cache)]
