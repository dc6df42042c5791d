"""Evaluations that mean nothing: pure functions of labels, predictions and scores of the float32 baseline."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from litegate.metrics.facts import MetricFacts
from litegate.records import DataFinding
from litegate.spec import EvaluationCode

__all__ = ["chance", "constant_metric", "finding", "label_coverage"]

Array = np.ndarray[Any, np.dtype[Any]]

_PER_CLASS = 5
"""With so many samples for each class, a class without any is no accident."""
_Z = 1.645
"""One-sided normal quantile at 95 %."""
_NAMED = 5


def finding(severity: str, code: EvaluationCode, message: str, **numbers: float) -> DataFinding:
    """A finding about the evaluation data."""
    given = {"severity": severity, "code": code, "data": "evaluation", "message": message, "numbers": numbers}
    return DataFinding.model_validate(given)


def label_coverage(labels: Array, classes: int | None, names: Sequence[str] = ()) -> Iterator[DataFinding]:
    """Whether the labels can be classes of the model.

    Args:
        labels: (n,) of all samples.
        classes: how many the model tells apart; None where its output does not say.
        names: of the classes, where they have names.
    """
    seen = np.unique(labels)
    if len(seen) == 1:
        said = f"all {len(labels):,} labels are {_named(int(seen[0]), names)}: no other class is evaluated at all"
        yield finding("error", "one_class", said, samples=len(labels))
        return
    if classes is None or len(seen) >= classes:
        return
    missing = [_named(label, names) for label in sorted(set(range(classes)) - set(seen.tolist()))]
    said = f"{len(missing)} of the model's {classes} outputs are no label of any of {len(labels):,} samples: "
    expected = len(labels) >= _PER_CLASS * classes and 2 * len(seen) < classes
    wrong = "; are the outputs classes, and the labels theirs?" if expected else ""
    numbers = {"missing": len(missing), "classes": classes, "samples": len(labels)}
    yield finding("error" if expected else "warning", "classes", f"{said}{_listed(missing)}{wrong}", **numbers)


def chance(labels: Array, predictions: Array, right: Array | None, names: Sequence[str] = ()) -> Iterator[DataFinding]:
    """Whether the baseline is any better than a constant answer.

    Args:
        labels, predictions: (n,) classes.
        right: (n,) whether float32 is right, where that is what the metric counts; None for other metrics.
    """
    answers = np.unique(predictions)
    if len(answers) == 1 and len(np.unique(labels)) > 1:
        said = f"float32 answers {_named(int(answers[0]), names)} to all of {len(labels):,} samples of several classes"
        yield finding("error", "chance", said, samples=len(labels))
        return
    if right is None or len(np.unique(labels)) < 2:
        return
    values, counts = np.unique(labels, return_counts=True)
    largest = int(values[counts.argmax()])
    gained = right.astype(float) - (labels == largest)
    better = float(gained.mean())
    said = (
        f"float32 is right on {right.mean():.1%} of {len(labels):,} samples, and whoever always answers "
        f"{_named(largest, names)} on {counts.max() / len(labels):.1%}"
    )
    numbers = {"value": float(right.mean()), "largest": float(counts.max() / len(labels)), "samples": len(labels)}
    if better <= 0:
        yield finding("error", "chance", f"{said}: are the labels those of the model's outputs?", **numbers)
    elif better <= _Z * float(gained.std()) / math.sqrt(len(labels)):
        yield finding("warning", "chance", f"{said}, which may be chance", **numbers)


def constant_metric(scores: Array, metric: MetricFacts) -> Iterator[DataFinding]:
    """Whether the metric tells samples apart; one that is at its best for all of them may.

    Args:
        scores: (n,) of float32.
    """
    if len(scores) < 2 or np.any(scores != scores[0]):
        return
    value = float(scores[0])
    best = metric.high if metric.higher_is_better else metric.low
    if best is None or value != best:
        said = f"{metric.name} is {value:g} for each of {len(scores):,} samples: it shows no difference"
        yield finding("error", "constant_metric", said, value=value, samples=len(scores))


def _named(label: int, names: Sequence[str]) -> str:
    return names[label] if 0 <= label < len(names) else str(label)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
