"""Read the ledger: how far it is when the run begins."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import PositionRequest
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import StepOperator

__all__ = ["ReadLedgerOperator"]


class ReadLedgerOperator(StepOperator):
    """Returns a `Position`; the same for every try of the run, and however often it is cleared."""

    step = "read_ledger"

    @override
    def request(self, records: RunRecords) -> PositionRequest:
        return PositionRequest(channel=records.channel(), run_key=f"{records.ti.dag_id}/{records.ti.run_id}")
