"""Look up cached results: what earlier runs have found is not computed again, and takes no slot of a pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.bases.skipmixin import SkipMixin
from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.errors import StepFailed
from litegate.failures import FailureKind
from litegate.pipeline.tasks import LOOKUP_CACHE, Job
from litegate_airflow.operators.gate import GateOperator
from litegate_airflow.operators.requantize import RequantizeOperator
from litegate_airflow.operators.step import StepOperator, VariantOperator
from litegate_airflow.operators.wired import WiredOperator
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.xcom import CACHED, RETURN_VALUE

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["LookupCacheOperator"]


class LookupCacheOperator(WiredOperator, SkipMixin):
    """Returns the names of the variants that a mapped task has something to compute of.

    It looks up what every task of the run between itself and the gate would come to. What mapped tasks would come to
    for the other variants is under the XCom key `cached`, with what `resolve` has left, which every later task needs
    too: a question less for each. If nothing at all is missing, all these tasks are skipped, and all results are under
    that key.
    """

    does = LOOKUP_CACHE

    @override
    def execute(self, context: Context) -> Sequence[str]:
        ti = context["ti"]
        with failures_reported(ti, self.does.id), self.connected():
            gate = self._gate()
            tasks = self._tasks(gate)
            search = _Search(RunRecords(ti, found={}))
            missing = search.missing(tasks)
            ti.xcom_push(CACHED, search.resolved() | search.found(missing))
            if search.complete:
                self.log.info("every result is there: the tasks from here to %s are skipped", gate.task_id)
                ti.xcom_push(RETURN_VALUE, missing)
                self.skip(ti, tasks)  # all at once, not link by link; raises a success
        self.log.info("to be computed: %s", ", ".join(missing) or "none of the variants, but what they depend on")
        return missing

    def _gate(self) -> GateOperator:
        """The one that uses what is looked up here."""
        found = [
            task
            for task in self.get_flat_relatives(upstream=False)
            if isinstance(task, GateOperator) and self.task_id in task.wiring.all(LOOKUP_CACHE)
        ]
        if len(found) != 1:
            detail = f"{len(found)} gates come after the task {self.task_id} by their `upstream`, and not one"
            raise StepFailed(self.does.id, FailureKind.NO_RESULT, detail)
        return found[0]

    def _tasks(self, gate: GateOperator) -> list[StepOperator]:
        """The run's own between here and the gate, in an order in which they could run."""
        wired = {name for names in gate.wiring.ids.values() for name in names}
        between = self.get_flat_relative_ids() & gate.get_flat_relative_ids(upstream=True) & wired
        return [task for task in self.dag.topological_sort() if task.node_id in between]  # type: ignore[no-untyped-call]


class _Search:
    """Looks for the results of tasks to come; what an earlier try of them has left does not count.

    Attributes:
        complete: whether every result was found.
    """

    def __init__(self, records: RunRecords) -> None:
        self.records, self.complete = records, True
        self._of_mapped: set[Job] = set()

    def resolved(self) -> dict[str, Any]:
        """What the run is about, by the job that has found it."""
        return {str(Job("resolve")): self.records.resolved().to_json()}

    def missing(self, tasks: Sequence[StepOperator]) -> list[str]:
        """The variants that mapped tasks have something to compute of."""
        names = self.records.resolved().spec.first_variants
        missing = {name for task in tasks for name in self._missing_of(task, names)}
        return [name for name in names if name in missing]

    def found(self, missing: Sequence[str]) -> dict[str, Any]:
        """What belongs to the other variants; all that there is if that is everything."""
        wanted = {str(job) for job in self._of_mapped if job.variant not in missing}
        return {job: value for job, value in self.records.kept.items() if self.complete or job in wanted}

    def _missing_of(self, task: StepOperator, names: Sequence[str]) -> Iterator[str]:
        if isinstance(task, RequantizeOperator):
            for name in self.records.resolved().spec.recoveries:
                self._find(task.of(name), task.of(name).jobs)
        elif task.get_closest_mapped_task_group() is None or not isinstance(task, VariantOperator):
            self._find(task, [one for job in task.jobs for one in job.for_each(names)])
        else:
            yield from self._missing_of_mapped(task, names)

    def _missing_of_mapped(self, task: VariantOperator, names: Sequence[str]) -> Iterator[str]:
        for name in names:
            instance = task.of(name)
            self._of_mapped.update(instance.jobs)
            if not self._find(instance, instance.jobs):
                yield name

    def _find(self, task: StepOperator, jobs: Iterable[Job]) -> bool:
        found = [self._find_job(task, job) for job in jobs]
        self.complete &= all(found)
        return all(found)

    def _find_job(self, task: StepOperator, job: Job) -> bool:
        try:
            result = task.find(job, self.records)
        except AirflowSkipException:  # there is nothing to be found
            return True
        except StepFailed:  # what it needs is not there
            return False
        if result is not None:
            self.records.keep(job, result)
        return result is not None
