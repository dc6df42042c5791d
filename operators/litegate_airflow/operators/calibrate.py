"""Calibrate: the ranges of the float model's activations, once for all variants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
from typing_extensions import override

from litegate.pipeline.requests import calibrated_variants
from litegate.records import Record
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.run_records import RunRecords

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["CalibrateOperator"]


class CalibrateOperator(StepOperator):
    """Returns a `Calibrated`, or None where the step failed or the run has no variant that is calibrated.

    Without one each variant is calibrated by itself, and has a failure of its own if it cannot be; others go on.
    """

    step = "calibrate"

    @override
    def request(self, records: RunRecords) -> Record:
        if not calibrated_variants(records.resolved().spec):
            raise AirflowSkipException("no variant of this run is calibrated")
        return super().request(records)

    @override
    def execute(self, context: Context) -> Any:
        try:
            return super().execute(context)
        except AirflowSkipException as skipped:  # which would skip every variant
            self.log.info("%s", skipped)
        except AirflowFailException as failure:
            self.log.warning("each variant is calibrated by itself, for this failed: %s", failure)
        return None
