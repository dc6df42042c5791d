"""Evaluate: what an artifact scores on the evaluation data set."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import EvaluateRequest
from litegate_airflow.step import VariantOperator
from litegate_airflow.xcom import RunRecords

__all__ = ["EvaluateOperator"]


class EvaluateOperator(VariantOperator):
    """Returns an `Evaluated` of the baseline, or of the variant quantized in the same mapped instance."""

    step = "evaluate"

    @override
    def request(self, records: RunRecords) -> EvaluateRequest:
        resolved = records.resolved()
        evaluation = resolved.spec.evaluation
        return EvaluateRequest(
            artifact=records.artifact(self.variant),
            data=resolved.evaluation,
            metric=evaluation.metric,
            max_samples=evaluation.max_samples_by_variant.get(self.variant, evaluation.max_samples),
            seed=resolved.spec.calibration.seed,
            preprocess=resolved.preprocess,
            signature=evaluation.signature,
        )
