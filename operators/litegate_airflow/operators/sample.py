"""Sample: choose the representative dataset."""

from __future__ import annotations

from litegate_airflow.operators.step import StepOperator

__all__ = ["SampleOperator"]


class SampleOperator(StepOperator):
    """Returns a `SampleSet`."""

    step = "sample"
