"""Gate: a verdict for every variant, and which of those that passed is the best by the spec's rule."""

from __future__ import annotations

from typing_extensions import override

from litegate.pipeline.requests import selection_of
from litegate.pipeline.tasks import Job
from litegate.records import Record, Verdicts
from litegate_airflow.operators.step import StepsOperator
from litegate_airflow.runtime.metrics import count_verdicts
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["GateOperator"]


class GateOperator(StepsOperator):
    """Returns `Verdicts`, also for variants whose tasks failed, and the `Selection`.

    Fails where the baseline is missing, or a champion that the policy compares with: nothing is then judged.
    """

    step = "gate"

    @override
    def request_of(self, job: Job, records: RunRecords) -> Record:
        records.check_measured()
        return super().request_of(job, records)

    @override
    def run_job(self, job: Job, records: RunRecords) -> Record:
        """The selection is a pure function of small records, and needs no child process."""
        if job.step == self.step:
            verdicts = super().run_job(job, records)
            assert isinstance(verdicts, Verdicts)
            count_verdicts(verdicts, records.resolved().spec.model.name)
            return verdicts
        selection = selection_of(records)
        self.log.info("%s: %s", selection.variant, selection.why)
        return selection
