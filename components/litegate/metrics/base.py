"""What every metric is to the rest of litegate, whoever wrote it, and the shapes that metrics have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from litegate.errors import DataError
from litegate.spec.metric_facts import BUILT_IN, MetricFacts

__all__ = [
    "WHERE",
    "Metric",
    "check_classes",
    "class_scores",
    "flat_pairs",
    "is_one_score",
    "no_class_scores",
    "not_finite",
    "only_output",
    "sample_shape",
    "shape",
]

Array = np.ndarray[Any, np.dtype[Any]]
Outputs = Mapping[str, Array]
T = TypeVar("T")
WHERE = "evaluation.metric"
_OF_ONE_SCORE = [name for name in ("binary_accuracy", "roc_auc", "average_precision") if name in BUILT_IN]


@dataclass(frozen=True)
class Metric:
    """A metric, ready to measure.

    Attributes:
        facts: what it declares of itself.
        columns: what is kept of a batch. Takes the outputs by name, each (n, ...), and the labels, (n,) classes or
            (n, ...) targets. Gives `score`, (n,) bool or float64, for a metric of single samples; else `output`
            and `target`, each (n, ...). Raises `DataError` where outputs and labels are not what the metric needs.
        value: value of any set of samples from what was kept, `output` and `target`; None for a metric of single
            samples, whose value is the mean score. Raises `ValueError` where the set has no value.
        threshold: from where on the only score of a sample means the second of two classes; None where the metric
            does not say.
    """

    facts: MetricFacts
    columns: Callable[[Outputs, Array], dict[str, Array]]
    value: Callable[[Array, Array], float] | None = None
    threshold: float | None = None


def only_output(outputs: Mapping[str, T], name: str) -> T:
    """The output of a model that has one, or what is said of it.

    Raises:
        DataError: it has several.
    """
    if len(outputs) != 1:
        raise DataError(WHERE, f"a model with one output for {name}", f"outputs {', '.join(outputs)}")
    return next(iter(outputs.values()))


def class_scores(output: Array) -> Array:
    """`output` as (n, classes).

    Raises:
        DataError: it has another shape, or a single class.
    """
    if output.ndim != 2 or output.shape[1] < 2:
        raise no_class_scores(output.shape)
    return output


def no_class_scores(shape: Sequence[int]) -> DataError:
    """What is wrong with an output of `shape`, (batch, ...), for a metric of the scores of two classes or more."""
    expected = "an output of shape (batch, classes), two classes at least"
    if is_one_score(shape):
        expected += f"; for one score of two classes {' or '.join(_OF_ONE_SCORE)}"
    return DataError(WHERE, expected, f"({', '.join(map(str, ('batch', *shape[1:])))})")


def is_one_score(shape: Sequence[int]) -> bool:
    """Whether an output of `shape`, (batch, ...), is a single number for each sample."""
    return all(length == 1 for length in shape[1:])


def check_classes(labels: Array, classes: int, where: str = WHERE, samples: Sequence[str] | None = None) -> None:
    """Check that labels are classes of a model, (n,) integers from 0 to `classes` - 1.

    Args:
        where: whose fault it is if they are not, for messages.
        samples: identities of the labelled, for messages.

    Raises:
        DataError: they are not.
    """
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(where, "integer labels of shape (samples,)", f"{labels.dtype} labels of shape {shape(labels)}")
    bad = np.flatnonzero((labels < 0) | (labels >= classes))
    if len(bad):
        sample = f" for sample {samples[int(bad[0])]}" if samples else ""
        from_one = labels.min() == 1 and labels.max() == classes
        found = f"{labels[bad[0]]}{sample} ({len(bad)} such labels{'; numbered from 1?' if from_one else ''})"
        raise DataError(where, f"labels from 0 to {classes - 1}", found)


def not_finite(outputs: Outputs) -> tuple[str, int] | None:
    """The first output with NaN or infinity, and the first sample in it; None if all are finite."""
    for name, values in outputs.items():
        bad = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
        if len(bad):
            return name, int(bad[0])
    return None


def flat_pairs(output: Array, target: Array) -> tuple[Array, Array]:
    """Both as (n, elements) in double precision; axes of length one do not count.

    Raises:
        DataError: the shapes differ.
    """
    if sample_shape(output) != sample_shape(target):
        classes = " integers: classes? Those are judged by topK, macro_f1 and roc_auc"
        found = shape(target) + (classes if target.ndim == 1 and target.dtype.kind in "iu" else "")
        raise DataError(WHERE, f"labels of the output's shape {shape(output)}", found)
    size = len(output)
    return output.reshape(size, -1).astype(np.float64), target.reshape(size, -1).astype(np.float64)


def sample_shape(values: Array) -> tuple[int, ...]:
    """Shape of one sample without its axes of length one."""
    return tuple(length for length in values.shape[1:] if length != 1)


def shape(values: Array) -> str:
    """Shape of a batch for messages, as (batch, ...)."""
    return "(" + ", ".join(map(str, ("batch", *values.shape[1:]))) + ")"
