"""Evaluate: what an artifact scores on the evaluation dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.pipeline.evaluation import evaluated_alone
from litegate.records import Evaluations, Record
from litegate.variants import CHAMPION
from litegate_airflow.operators.step import VariantOperator
from litegate_airflow.runtime.run_records import RunRecords

if TYPE_CHECKING:
    from airflow.sdk import Context

__all__ = ["EvaluateOneOperator", "EvaluateOperator"]


class EvaluateOneOperator(VariantOperator):
    """Runs the step for one file alone; its failure is the task's."""

    step = "evaluate"

    @override
    def find_step(self, step: str, request: Record) -> Record | None:
        found = super().find_step(step, request)
        return evaluated_alone(found) if isinstance(found, Evaluations) else None

    @override
    def deliver(self, result: Evaluations, context: Context) -> Any:
        return evaluated_alone(result).to_json()


class EvaluateOperator(EvaluateOneOperator):
    """Returns an `Evaluated` of the baseline, of the champion, or of the variant of the same mapped instance.

    Without a champion its evaluation is skipped.
    """

    @override
    def request(self, records: RunRecords) -> Record:
        if self.variant == CHAMPION and records.champion_artifact() is None:
            raise AirflowSkipException("nothing was promoted yet: there is no champion to compare with")
        return super().request(records)
