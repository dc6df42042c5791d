"""The base of all operators: a request from XCom, the step in its child process, the result to XCom."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING, Any, ClassVar, Self

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRuntimeError,
    AirflowSkipException,
    DownstreamTasksSkipped,
    ErrorType,
)
from typing_extensions import override

from litegate.diagnosis import kind_of, message_of
from litegate.errors import StepFailed
from litegate.execution.step_run import StepRun
from litegate.failures import FailureKind, Retry
from litegate.pipeline.requests import request_of
from litegate.records import Failure, Record
from litegate.settings import settings
from litegate.steps import STEPS
from litegate_airflow.run_records import RunRecords
from litegate_airflow.xcom import FAILURE, RETURN_VALUE, push

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["StepOperator", "VariantOperator", "failures_reported"]

log = logging.getLogger("litegate")

_SERVER_ERRORS = 500


class StepOperator(BaseOperator):
    """Runs one step. A subclass names the step, and builds its request where the pipeline cannot.

    Attributes:
        step: the step's name in `litegate.steps`.
        variant: the variant that the task works on; empty if it works for the run as a whole.
    """

    step: ClassVar[str]
    variant: str = ""
    _step_run: StepRun | None = None
    _killed: bool = False

    def request(self, records: RunRecords) -> Record:
        """The step's request, from what earlier tasks found."""
        return request_of(self.step, records, self.variant)

    def lookup_cache(self, records: RunRecords) -> dict[str, Any] | None:
        """What the task would leave in XCom, by key, if an earlier run has found all of it; else None."""
        found = self.find_step(self.step, self.request(records))
        return None if found is None else {RETURN_VALUE: found}

    def deliver(self, result: Any, context: Context) -> Any:  # noqa: ARG002 (subclasses use it)
        """What the task returns for the step's result."""
        return result.to_json()

    @override
    def execute(self, context: Context) -> Any:
        """Run the step; a failure is left in XCom for the gate before it is raised."""
        with failures_reported(context["ti"], self.step, self.variant or None):
            result = self.run_step(self.step, self.request(RunRecords(context["ti"])))
            return self.deliver(result, context)

    def run_step(self, step: str, request: Record) -> Any:
        """Run a step in a child process that ends with the task."""
        self._step_run = StepRun(STEPS[step], request, settings())
        if self._killed:  # between two steps of one task
            self._step_run.kill()
        return self._step_run.run()

    def find_step(self, step: str, request: Record) -> dict[str, Any] | None:
        """The stored result of a step, as it is in XCom."""
        found = StepRun(STEPS[step], request, settings()).find()
        return None if found is None else found.to_json()

    @override
    def on_kill(self) -> None:
        """End the child process with the task."""
        self._killed = True
        if self._step_run is not None:
            self._step_run.kill()


class VariantOperator(StepOperator):
    """Runs one step for one variant; mapped instances get its name by expansion."""

    template_fields = ("variant",)

    def __init__(self, *, variant: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.variant = variant

    def of(self, variant: str) -> Self:
        """The same operator for one of the variants that it is mapped over."""
        operator = copy(self)
        operator.variant = variant
        return operator


@contextmanager
def failures_reported(ti: RuntimeTaskInstanceProtocol, step: str, variant: str | None = None) -> Iterator[None]:
    """Push any error as a `Failure` under the key `failure`, and raise it as Airflow is to treat it.

    Raises:
        AirflowFailException: the same inputs would fail again, or nobody knows, so the task is not retried.
        AirflowException: a server did not answer, or the task was ended; it is retried if its DAG allows.
    """
    try:
        yield
    except (AirflowSkipException, DownstreamTasksSkipped):
        raise
    except Exception as error:
        kind, message = _kind_of(error), message_of(error)
        _report(ti, Failure(step=step, kind=kind, message=message, variant=variant))
        said = str(error) if isinstance(error, StepFailed) else message
        if kind.retry is not Retry.LATER:
            raise AirflowFailException(said) from error
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
    except Exception as error:
        log.warning("the failure cannot be left in XCom: %s: %s", type(error).__name__, error)
