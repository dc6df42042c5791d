"""Evaluations that mean nothing, told by all that float32 gave: what a sample could not show is shown here.

Whatever a variant loses against a baseline that is no better than chance, it proves nothing: no variant passes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from litegate.lint.evaluation import chance, classes_of, constant_metric, label_coverage
from litegate.outcomes.columns import Outcomes
from litegate.records import DataFinding, Reason
from litegate.spec.metric_facts import MetricFacts

__all__ = ["evaluation_refusals"]


def evaluation_refusals(
    metric: MetricFacts, baseline: Outcomes, complete: bool, names: Sequence[str], allow: Collection[str]
) -> tuple[Reason, ...]:
    """Why no variant may pass: the errors that the spec does not allow.

    Args:
        baseline: outcomes of float32.
        complete: whether these are all samples that there are.
        names: of the classes, where they have names.
        allow: codes of the evaluation lint.
    """
    columns = (baseline.score, baseline.output, baseline.target)
    if not len(baseline) or not all(column is None or np.isfinite(column).all() for column in columns):
        return ()  # which the verdicts refuse by themselves
    return tuple(
        Reason(
            code=f"evaluation_{found.code}",
            message=f"the evaluation means nothing: {found.message} (evaluation.allow: [{found.code}] lets it pass)",
        )
        for found in _found(metric, baseline, complete, names)
        if found.severity == "error" and found.code not in allow
    )


def _found(metric: MetricFacts, baseline: Outcomes, complete: bool, names: Sequence[str]) -> Iterator[DataFinding]:
    labels = classes_of(metric, baseline)
    if labels is not None:
        yield from label_coverage(labels, None, names)
    yield from chance(metric, baseline, complete)
    yield from constant_metric(metric, baseline)
