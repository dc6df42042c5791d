"""Evaluate: what an artifact scores on the evaluation dataset."""

from __future__ import annotations

from airflow.sdk.exceptions import AirflowSkipException
from typing_extensions import override

from litegate.records import Record
from litegate.variants import CHAMPION
from litegate_airflow.operators.step import VariantOperator
from litegate_airflow.runtime.run_records import RunRecords

__all__ = ["EvaluateOperator"]


class EvaluateOperator(VariantOperator):
    """Returns an `Evaluated` of the baseline, of the champion, or of the variant of the same mapped instance.

    Without a champion its evaluation is skipped.
    """

    step = "evaluate"

    @override
    def request(self, records: RunRecords) -> Record:
        if self.variant == CHAMPION and records.champion_artifact() is None:
            raise AirflowSkipException("nothing was promoted yet: there is no champion to compare with")
        return super().request(records)
