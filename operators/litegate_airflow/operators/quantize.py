"""Quantize: one variant from the converted SavedModel, and what its file is."""

from __future__ import annotations

from litegate_airflow.operators.step import StepsOperator, VariantOperator

__all__ = ["QuantizeOperator"]


class QuantizeOperator(StepsOperator, VariantOperator):
    """Returns the variant's `Artifact`, its `Inspection` and its `SmokeRun`."""

    step = "quantize"
