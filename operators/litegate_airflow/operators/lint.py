"""Lint: look at the representative samples before anything is calibrated on them."""

from __future__ import annotations

from litegate_airflow.operators.step import StepOperator

__all__ = ["LintOperator"]


class LintOperator(StepOperator):
    """Returns a `Lint`; fails where there is an error that the spec does not allow."""

    step = "lint"
