"""Where and how the processes of steps run. A module for each way, with a class that is an `Executor`, and a row.

One that needs what the library may not import, as Airflow, is named by an entry point of the group `litegate.executors`
and takes the settings; it is loaded where the settings name it, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from litegate.errors import BadInput
from litegate.execution.executor import Executor
from litegate.execution.executors.cold import ColdExecutor
from litegate.execution.executors.warm import WarmExecutor
from litegate.settings import Settings

__all__ = ["EXECUTORS", "new_executor"]

_GROUP = "litegate.executors"

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
        BadInput: there is none of the name in the settings, or what it needs is not installed.
    """
    if places.executor in EXECUTORS:
        return EXECUTORS[places.executor](places)
    found = {each.name: each for each in entry_points(group=_GROUP)}
    if places.executor not in found:
        raise BadInput("LITEGATE_EXECUTOR", f"one of {', '.join([*EXECUTORS, *found])}", repr(places.executor))
    return _loaded(found[places.executor])(places)


def _loaded(entry: EntryPoint) -> Callable[[Settings], Executor]:
    try:
        made: Callable[[Settings], Executor] = entry.load()
    except ModuleNotFoundError as error:
        needed = f"what the executor {entry.name} needs, as `litegate[kubernetes]` brings it for pods"
        raise BadInput("LITEGATE_EXECUTOR", needed, f"no module {error.name}") from None
    return made
