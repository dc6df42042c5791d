"""A new interpreter on this host for every step: slow to start, and with nothing left of any step before it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from typing_extensions import override

from litegate.execution.executor import Ending, Executor, PreparedStep
from litegate.execution.executors.output import StepOutput
from litegate.execution.executors.process import ChildProcess
from litegate.processes import end_namespaces

__all__ = ["ColdExecutor"]


class ColdExecutor(Executor):
    """Starts `python -m litegate.execution.sandbox` in the step's work folder."""

    def __init__(self) -> None:
        self._process: ChildProcess | None = None
        self._grace = 0.0
        self._killed = threading.Event()

    @override
    def run(self, prepared: PreparedStep, say: Callable[[str], None]) -> Ending:
        output = StepOutput(prepared.step.name)
        process = ChildProcess(_command(prepared), prepared.environment, prepared.folder, output.hears, say)
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


def _command(prepared: PreparedStep) -> list[str]:
    program = [prepared.step.program, prepared.step.name, str(prepared.folder), str(prepared.cache)]
    return [str(prepared.python), "-m", "litegate.execution.sandbox", *program]
