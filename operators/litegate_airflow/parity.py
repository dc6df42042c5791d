"""Check parity: the float32 conversion against the source model."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import ParityRequest
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import StepOperator

__all__ = ["CheckParityOperator"]


class CheckParityOperator(StepOperator):
    """Returns a `Parity`; fails where the two disagree, since then no variant could be judged."""

    step = "parity"

    @override
    def request(self, records: RunRecords) -> ParityRequest:
        resolved = records.resolved()
        return ParityRequest(
            model=resolved.model,
            artifact=records.converted().artifact,
            samples=records.samples(),
            signature=resolved.spec.evaluation.signature,
        )
