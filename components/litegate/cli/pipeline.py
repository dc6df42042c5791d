"""`litegate run` and `litegate demo`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from pathlib import Path

from litegate.cli.dags import check_local_inputs, new_run, offer_spec, read_failures, read_outcome, wait_for_dag
from litegate.cli.outcome import Outcome, failed, outcome_of
from litegate.cli.output import INTERRUPTED, STDOUT, print_error, write_json
from litegate.cli.progress import follow, start_showing
from litegate.cli.table import print_outcome
from litegate.errors import LitegateError, StackError
from litegate.spec import Spec, load_spec
from litegate.stack import Home, Stack, stop
from litegate.stack.airflow_api import AirflowApi, RunId

__all__ = ["demo", "run"]

_DEMO = "digits"
_EVENT_LIMIT = 60


def run(home: Home, path: Path, target: Path | None) -> int:
    """Quantize, gate and promote the model of a spec file; returns the exit code."""
    spec: Spec | None = None

    def work() -> Outcome:
        nonlocal spec
        spec = load_spec(path)
        check_local_inputs(spec)
        with _alone(home, spec.model.name):
            return _run_spec(home, path, spec)

    return _reported(work, lambda: spec.model.name if spec else None, target)


def demo(home: Home, target: Path | None) -> int:
    """Train the digits example and follow the quantize run that this starts; returns the exit code."""

    def work() -> Outcome:
        try:
            with _alone(home, _DEMO):
                return _retrain(home)
        except KeyboardInterrupt:
            _stop(home)
            raise

    return _reported(work, lambda: _DEMO, target)


def _run_spec(home: Home, path: Path, spec: Spec) -> Outcome:
    stack, started = start_showing(home)
    try:
        with _airflow(home, stack) as airflow:
            quantize = new_run(f"quantize__{spec.model.name}")
            wait_for_dag(airflow, quantize.dag, offer_spec(home, path, spec.model.name, Path(stack.dags_folder)))
            _trigger_and_follow(airflow, quantize)
            return _finish(airflow, quantize, spec, stack, home)
    except KeyboardInterrupt:
        if started:
            _stop(home)
        raise


def _retrain(home: Home) -> Outcome:
    stack, _ = start_showing(home)
    path = Path(stack.dags_folder) / "model_specs" / f"{_DEMO}.yaml"
    spec = load_spec(path)
    with _airflow(home, stack) as airflow:
        prepare, retrain = new_run(f"prepare__{_DEMO}"), new_run(f"retrain__{_DEMO}")
        changed = offer_spec(home, path, _DEMO, Path(stack.dags_folder))
        for dag_id in (prepare.dag, retrain.dag, f"quantize__{_DEMO}"):
            wait_for_dag(airflow, dag_id, changed)
        airflow.unpause(f"quantize__{_DEMO}")
        for run in (prepare, retrain):
            if _trigger_and_follow(airflow, run) != "success":
                return outcome_of(_DEMO, None, None, read_failures(airflow, run, airflow.tasks(run)))
        quantize = _created_by(airflow, retrain)
        _follow(airflow, quantize)
        return _finish(airflow, quantize, spec, stack, home)


def _trigger_and_follow(airflow: AirflowApi, run: RunId) -> str:
    airflow.unpause(run.dag)
    airflow.trigger(run)
    return _follow(airflow, run)


def _follow(airflow: AirflowApi, run: RunId) -> str:
    try:
        return follow(airflow, run)
    except KeyboardInterrupt:
        airflow.fail(run)
        raise


def _created_by(airflow: AirflowApi, retrain: RunId) -> RunId:
    """The quantize run that the new model has started."""
    deadline = time.monotonic() + _EVENT_LIMIT
    while time.monotonic() < deadline:
        for made in airflow.created_runs(retrain):
            if made.dag == f"quantize__{_DEMO}":
                return made
        time.sleep(0.5)
    raise StackError(f"the new model of {retrain.run} started no run of quantize__{_DEMO} within {_EVENT_LIMIT} s")


def _finish(airflow: AirflowApi, run: RunId, spec: Spec, stack: Stack, home: Home) -> Outcome:
    outcome = read_outcome(airflow, run, spec.model.name)
    print_outcome(outcome, spec.registry.name, stack, home, airflow.page_of(run))
    return outcome


def _reported(work: Callable[[], Outcome], model: Callable[[], str | None], target: Path | None) -> int:
    """Do the work; whatever comes of it is in the JSON, and on standard error if it failed."""
    try:
        # Where the JSON is on standard output, the table is for the person who watches.
        with redirect_stdout(sys.stderr) if target == STDOUT else nullcontext():
            outcome = work()
    except KeyboardInterrupt:
        outcome = failed(model(), "interrupted", INTERRUPTED)
    except LitegateError as error:
        outcome = failed(model(), str(error), error.exit_code)
    except Exception as error:
        write_json(failed(model(), f"{type(error).__name__}: {error}").to_json(), target)
        raise
    if outcome.error is not None:
        print_error(outcome.error)
    write_json(outcome.to_json(), target)
    return outcome.exit_code


def _airflow(home: Home, stack: Stack) -> AirflowApi:
    return AirflowApi(stack.airflow_url, home.password_file.read_text())


def _alone(home: Home, model: str) -> AbstractContextManager[None]:
    """Two runs of one model follow each other."""
    return home.lock(f"model-{model}", lambda: print(f"waiting for another run of {model} to end", file=sys.stderr))


def _stop(home: Home) -> None:
    print("stopping the servers", file=sys.stderr)
    stop(home)
