"""The base of all operators: a request from XCom, the step in its child process, the result to XCom."""

from __future__ import annotations

from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from typing_extensions import override

from litegate.execution.side_by_side import StepRuns
from litegate.execution.step_run import StepRun
from litegate.execution.times import label_of
from litegate.pipeline.names import named
from litegate.pipeline.requests import request_of
from litegate.pipeline.tasks import Job
from litegate.records import Record, Resolved
from litegate.settings import settings
from litegate.steps import STEPS
from litegate_airflow.operators.wired import WiredOperator
from litegate_airflow.runtime.failing import Doing, failures_reported
from litegate_airflow.runtime.metrics import measured
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.xcom import say

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["SideBySideOperator", "StepOperator", "StepsOperator", "VariantOperator", "label_for"]


def label_for(job: Job, records: RunRecords) -> str:
    """What a job of a quantize run is run for, by which its time is kept."""
    resolved = records.maybe(Resolved, "resolve")
    return label_of(resolved.spec.model.name, job.variant) if resolved else ""


class StepOperator(WiredOperator):
    """Runs one step. A subclass names the step, and builds its request where the pipeline cannot.

    Attributes:
        step: the step's name in `litegate.steps`.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._runs = StepRuns()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What it runs, for the variant that it works on."""
        if self.does is None:
            return (Job(self.step),)
        return self.does.jobs_for(self.variant) if self.variant else self.does.jobs

    def request(self, records: RunRecords) -> Record:
        """The step's request, from what earlier tasks found."""
        return self.request_of(self.jobs[0], records)

    def request_of(self, job: Job, records: RunRecords) -> Record:
        """The request of a job of the pipeline."""
        return request_of(job.step, records, job.variant)

    def find(self, job: Job, records: RunRecords) -> Record | None:
        """What an earlier run has found for a job; None if it has not."""
        return self.find_step(job.step, self.request(records))

    def deliver(self, result: Any, context: Context) -> Any:  # noqa: ARG002 (subclasses use it)
        """What the task returns for the step's result."""
        return result.to_json()

    def said(self, result: Any, records: RunRecords) -> str:  # noqa: ARG002 (subclasses use it)
        """What came of the run by this result, for the run's note; empty if another task says it."""
        return ""

    @override
    def execute(self, context: Context) -> Any:
        """Run the step; a failure is left in XCom for the gate before it is raised."""
        with failures_reported(context["ti"], self.step, self.variant or None), self.connected():
            records = RunRecords(context["ti"])
            request = self.request(records)
            timed = STEPS[self.step].cached and bool(self.does)
            result = self.run_step(self.step, request, label_for(self.jobs[0], records) if timed else "")
            if said := self.said(result, records):
                say(records.ti, said)
            return self.deliver(result, context)

    def run_step(self, step: str, request: Record, label: str = "") -> Any:
        """Run a step in a child process that ends with the task; `label` says what for, by which its time is kept."""
        with self._runs.held(StepRun(STEPS[step], request, settings(), label=label)) as run, measured(run, step, label):
            return named(request, run.run())

    def find_step(self, step: str, request: Record) -> Record | None:
        """The stored result of a step."""
        found = StepRun(STEPS[step], request, settings()).find()
        return None if found is None else named(request, found)

    def find_each(self, step: str, request: Record) -> tuple[Any | None, ...]:
        """The stored results of a step, of each of the request's files."""
        return StepRun(STEPS[step], request, settings()).find_each()

    @override
    def on_kill(self) -> None:
        """End the child processes with the task."""
        self._runs.stop()


class StepsOperator(StepOperator):
    """Runs the steps of its task one after the other; returns their results by job.

    Each runs in a child process of its own, and a failure bears its name. They are one task, because a task costs as
    much as some of them.
    """

    @override
    def find(self, job: Job, records: RunRecords) -> Record | None:
        return self.find_step(job.step, self.request_of(job, records))

    @override
    def execute(self, context: Context) -> Any:
        records = RunRecords(context["ti"])
        with failures_reported(context["ti"], self.step, self.variant or None) as doing, self.connected():
            self.run_jobs(records, doing)
        return records.kept

    def run_jobs(self, records: RunRecords, doing: Doing) -> None:
        """Run them, and keep what they find."""
        for job in self.jobs:
            doing.job = job
            records.keep(job, self.run_job(job, records))

    def run_job(self, job: Job, records: RunRecords) -> Record:
        """What one of them finds."""
        result: Record = self.run_step(job.step, self.request_of(job, records), label_for(job, records))
        return result


class SideBySideOperator(StepsOperator):
    """Runs them at the same time, as many as there are cores; the first that fails ends the others."""

    @override
    def run_jobs(self, records: RunRecords, doing: Doing) -> None:
        calls = {}
        for doing.job in self.jobs:  # threads know nothing of XCom
            asked, label = self.request_of(doing.job, records), label_for(doing.job, records)
            calls[doing.job] = partial(self.run_step, doing.job.step, asked, label)
        with self._runs.side_by_side(calls) as ended:
            for doing.job, future in ended:
                records.keep(doing.job, future.result())


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
