"""Quantize: one variant from the converted SavedModel."""

from __future__ import annotations

from typing_extensions import override

from litegate.records import QuantizeRequest
from litegate_airflow.run_records import RunRecords
from litegate_airflow.step import VariantOperator

__all__ = ["QuantizeOperator"]


class QuantizeOperator(VariantOperator):
    """Returns the variant's `Artifact`."""

    step = "quantize"

    @override
    def request(self, records: RunRecords) -> QuantizeRequest:
        converted = records.converted()
        return QuantizeRequest(
            variant=self.variant,
            saved_model=converted.saved_model,
            baseline=converted.artifact,
            samples=records.samples(),
        )
