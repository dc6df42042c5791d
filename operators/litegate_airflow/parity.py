"""Check parity: the float32 conversion against the source model."""

from __future__ import annotations

from litegate_airflow.step import StepOperator

__all__ = ["CheckParityOperator"]


class CheckParityOperator(StepOperator):
    """Returns a `Parity`; fails where the two disagree, since then no variant could be judged."""

    step = "parity"
