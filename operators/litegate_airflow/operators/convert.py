"""Convert: the source model to the float32 baseline."""

from __future__ import annotations

from litegate_airflow.operators.step import StepOperator

__all__ = ["ConvertOperator"]


class ConvertOperator(StepOperator):
    """Returns a `Converted`: the baseline, and the SavedModel that every variant is quantized from."""

    step = "convert"
