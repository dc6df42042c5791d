"""The base of all operators: a request from XCom, the step in its child process, the result to XCom."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from litegate.execution.step_run import StepRun
from litegate.pipeline.names import named
from litegate.pipeline.requests import request_of
from litegate.records import Record
from litegate.settings import settings
from litegate.steps import STEPS
from litegate_airflow.operators.wired import WiredOperator
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.xcom import RETURN_VALUE

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["StepOperator", "VariantOperator"]


class StepOperator(WiredOperator):
    """Runs one step. A subclass names the step, and builds its request where the pipeline cannot.

    Attributes:
        step: the step's name in `litegate.steps`.
    """

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
        with failures_reported(context["ti"], self.step, self.variant or None), self.connected():
            result = self.run_step(self.step, self.request(RunRecords(context["ti"])))
            return self.deliver(result, context)

    def run_step(self, step: str, request: Record) -> Any:
        """Run a step in a child process that ends with the task."""
        self._step_run = StepRun(STEPS[step], request, settings())
        if self._killed:  # between two steps of one task
            self._step_run.kill()
        return named(request, self._step_run.run())

    def find_step(self, step: str, request: Record) -> dict[str, Any] | None:
        """The stored result of a step, as it is in XCom."""
        found = StepRun(STEPS[step], request, settings()).find()
        return None if found is None else named(request, found).to_json()

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
        self.variant = variant  # by which the base knows what the task does
        super().__init__(**arguments)

    def of(self, variant: str) -> Self:
        """The same operator for one of the variants that it is mapped over."""
        operator = copy(self)
        operator.variant = variant
        return operator
