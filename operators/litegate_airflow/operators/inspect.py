"""Inspect: what a file is, read from its bytes, and whether it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from litegate.pipeline.requests import request_of
from litegate_airflow.operators.step import VariantOperator
from litegate_airflow.runtime.failing import failures_reported
from litegate_airflow.runtime.run_records import RunRecords
from litegate_airflow.runtime.xcom import SMOKE, push

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
    def lookup_cache(self, records: RunRecords) -> dict[str, Any] | None:
        found = super().lookup_cache(records)
        smoke = self.find_step("smoke", request_of("smoke", records, self.variant))
        return None if found is None or smoke is None else found | {SMOKE: smoke}

    @override
    def execute(self, context: Context) -> Any:
        """Run the file too, once it is known to be what it should be."""
        inspection, ti = super().execute(context), context["ti"]
        with failures_reported(ti, "smoke", self.variant):
            push(ti, SMOKE, self.run_step("smoke", request_of("smoke", RunRecords(ti), self.variant)))
        return inspection
