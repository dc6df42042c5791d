"""Promote: what the run selected becomes champion, or waits for a person."""

from __future__ import annotations

import logging

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.errors import GateRejected
from litegate.pipeline.promotion import promote_request
from litegate.records import PromoteRequest, RunResult
from litegate.variants import BASELINE
from litegate_airflow.operators.step import StepOperator
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["PromoteOperator"]

log = logging.getLogger("litegate")


class PromoteOperator(StepOperator):
    """Returns a `Promotion`; where nothing passed the gate it fails or skips, as the spec's `on_reject` says.

    An override run, which is a run by other values than the spec's, is skipped: only the spec as it is promotes.
    """

    step = "promote"

    @override
    def request(self, records: RunRecords) -> PromoteRequest:
        result, resolved = records.run_result(), records.resolved()
        spec = resolved.spec
        if resolved.overrides is not None:
            raise _skipped(f"an override run ({resolved.overrides}): {_summary(result)}")
        if result.selected is None:
            rejected = _skipped if spec.gate.on_reject == "skip" else GateRejected
            raise rejected(f"nothing passed the gate: {_summary(result)}")
        return promote_request(spec, result, records.position(), records.asking())


def _skipped(why: str) -> AirflowSkipException:
    """Says why, too: Airflow folds away the part of the log where it puts an exception's words."""
    log.warning("skipped: %s", why)
    return AirflowSkipException(why)


def _summary(result: RunResult) -> str:
    verdicts = ", ".join(f"{row.variant} {row.verdict}" for row in result.variants if row.variant != BASELINE)
    return f"{verdicts}; recorded in MLflow run {result.mlflow_run_id}"
