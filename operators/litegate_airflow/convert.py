"""Convert: the source model to the float32 baseline."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import ConvertRequest
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import StepOperator

__all__ = ["ConvertOperator"]


class ConvertOperator(StepOperator):
    """Returns a `Converted`: the baseline, and the SavedModel that every variant is quantized from."""

    step = "convert"

    @override
    def request(self, records: RunRecords) -> ConvertRequest:
        return ConvertRequest(model=records.resolved().model)
