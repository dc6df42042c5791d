"""Whether a model is a classifier, of how many classes, and what it predicts: decided here, for all that ask.

A metric says whether it judges classes (`MetricFacts.classifies`); the labels are then checked to be classes of the
output. An output's shape says nothing: two columns may be a position, twelve independent labels, 784 pixels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from litegate.metrics.base import (
    Metric,
    Outputs,
    check_names,
    is_one_score,
    judged_output,
    no_class_scores,
    no_single_score,
)
from litegate.spec.metric_facts import is_top_k

__all__ = ["class_columns", "number_of_classes"]

Array = np.ndarray[Any, np.dtype[Any]]


def number_of_classes(metric: Metric, shapes: Mapping[str, Sequence[int]]) -> int | None:
    """How many classes the output that is judged tells apart; None where the model is no classifier.

    Args:
        shapes: of the outputs by name, (batch, ...).

    Raises:
        DataError: an output that the spec names is missing, or the metric judges classes, and the output has no
            scores of classes.
    """
    check_names(shapes, metric.needs)
    if not metric.facts.classifies:
        return None
    name = metric.facts.name
    shape = judged_output(shapes, name, metric.output)
    if len(shape) > 2 or (is_one_score(shape) and (name == "macro_f1" or is_top_k(name))):
        raise no_class_scores(shape)
    if is_one_score(shape):
        return 2
    if metric.threshold is not None:
        raise no_single_score(shape, name)
    return shape[1] if shape[1] > 0 else None


def class_columns(metric: Metric, outputs: Outputs, labels: Array) -> dict[str, Array]:
    """The columns `label` and `prediction`, (n,) int64 each; none where the model is no classifier.

    One score of the second of two classes is a prediction only where the metric says from where on it means that class.
    """
    if not metric.facts.classifies:
        return {}
    scores = judged_output(outputs, metric.facts.name, metric.output)
    if not is_one_score(scores.shape):
        return {"label": labels, "prediction": scores.argmax(axis=1)}
    if metric.threshold is not None:
        return {"label": labels, "prediction": (scores.reshape(-1) >= metric.threshold).astype(np.int64)}
    return {"label": labels} if metric.facts.per_sample else {}
