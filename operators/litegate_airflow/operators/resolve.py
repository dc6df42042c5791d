"""Resolve: read how far the ledger is, read the spec and pin its inputs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from litegate.errors import SpecError
from litegate.pipeline.overriding import REMEASURE, overridden
from litegate.pipeline.tasks import Job
from litegate.records import Position, PositionRequest, RegisteredAlias, Resolved, ResolveRequest
from litegate_airflow.events.announcements import announcements
from litegate_airflow.events.notify import check_notifiers
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.dag_run import conf
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.lineage import sources
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.spec_files import SpecLike, SpecSource
from litegate_airflow.runtime.xcom import POSITION, RESOLVED, push

if TYPE_CHECKING:
    from airflow.sdk import Context
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["ResolveOperator"]


class ResolveOperator(StepOperator):
    """Reads the spec as it is when the task runs, and pins the model and the datasets by digest.

    What a person has changed in the form of a manual run takes the place of the file's values. Its inlets are the
    model's asset: what the events that began the run have said of the model, it must be.

    The ledger is read before, and once: every try of the run has the same `Position`, however often it is cleared. A
    task that is cleared and of which none is stored comes too late, for newer runs may have promoted since this one
    began. The run then counts as one that began before every entry.

    Args:
        spec: a spec file's path, or a spec.
        folder: that the relative addresses of a spec without a file are in, and its code.
        form: whether the DAG has the form of `litegate_airflow.ui.form`, whose values a run may change.
        problem: why the spec file cannot be used, so that a run can say so.

    Returns the names of the variants, because Airflow maps over return values only; the `Resolved` record is under the
    XCom key `resolved`, the `Position` under `position`.
    """

    step = "resolve"

    def __init__(
        self,
        *,
        spec: SpecLike,
        folder: str | Path | None = None,
        form: bool = False,
        problem: SpecError | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.source, self.form, self.problem = SpecSource.of(spec, folder), form, problem
        self._context: Context = {}

    @override
    def pre_execute(self, context: Context) -> None:
        """Keep the context, in which the events are."""
        super().pre_execute(context)
        self._context = context

    @override
    def request(self, records: RunRecords) -> ResolveRequest:
        if self.problem is not None:
            raise self.problem
        values = conf(records.ti) if self.form else {}
        spec, overrides = overridden(self.source.read(), values, "parameters of this run")
        if overrides is not None:
            self.log.warning("an override run, of which nothing is promoted: %s", overrides)
        check_notifiers(spec)
        announced = tuple(event for model in self.inlets for event in announcements(self._context, model))
        return ResolveRequest(
            spec=spec,
            folder=str(self.source.parent),
            announced=announced,
            overrides=overrides,
            remeasure=records.run_key() if values.get(REMEASURE) else "",
        )

    @override
    def execute(self, context: Context) -> list[str]:
        records = RunRecords(context["ti"])
        with failures_reported(records.ti, self.step) as doing, self.connected():
            request = self.request(records)
            doing.job = Job("read_ledger")
            push(records.ti, POSITION, self._position(request, records))
            doing.job = Job(self.step)
            resolved: Resolved = self.run_step(self.step, request)
            push(records.ti, RESOLVED, resolved)
        self.read = sources(resolved)
        return list(resolved.spec.first_variants)

    def _position(self, request: ResolveRequest, records: RunRecords) -> Position:
        """How far the ledger was when the run began."""
        channel = RegisteredAlias.of(request.spec.registry)
        asked = PositionRequest(channel=channel, run_key=records.run_key())
        if _is_cleared(records.ti, self.retries or 0) and self.find_step("read_ledger", asked) is None:
            self.log.warning("cleared, and the ledger was not read in time: the run counts as begun before every entry")
            return Position(entries=0)
        position: Position = self.run_step("read_ledger", asked)
        return position


def _is_cleared(ti: RuntimeTaskInstanceProtocol, retries: int) -> bool:
    """Whether the task has had all its tries before: Airflow grants further ones where it is cleared."""
    return ti.max_tries > retries
