"""Runs that are under way: the one to join, and those to wait for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from litegate.cli.progress import AWAITING_INPUT, Progress
from litegate.errors import BadInput, LitegateError
from litegate.pipeline.tasks import task_of
from litegate.stack.airflow_api import AirflowApi, RunId

if TYPE_CHECKING:  # most runs begin where none is under way, and do so before records and steps are loaded
    from litegate.records import Overrides, Resolved
    from litegate.spec import Spec
    from litegate.stack import Home, Stack

__all__ = ["UnderWay", "look", "pinned", "wait_for"]

_ENDED = ("success", "failed")


def pinned(home: Home, stack: Stack, spec: Spec, path: Path, overrides: Overrides | None = None) -> Resolved | None:
    """The inputs of a spec as they are now, pinned as a run of its DAG would pin them; None if that cannot be told.

    Args:
        overrides: how the spec differs from its file, if it does.

    Raises:
        BadInput: one of them is missing, or cannot be used.
    """
    from litegate.cli.tracking import using_workspace
    from litegate.execution.step_run import StepRun
    from litegate.records import ResolveRequest
    from litegate.settings import settings
    from litegate.steps import STEPS

    request = ResolveRequest(spec=spec, folder=str(path.resolve().parent), overrides=overrides)
    try:
        with using_workspace(home, stack):
            found: Resolved = StepRun(STEPS["resolve"], request, settings()).run()
    except BadInput:
        raise
    except LitegateError as error:
        print(f"the inputs as they are now cannot be compared: {error}", file=sys.stderr)
        return None
    return found


@dataclass(frozen=True)
class UnderWay:
    """What is under way in a DAG.

    Attributes:
        same: the run that answers what a new one would be asked.
        busy: where there is none, a run to wait for: two runs of one model follow each other.
    """

    same: RunId | None = None
    busy: RunId | None = None


def look(airflow: AirflowApi, dag: str, now: Callable[[], Resolved | None]) -> UnderWay:
    """Look for a run with the same spec and the same bytes of model, data and code, whoever began it.

    One that waits for a person may be the same, and keeps nobody waiting.

    Args:
        now: gives the inputs as they are now; called only where a run is under way.
    """
    found = airflow.under_way(dag)
    if found:
        airflow.unpause(dag)
    same = next((run for run in found if _is_same(airflow, run, now)), None)
    if same is not None:
        return UnderWay(same=same)
    return UnderWay(busy=next((run for run in found if not _idle(airflow, run)), None))


def wait_for(airflow: AirflowApi, run: RunId) -> None:
    """Wait until a run has ended, or waits for a person."""
    with Progress(f"waiting for {run.run} of {run.dag}, which began with other inputs, to end"):
        while not _idle(airflow, run):
            time.sleep(1)


def _is_same(airflow: AirflowApi, run: RunId, now: Callable[[], Resolved | None]) -> bool:
    with Progress(f"{run.run} of {run.dag} is under way: comparing its inputs with those of now"):
        begun = _begun_with(airflow, run)
        return begun is not None and begun == now()


def _begun_with(airflow: AirflowApi, run: RunId) -> Resolved | None:
    """What a run has pinned, once it has; None if it never will.

    The event that began it is no part of what it answers, nor whether it measures latencies anew.
    """
    from litegate.records import Resolved

    while (value := airflow.xcom(run, task_of("resolve").id, "resolved")) is None:
        if airflow.state(run) in _ENDED:
            return None
        time.sleep(0.5)
    try:
        return Resolved.model_validate(value).model_copy(update={"trigger": None, "remeasure": ""})
    except ValueError:  # another version of litegate began it
        return None


def _idle(airflow: AirflowApi, run: RunId) -> bool:
    """Whether a run has ended, or waits for a person, which may take days."""
    if airflow.state(run) in _ENDED:
        return True
    return any(task.state == AWAITING_INPUT for task in airflow.tasks(run))
