"""Profile: the latency of an artifact on this host."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import ProfileRequest
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import VariantOperator

__all__ = ["ProfileOperator"]


class ProfileOperator(VariantOperator):
    """Returns a `Profile` of the baseline, or of the variant quantized in the same mapped instance."""

    step = "profile"

    @override
    def request(self, records: RunRecords) -> ProfileRequest:
        return ProfileRequest(
            artifact=records.artifact(self.variant),
            samples=records.samples(),
            signature=records.resolved().spec.evaluation.signature,
        )
