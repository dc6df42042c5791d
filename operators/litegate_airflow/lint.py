"""Lint: look at the representative samples before anything is calibrated on them."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import LintRequest
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import StepOperator

__all__ = ["LintOperator"]


class LintOperator(StepOperator):
    """Returns a `Lint`; fails where there is an error that the spec does not allow."""

    step = "lint"

    @override
    def request(self, records: RunRecords) -> LintRequest:
        resolved = records.resolved()
        choice = resolved.spec.calibration
        return LintRequest(
            samples=records.samples(),
            artifact=records.converted().artifact,
            calibration=resolved.calibration,
            evaluation=resolved.evaluation,
            seed=choice.seed,
            preprocess=resolved.preprocess,
            signature=resolved.spec.evaluation.signature,
            metric=resolved.spec.evaluation.metric,
            metric_code=resolved.metric_code,
            max_samples=resolved.spec.evaluation.max_samples,
            allow=tuple(choice.allow),
            allow_evaluation=tuple(resolved.spec.evaluation.allow),
        )
