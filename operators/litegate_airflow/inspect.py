"""Inspect: what a file is, read from its bytes, and whether it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from litegate.records import Inspection, InspectRequest, SmokeRequest
from litegate.variants import BASELINE
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import VariantOperator, failures_reported
from litegate_airflow.xcom import SMOKE, push

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["InspectOperator"]


class InspectOperator(VariantOperator):
    """Returns an `Inspection` of the baseline or of a variant; its `SmokeRun` is under the XCom key `smoke`.

    Two steps, each in a child process and with failures of its own name, but one task: both take a second, and a
    task costs as much again.
    """

    step = "inspect"

    @override
    def request(self, records: RunRecords) -> InspectRequest:
        spec = records.resolved().spec
        return InspectRequest(
            artifact=records.artifact(self.variant),
            baseline=None if self.variant == BASELINE else records.converted().artifact,
            source=spec.model.uri,
            target=spec.target,
        )

    @override
    def recall(self, records: RunRecords) -> dict[str, Any] | None:
        found, smoke = super().recall(records), self.find_step("smoke", self._smoke_request(records))
        return None if found is None or smoke is None else found | {SMOKE: smoke}

    @override
    def deliver(self, result: Inspection, context: Context) -> dict[str, Any]:
        """Run the file too, now that it is known to be what it should be."""
        ti = context["ti"]
        with failures_reported(ti, "smoke", self.variant):
            push(ti, SMOKE, self.run_step("smoke", self._smoke_request(RunRecords(ti))))
        return result.to_json()

    def _smoke_request(self, records: RunRecords) -> SmokeRequest:
        return SmokeRequest(
            artifact=records.artifact(self.variant),
            baseline=None if self.variant == BASELINE else records.converted().artifact,
            samples=records.samples(),
            source=records.resolved().spec.model.uri,
        )
