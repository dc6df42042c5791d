"""Counts and times for whatever Airflow sends its own metrics to: StatsD, OpenTelemetry, or nothing.

Names begin with `litegate.`; what they are about is in their tags, which plain StatsD leaves out.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from airflow.sdk.observability.stats import incr, timing

from litegate.execution.step_run import StepRun
from litegate.records import Promotion, Verdicts
from litegate.variants import BASELINE

__all__ = ["count_promotion", "count_verdicts", "measured"]


@contextmanager
def measured(run: StepRun, step: str, label: str) -> Iterator[None]:
    """Count how a step ends, `computed`, `found` or `failed`, and how long that took; `label` says what it is for."""
    began = time.monotonic()
    model, _, variant = label.partition("/")
    tags = {"step": step, "model": model, "variant": variant}
    tags = {name: value for name, value in tags.items() if value}
    ended = "failed"
    try:
        yield
        ended = "computed" if run.computed else "found"
    finally:
        incr(f"litegate.step.{step}.{ended}", tags=tags)
        timing(f"litegate.step.{step}.duration", timedelta(seconds=time.monotonic() - began), tags=tags)


def count_verdicts(verdicts: Verdicts, model: str) -> None:
    """Count what the gate has said of each variant."""
    for each in verdicts.verdicts:
        if each.variant != BASELINE:
            incr(f"litegate.verdict.{each.state}", tags={"model": model, "variant": each.variant})


def count_promotion(promotion: Promotion, model: str) -> None:
    """Count what became of what was selected."""
    incr(f"litegate.promotion.{promotion.state}", tags={"model": model, "variant": promotion.selected.variant})
