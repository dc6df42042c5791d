"""Gate: a verdict for every variant."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import Record
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["GateOperator"]


class GateOperator(StepOperator):
    """Returns `Verdicts`, also for variants whose tasks failed.

    Fails where the baseline is missing, or a champion that the policy compares with: nothing is then judged.
    """

    step = "gate"

    @override
    def request(self, records: RunRecords) -> Record:
        records.check_measured()
        return super().request(records)
