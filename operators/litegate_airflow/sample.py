"""Sample: choose the representative dataset."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import SampleRequest
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import StepOperator

__all__ = ["SampleOperator"]


class SampleOperator(StepOperator):
    """Returns a `SampleSet`."""

    step = "sample"

    @override
    def request(self, records: RunRecords) -> SampleRequest:
        resolved = records.resolved()
        choice = resolved.spec.calibration
        return SampleRequest(
            data=resolved.calibration,
            artifact=records.converted().artifact,
            samples=choice.samples,
            seed=choice.seed,
            preprocess=resolved.preprocess,
        )
