"""Where and how the processes of steps run. A module for each way, with a class that is an `Executor`, and a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from litegate.errors import BadInput
from litegate.execution.executor import Executor
from litegate.execution.executors.cold import ColdExecutor
from litegate.execution.executors.warm import WarmExecutor
from litegate.settings import Settings

__all__ = ["EXECUTORS", "new_executor"]

EXECUTORS: Mapping[str, Callable[[Settings], Executor]] = MappingProxyType(
    {
        "auto": lambda places: WarmExecutor(places.warm, expected=False),
        "cold": lambda _: ColdExecutor(),
        "warm": lambda places: WarmExecutor(places.warm, expected=True),
    }
)
"""By the name in `LITEGATE_EXECUTOR`; each `StepRun` has one of its own. `auto` is warm where there is a parent."""


def new_executor(places: Settings) -> Executor:
    """An executor for one `StepRun`.

    Raises:
        BadInput: there is none of the name in the settings.
    """
    if places.executor not in EXECUTORS:
        raise BadInput("LITEGATE_EXECUTOR", f"one of {', '.join(EXECUTORS)}", repr(places.executor))
    return EXECUTORS[places.executor](places)
