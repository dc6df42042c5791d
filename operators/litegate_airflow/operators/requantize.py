"""Requantize: one more file, where those before it did not pass."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.pipeline.evaluation import evaluated_alone
from litegate.pipeline.gate_requests import assessment_request
from litegate.pipeline.recoveries import assessment
from litegate.pipeline.tasks import EACH_RECOVERY, Job, task_of
from litegate.records import Assessment, Evaluations, Record, Verdicts
from litegate_airflow.operators.step import StepsOperator, VariantOperator
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.xcom import RETURN_VALUE

__all__ = ["RequantizeOperator"]

_GATE = "gate"


class RequantizeOperator(StepsOperator, VariantOperator):
    """Returns why the file is needed (an `Assessment`), its `Artifact`, `Inspection`, `SmokeRun` and `Evaluated`.

    It is skipped where the file is not needed, and returns the `Assessment` alone.
    """

    step = "assess"
    does = task_of(step, EACH_RECOVERY)

    @override
    def find(self, job: Job, records: RunRecords) -> Record | None:
        """What an earlier run has found; of a file that is not needed there is nothing to be found."""
        if job.step == self.step:
            verdicts = self.find_step(_GATE, assessment_request(records, job.variant))
            return self._assessed(verdicts, records) if isinstance(verdicts, Verdicts) else None
        if not records.one(Assessment, self.step, job.variant).needed:
            raise AirflowSkipException("not needed")
        found = super().find(job, records)
        return evaluated_alone(found) if isinstance(found, Evaluations) else found

    @override
    def run_job(self, job: Job, records: RunRecords) -> Record:
        if job.step != self.step:
            found = super().run_job(job, records)
            return evaluated_alone(found) if isinstance(found, Evaluations) else found
        assessed = self._assessed(self.run_step(_GATE, assessment_request(records, job.variant)), records)
        if not assessed.needed:
            records.keep(job, assessed)
            records.ti.xcom_push(RETURN_VALUE, records.kept)
            raise AirflowSkipException(f"{job.variant} is not needed: {assessed.why}")
        self.log.info("%s is needed: %s", job.variant, assessed.why)
        return assessed

    def _assessed(self, verdicts: Verdicts, records: RunRecords) -> Assessment:
        return assessment(records.resolved().spec, self.variant, verdicts)
