"""The servers and their Airflow for one command, and what becomes of both if the command is interrupted."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from litegate.cli.actor import actor
from litegate.cli.attempt import Attempt, lasting
from litegate.cli.dags import ENDED_BY
from litegate.cli.progress import start_showing
from litegate.errors import LitegateError, StackError
from litegate.pipeline.tasks import task_of
from litegate.stack import Home, Stack, running, stop
from litegate.stack.airflow_api import AirflowApi
from litegate.stack.patience import Patience
from litegate.stack.ports import Asked

__all__ = ["attached", "served"]

# Somebody waits for us to end: seconds for ending the run, and for looking whether others use the servers.
_ENDING, _LOOKING = 60, 10


@contextmanager
def served(attempt: Attempt, ports: Asked | None = None) -> Iterator[tuple[AirflowApi, Stack]]:
    """The servers, started if needed. An interruption ends what the command has begun, the servers included.

    Args:
        ports: that a person asks for.
    """
    stack, started = start_showing(attempt.home, ports)
    with _airflow(attempt.home, stack) as airflow:
        try:
            yield airflow, stack
        except KeyboardInterrupt:
            if attempt.own and not attempt.over:
                _end_run(airflow, attempt)
            if started:
                _stop_unused(airflow, attempt.home)
            raise


@contextmanager
def attached(attempt: Attempt) -> Iterator[tuple[AirflowApi, Stack]]:
    """The servers that run.

    Raises:
        StackError: there are none.
    """
    stack = running(attempt.home)
    if stack is None:
        raise StackError(f"no servers run in {attempt.home.root}; start them with `litegate start`")
    with _airflow(attempt.home, stack) as airflow:
        yield airflow, stack


def _airflow(home: Home, stack: Stack) -> AirflowApi:
    """Asked for as long as the stack is there: a server that died is started again."""

    def gone() -> bool:
        now = lasting(home)
        return now is None or now.marker != stack.marker

    airflow = AirflowApi(stack.airflow_url, home.password_file.read_text(), Patience(gone=gone))
    airflow.say = lambda line: print(line, file=sys.stderr)
    return airflow


def _end_run(airflow: AirflowApi, attempt: Attempt) -> None:
    """Airflow ends the run's tasks, and they their processes."""
    assert attempt.run is not None
    print(f"ending {attempt.run.run}; a second Ctrl-C leaves it to Airflow", file=sys.stderr)
    airflow.patience = replace(airflow.patience, limit=_ENDING)
    attempt.interrupted = "interrupted, and again before the run was known to have ended"
    try:
        if not attempt.confirmed:  # what we have sent may still be carried out: so let it begin, and then end
            airflow.trigger(attempt.run, attempt.conf)
            attempt.confirmed = True
        airflow.fail(attempt.run, f"{ENDED_BY}{actor()}, who interrupted the command that had begun it")
        attempt.over, attempt.interrupted = True, f"interrupted; {attempt.run.run} was ended"
        if any(task.task == task_of("register").id and task.state == "failed" for task in airflow.tasks(attempt.run)):
            from litegate.cli.leftovers import end_mlflow_runs

            end_mlflow_runs(attempt.home, attempt.run)
    except LitegateError as error:
        attempt.interrupted = f"interrupted; {error}"


def _stop_unused(airflow: AirflowApi, home: Home) -> None:
    """Stop the servers that this command has started, unless somebody else's run is under way on them."""
    airflow.patience = replace(airflow.patience, limit=_LOOKING, timeout=_LOOKING)
    try:
        others = airflow.under_way("*")
    except StackError:
        others = []
    if others:
        print(f"the servers stay up: {others[0].run} of {others[0].dag} is under way", file=sys.stderr)
        return
    print("stopping the servers", file=sys.stderr)
    stop(home)
