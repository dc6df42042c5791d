"""`litegate run` and `litegate demo`."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from litegate.bell import bell_in, ring
from litegate.cli.attempt import Attempt, reported
from litegate.cli.dags import check_local_inputs, check_required, new_run, offer_spec, read_failures, wait_for_dag
from litegate.cli.following import act, follow_attempt
from litegate.cli.outcome import Outcome, outcome_of
from litegate.cli.serving import served
from litegate.cli.under_way import look, pinned, wait_for
from litegate.errors import NoAnswer, StackError
from litegate.records import Resolved
from litegate.spec import Spec, load_spec
from litegate.stack import Home, Stack
from litegate.stack.airflow_api import AirflowApi, RunId

__all__ = ["demo", "run"]

_DEMO = "digits"
_EVENT_LIMIT = 60


def run(home: Home, path: Path, target: Path | None, remeasure: bool = False, required: Sequence[str] = ()) -> int:
    """Quantize, gate and promote the model of a spec file; returns the exit code.

    Args:
        remeasure: measure latencies anew; no run that is under way is then joined.
        required: variants that have to pass, and decide the exit code.
    """
    attempt = Attempt(home, required=tuple(required))

    def work() -> Outcome:
        spec = load_spec(path)
        attempt.model = spec.model.name
        check_required(spec, required)
        check_local_inputs(spec)
        with served(attempt) as (airflow, stack):
            _join_or_begin(attempt, airflow, stack, spec, path, remeasure)
            return act(attempt, airflow, stack)

    return reported(work, attempt, target)


def demo(home: Home, target: Path | None) -> int:
    """Train the digits example and follow the quantize run that this starts; returns the exit code."""
    attempt = Attempt(home, _DEMO)

    def work() -> Outcome:
        with served(attempt) as (airflow, stack):
            with _alone(home, _DEMO):
                failure = _train(attempt, airflow, stack)
            return failure or act(attempt, airflow, stack)

    return reported(work, attempt, target)


def _join_or_begin(
    attempt: Attempt, airflow: AirflowApi, stack: Stack, spec: Spec, path: Path, remeasure: bool
) -> None:
    dag, pin = f"quantize__{spec.model.name}", cache(partial(pinned, attempt.home, stack, spec, path))

    def now() -> Resolved | None:
        return None if remeasure else pin()

    while True:
        with _alone(attempt.home, spec.model.name):
            found = look(airflow, dag, now)
            if found.same is not None:
                attempt.follows(airflow, found.same, own=False)
                print(f"joined {found.same.run}, which is under way with the same inputs", file=sys.stderr)
                return
            if found.busy is None:
                changed = offer_spec(attempt.home, path, spec.model.name, Path(stack.dags_folder))
                wait_for_dag(airflow, dag, changed)
                _begin(attempt, airflow, dag, {"remeasure": True} if remeasure else {})
                return
        wait_for(airflow, found.busy)  # others may join it meanwhile


def _begin(attempt: Attempt, airflow: AirflowApi, dag: str, conf: Mapping[str, Any] = MappingProxyType({})) -> RunId:
    run = new_run(dag)
    airflow.unpause(dag)
    attempt.follows(airflow, run, own=True, confirmed=False)
    try:
        airflow.trigger(run, conf)
    except NoAnswer:
        raise
    except StackError:
        attempt.refused()
        raise
    attempt.confirmed = True
    ring(bell_in(attempt.home.root))
    return run


def _train(attempt: Attempt, airflow: AirflowApi, stack: Stack) -> Outcome | None:
    """Let the example be trained, and follow the quantize run that its model begins; the outcome if that fails.

    What an earlier demo has begun, and nobody follows any more, is taken up where it is.
    """
    prepare, retrain, quantize = (f"{stage}__{_DEMO}" for stage in ("prepare", "retrain", "quantize"))
    under_way = {dag: airflow.under_way(dag) for dag in (quantize, retrain, prepare)}
    if under_way[quantize]:
        _take_up_or_begin(attempt, airflow, quantize, under_way[quantize])
        return None
    path = Path(stack.dags_folder) / "model_specs" / f"{_DEMO}.yaml"
    changed = offer_spec(attempt.home, path, _DEMO, Path(stack.dags_folder))
    for dag in (prepare, retrain, quantize):
        wait_for_dag(airflow, dag, changed)
    airflow.unpause(quantize)
    for dag in (retrain,) if under_way[retrain] else (prepare, retrain):
        run, own = _take_up_or_begin(attempt, airflow, dag, under_way[dag])
        if follow_attempt(attempt, airflow) != "success":
            return outcome_of(_DEMO, None, None, read_failures(airflow, run, airflow.tasks(run)))
    attempt.follows(airflow, _created_by(airflow, run), own)
    return None


def _take_up_or_begin(attempt: Attempt, airflow: AirflowApi, dag: str, under_way: list[RunId]) -> tuple[RunId, bool]:
    """The run of a DAG, and whether this command began it."""
    if not under_way:
        return _begin(attempt, airflow, dag), True
    print(f"joined {under_way[0].run} of {dag}, which is under way", file=sys.stderr)
    attempt.follows(airflow, under_way[0], own=False)
    return under_way[0], False


def _created_by(airflow: AirflowApi, retrain: RunId) -> RunId:
    """The quantize run that the new model has started."""
    deadline = time.monotonic() + _EVENT_LIMIT
    while time.monotonic() < deadline:
        for made in airflow.created_runs(retrain):
            if made.dag == f"quantize__{_DEMO}":
                return made
        time.sleep(0.5)
    raise StackError(f"the new model of {retrain.run} started no run of quantize__{_DEMO} within {_EVENT_LIMIT} s")


def _alone(home: Home, model: str) -> AbstractContextManager[None]:
    """Two commands do not begin a run of one model at once: the second finds the first one's."""
    return home.lock(
        f"model-{model}", lambda: print(f"waiting for another command to begin its run of {model}", file=sys.stderr)
    )
