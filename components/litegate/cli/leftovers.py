"""MLflow runs that an ended pipeline run would leave as if they were still being recorded."""

from __future__ import annotations

import time

from litegate.cli.tracking import tracking
from litegate.errors import StackError
from litegate.stack import Home
from litegate.stack.airflow_api import RunId

__all__ = ["end_mlflow_runs"]

# What Airflow gives a task to end after it has noticed that it must, and then some.
_GRACE = 20


def end_mlflow_runs(home: Home, run: RunId) -> None:
    """Let the recording of a run, which is being ended, end its MLflow runs; those that it could not are ended here.

    Raises:
        StackError: MLflow does not answer.
    """
    with tracking(home):
        from mlflow.exceptions import MlflowException  # slow to import, both

        from litegate.tracking import runs

        client, name = runs.connect(), f"quantize/{run.dag.removeprefix('quantize__')}"
        deadline = time.monotonic() + _GRACE
        try:
            while (left := runs.unended(client, name, f"{run.dag}/{run.run}")) and time.monotonic() < deadline:
                time.sleep(0.5)
            for each in left:
                client.set_terminated(each.info.run_id, runs.KILLED)
        except MlflowException as error:
            raise StackError(f"its runs in MLflow may say RUNNING for ever: {error}") from None
