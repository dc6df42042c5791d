"""Read the ledger: how far it is when the run begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from litegate.records import Position, PositionRequest, Record
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.run_records import RunRecords

if TYPE_CHECKING:
    from airflow.sdk.types import RuntimeTaskInstanceProtocol

__all__ = ["ReadLedgerOperator"]


class ReadLedgerOperator(StepOperator):
    """Returns a `Position`; the same for every try of the run, and however often it is cleared.

    A task that is cleared and of which no result is stored comes too late: newer runs may have promoted since this one
    pinned its inputs. The run then counts as one that began before every entry.
    """

    step = "read_ledger"
    _cleared: bool = False

    @override
    def request(self, records: RunRecords) -> PositionRequest:
        self._cleared = _is_cleared(records.ti, self.retries or 0)
        return PositionRequest(channel=records.channel(), run_key=records.run_key())

    @override
    def run_step(self, step: str, request: Record) -> Any:
        if self._cleared and self.find_step(step, request) is None:
            self.log.warning("cleared, and the ledger was not read in time: the run counts as begun before every entry")
            return Position(entries=0)
        return super().run_step(step, request)


def _is_cleared(ti: RuntimeTaskInstanceProtocol, retries: int) -> bool:
    """Whether the task has had all its tries before: Airflow grants further ones where it is cleared."""
    return ti.max_tries > retries
