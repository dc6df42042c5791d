"""Check conversion: the float32 conversion against the source model."""

from __future__ import annotations

from litegate_airflow.operators.step import StepOperator

__all__ = ["CheckConversionOperator"]


class CheckConversionOperator(StepOperator):
    """Returns a `ConversionCheck`; fails where the two disagree, since then no variant could be judged."""

    step = "conversion_check"
