"""What the executors of this host have in common: a process is started, followed to its end, and nothing is left."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace

from typing_extensions import override

from litegate.execution.executor import Ending, Executor, PreparedStep
from litegate.execution.executors.output import StepOutput
from litegate.execution.executors.process import ChildProcess, Process
from litegate.processes import end_namespaces

__all__ = ["HostExecutor"]


class HostExecutor(Executor):
    """Runs processes on this host; a subclass says how they are started."""

    def __init__(self) -> None:
        self._process: ChildProcess | None = None
        self._grace = 0.0
        self._killed = threading.Event()

    @abstractmethod
    def start(self, prepared: PreparedStep, given_up: threading.Event) -> Process:
        """Start the process of a step.

        Args:
            given_up: once it is set nobody waits for the process.
        """

    @override
    def run(self, prepared: PreparedStep, say: Callable[[str], None]) -> Ending:
        output = StepOutput(prepared.step.name)
        process = ChildProcess(self.start(prepared, self._killed), output.hears, say)
        self._process, self._grace = process, prepared.step.grace
        if self._killed.is_set():
            process.kill()
        try:
            ending = process.follow(prepared.seconds)
        finally:
            end_namespaces(output.namespaces)
        return replace(ending, not_isolated=output.not_isolated)

    @override
    def kill(self) -> None:
        self._killed.set()
        if self._process is not None:
            self._process.end(self._grace)
