"""Where and how the processes of steps run. A module for each way, with a class that is an `Executor`, and a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from litegate.errors import BadInput
from litegate.execution.executor import Executor
from litegate.execution.executors.cold import ColdExecutor

__all__ = ["EXECUTORS", "new_executor"]

EXECUTORS: Mapping[str, Callable[[], Executor]] = MappingProxyType({"cold": ColdExecutor})
"""By the name in `LITEGATE_EXECUTOR`; each `StepRun` has one of its own."""


def new_executor(name: str) -> Executor:
    """An executor for one `StepRun`.

    Raises:
        BadInput: there is none of this name.
    """
    if name not in EXECUTORS:
        raise BadInput("LITEGATE_EXECUTOR", f"one of {', '.join(EXECUTORS)}", repr(name))
    return EXECUTORS[name]()
