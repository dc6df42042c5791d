"""How a task fails: what went wrong is left for the gate, and Airflow is told whether to try again."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRuntimeError,
    AirflowSkipException,
    DownstreamTasksSkipped,
    ErrorType,
)

from litegate.diagnosis import kind_of, message_of
from litegate.errors import GateRejected, LitegateError, StepFailed
from litegate.failures import FailureKind, Retry
from litegate.pipeline.tasks import Job
from litegate.records import Failure
from litegate_airflow.runtime.xcom import FAILURE, push, say

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["REJECTS", "Doing", "failures_reported"]

log = logging.getLogger("litegate")

REJECTS: Mapping[str, Any] = {
    "retry_policy": ExceptionRetryPolicy(rules=[RetryRule(exception=SystemExit, action=RetryAction.FAIL)])
}
"""Arguments of a task that may reject: a rejection is no failure that another try could mend."""

_SERVER_ERRORS = 500
_SAID_ELSEWHERE = (FailureKind.ALERT, FailureKind.NO_RESULT)
"""By the task itself, and by the earlier task whose result is missing."""


@dataclass
class Doing:
    """What a task is doing now."""

    job: Job


@contextmanager
def failures_reported(ti: RuntimeTaskInstanceProtocol, step: str, variant: str | None = None) -> Iterator[Doing]:
    """Push any error as a `Failure` under the key `failure`, and raise it as Airflow is to treat it.

    Yields:
        What the error will be a failure of; a task of several steps says when it comes to the next one.

    Raises:
        SystemExit: the task rejects (see `REJECTS`). It is the one end of a failed task of which Airflow logs a line,
            which is the reason, and no traceback.
        AirflowFailException: the same inputs would fail again, or nobody knows, so the task is not retried.
        AirflowException: a server did not answer, or the task was ended; it is retried if its DAG allows.
    """
    doing = Doing(Job(step, variant or ""))
    try:
        yield doing
    except (AirflowSkipException, DownstreamTasksSkipped):
        raise
    except Exception as error:
        kind, message = _kind_of(error), message_of(error)
        _report(ti, Failure(step=doing.job.step, kind=kind, message=message, variant=doing.job.variant or None))
        said = str(error) if isinstance(error, StepFailed) else message
        if isinstance(error, GateRejected):
            raise SystemExit(said) from None
        if kind.retry is not Retry.LATER:
            # What is raised on purpose says it all: where it was raised in our code helps nobody.
            raise AirflowFailException(said) from (None if isinstance(error, LitegateError) else error)
        if isinstance(error, StepFailed):
            raise AirflowException(said) from error
        raise


def _kind_of(error: Exception) -> FailureKind:
    """Airflow's supervisor tells of its API server what a task cannot see by itself."""
    if isinstance(error, AirflowRuntimeError) and error.error.error is ErrorType.API_SERVER_ERROR:
        status = (error.error.detail or {}).get("status_code")
        return FailureKind.INFRASTRUCTURE if status is None or status >= _SERVER_ERRORS else FailureKind.PYTHON_ERROR
    return kind_of(error)


def _report(ti: RuntimeTaskInstanceProtocol, failure: Failure) -> None:
    """Whatever goes wrong here must not decide whether the task is tried again."""
    try:
        push(ti, FAILURE, failure)
        if failure.variant is None and failure.kind not in _SAID_ELSEWHERE:  # a variant's failure is not the run's
            rejected = failure.kind is FailureKind.REJECTED
            say(ti, failure.message if rejected else f"{ti.task_id} failed: {failure.message}")
    except Exception as error:
        log.warning("the failure cannot be left in XCom: %s: %s", type(error).__name__, error)
