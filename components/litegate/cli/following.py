"""`litegate follow`: a run that is under way or has ended, as `litegate run` shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from litegate.cli.attempt import Attempt, reported
from litegate.cli.conclusion import print_outcome
from litegate.cli.ended import read_outcome, registry_of
from litegate.cli.outcome import Outcome
from litegate.cli.progress import AWAITING_INPUT, follow
from litegate.cli.serving import attached
from litegate.errors import BadInput
from litegate.stack import Home, Stack
from litegate.stack.airflow_api import AirflowApi, RunId

__all__ = ["act", "find_run", "follow_attempt", "follow_run", "with_pages_of"]

_PREFIX = "quantize__"
_WHERE = "RUN or MODEL"


def follow_run(home: Home, name: str | None, target: Path | None, required: Sequence[str] = ()) -> int:
    """Follow a run by its id, or the one of a model; returns the exit code that its `litegate run` would."""
    attempt = Attempt(home, required=tuple(required))

    def work() -> Outcome:
        with attached(attempt) as (airflow, stack):
            attempt.follows(airflow, find_run(airflow, name), own=False)
            return act(attempt, airflow, stack)

    return reported(work, attempt, target)


def act(attempt: Attempt, airflow: AirflowApi, stack: Stack) -> Outcome:
    """Follow a run of a quantize DAG to its end, and show what it came to."""
    assert attempt.run is not None
    attempt.model = attempt.run.dag.removeprefix(_PREFIX)
    follow_attempt(attempt, airflow)
    outcome = with_pages_of(stack, read_outcome(airflow, attempt.run, attempt.model)).requiring(attempt.required)
    print_outcome(outcome, registry_of(airflow, attempt.run), stack, attempt.home, attempt.page)
    return outcome


def follow_attempt(attempt: Attempt, airflow: AirflowApi) -> str:
    """Follow the run; returns the state that it ended in, or `awaiting_input`."""
    assert attempt.run is not None
    state = follow(airflow, attempt.run, attempt.home)
    attempt.over = state != AWAITING_INPUT
    attempt.own = False  # there is nothing left to end
    return state


def with_pages_of(stack: Stack, outcome: Outcome) -> Outcome:
    """MLflow may have been somewhere else when the run was recorded."""
    if outcome.result is None:
        return outcome
    report = f"{stack.mlflow_url}/#/{outcome.result.report.partition('/#/')[2]}"
    return replace(outcome, result=outcome.result.model_copy(update={"report": report}))


def find_run(airflow: AirflowApi, name: str | None) -> RunId:
    """The run of this id, also as `DAG/RUN`, or the newest of the model of this name, one under way before others.

    Args:
        name: None for the newest of all models.

    Raises:
        BadInput: there is none, or several have this id.
    """
    if name is None:
        return _newest(airflow, f"{_PREFIX}*")
    dag, _, run_id = name.rpartition("/")
    runs = [run for run in airflow.named(run_id) if dag in ("", run.dag)]
    quantizing = [run for run in runs if run.dag.startswith(_PREFIX)]
    if len(quantizing) == 1:
        return quantizing[0]
    if quantizing:
        listed = ", ".join(f"{run.dag}/{run.run}" for run in quantizing)
        raise BadInput(_WHERE, f"one of {listed}", f"{name}, which is each of them")
    if runs:
        raise BadInput(_WHERE, "a run of a quantize DAG", f"one of {runs[0].dag}: {airflow.page_of(runs[0])}")
    return _newest(airflow, f"{_PREFIX}{name.removeprefix(_PREFIX)}")


def _newest(airflow: AirflowApi, dag: str) -> RunId:
    under_way = airflow.under_way(dag)
    found = under_way[0] if under_way else airflow.newest(dag)
    if found is not None:
        return found
    if dag.endswith("*"):
        raise BadInput(_WHERE, "a run in Airflow", "none so far; `litegate run SPEC.yaml` begins one")
    known = ", ".join(sorted(each["dag_id"].removeprefix(_PREFIX) for each in airflow.dags(_PREFIX))) or "none"
    expected = f"a run's id, or a model that has had one (models with a DAG: {known})"
    raise BadInput(_WHERE, expected, repr(dag.removeprefix(_PREFIX)))
