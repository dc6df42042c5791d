"""Check: the data, the conversion and the baseline, before anything is quantized."""

from __future__ import annotations

from litegate_airflow.operators.step import SideBySideOperator

__all__ = ["CheckOperator"]


class CheckOperator(SideBySideOperator):
    """Returns a `Lint`, a `ConversionCheck`, and the baseline's `Inspection` and `SmokeRun`.

    Fails where any of them refuses what it sees, since then no variant could be judged.
    """

    step = "lint"
