"""Evaluate: what files score on the evaluation dataset, all of them in one pass over it, or merged from shards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.errors import StepFailed
from litegate.pipeline.evaluation import evaluated_alone
from litegate.pipeline.shards import merging
from litegate.pipeline.tasks import EACH, Job, task_of
from litegate.records import EvaluateFilesRequest, Evaluations, Failure, Record
from litegate.variants import BASELINE, CHAMPION
from litegate_airflow.operators.evaluate_shard import EvaluateShardOperator
from litegate_airflow.operators.step import StepOperator, label_for
from litegate_airflow.runtime.failing import Doing, failures_reported
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.xcom import FAILURES

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["EvaluateOperator"]

_SHARD = task_of("evaluate_shard")


class EvaluateOperator(StepOperator):
    """Returns an `Evaluated` of the baseline, of the champion and of each variant that was quantized.

    A variant that fails is among the `failures`, and no failure of the task. Without the baseline nothing could be
    judged, nor without a champion that the policy compares with: the task fails.
    """

    step = "evaluate"
    does = task_of(step, EACH)

    @override
    def find(self, job: Job, records: RunRecords) -> Record | None:
        """What an earlier run has found for one of the files."""
        if job.variant == CHAMPION and not records.compares_with_champion():
            raise AirflowSkipException("there is no champion to compare with")
        found = self.find_step(job.step, self.request_of(job, records))
        return evaluated_alone(found) if isinstance(found, Evaluations) else None

    @override
    def execute(self, context: Context) -> dict[str, Any]:
        records = RunRecords(context["ti"])
        with failures_reported(records.ti, self.step) as doing, self.connected():
            if problem := records.unchecked() or records.unsharded():
                raise AirflowSkipException(f"nothing will be judged: {problem}")
            evaluations = self._evaluations(records, doing)
            _check_references(evaluations.failures, doing)
            for each in evaluations.done:
                records.keep(Job(self.step, each.variant), each)
        return {**records.kept, FAILURES: [failure.to_json() for failure in evaluations.failures]}

    def _evaluations(self, records: RunRecords, doing: Doing) -> Evaluations:
        """Of all files, merged where there are shards; what failed in one of these has failed."""
        job = Job(self.step)
        request: Any = self.request_of(job, records)
        merged = merging(request, records.failed_in_shards(), self._shards, self.find_each)
        _check_references(merged.failures, doing)
        label = "" if merged.merges else label_for(job, records)  # merging takes no time that tells anything
        found: Evaluations = self.run_step(self.step, EvaluateFilesRequest(files=merged.files), label)
        return found.model_copy(update={"failures": (*merged.failures, *found.failures)})

    @property
    def _shards(self) -> int:
        """How many there are; 0 where the graph has none."""
        tasks = (self.dag.get_task(name) for name in self.wiring.all(_SHARD))
        return next((task.shards for task in tasks if isinstance(task, EvaluateShardOperator)), 0)


def _check_references(failures: tuple[Failure, ...], doing: Doing) -> None:
    """What the variants are compared with must be there."""
    for failure in failures:
        if failure.variant in (BASELINE, CHAMPION):
            doing.job = Job(failure.step, failure.variant)
            raise StepFailed(failure.step, failure.kind, failure.message)
