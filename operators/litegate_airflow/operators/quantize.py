"""Quantize: one variant from the converted SavedModel."""

from __future__ import annotations

from litegate_airflow.operators.step import VariantOperator

__all__ = ["QuantizeOperator"]


class QuantizeOperator(VariantOperator):
    """Returns the variant's `Artifact`."""

    step = "quantize"
