"""Evaluate a shard: what files give on one of several parts of the evaluation data, for as many workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.pipeline.evaluation import evaluate_files_request
from litegate.pipeline.shards import missing, shard_request, whole
from litegate.pipeline.tasks import Job
from litegate.records import EvaluateRequest, FileShards, Record
from litegate_airflow.operators.step import StepOperator, label_for
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.run_records import RunRecords

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["EvaluateShardOperator"]


class EvaluateShardOperator(StepOperator):
    """Returns for each file that is missing its `FileShard` or `FileFailure`, by job; `EvaluateOperator` merges them.

    Args:
        shard: its number, from 1; mapped instances get it by expansion.
        shards: how many there are.
    """

    step = "evaluate_shard"
    template_fields = ("shard",)

    def __init__(self, *, shard: int, shards: int, **arguments: Any) -> None:
        self.shard, self.shards = shard, shards
        super().__init__(**arguments)

    @override
    def find(self, job: Job, records: RunRecords) -> Record | None:
        """Whether anything is missing is said by what it is merged to."""
        raise AirflowSkipException("what counts is the evaluation that it is a part of")

    @override
    def execute(self, context: Context) -> dict[str, Any]:
        records = RunRecords(context["ti"])
        with failures_reported(records.ti, self.step), self.connected():
            if problem := records.unchecked():
                raise AirflowSkipException(f"nothing will be judged: {problem}")
            files, job = self._missing(records), Job(self.step)
            request = shard_request(files, self.shard, self.shards)
            found: FileShards = self.run_step(self.step, request, label_for(job, records))
            for file, each in zip(files, found.files, strict=True):
                records.keep(Job(self.step, file.artifact.variant), each)
        return records.kept

    def _missing(self, records: RunRecords) -> tuple[EvaluateRequest, ...]:
        """The files of the run that no earlier one has evaluated.

        Raises:
            AirflowSkipException: there is none, or they cannot be evaluated in shards.
        """
        files = missing(evaluate_files_request(records), self.find_each)
        if not files:
            raise AirflowSkipException("all files have been evaluated on these data")
        if reason := whole(files):
            raise AirflowSkipException(f"the task that merges evaluates all samples itself: {reason}")
        return files
