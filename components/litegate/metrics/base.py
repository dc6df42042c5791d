"""What every metric is to the rest of litegate, whoever wrote it, and the shapes that metrics have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, TypeVar

import numpy as np

from litegate.errors import DataError
from litegate.spec.metric_facts import BUILT_IN, MetricFacts

__all__ = [
    "NO_INPUTS",
    "OUTPUT",
    "WHERE",
    "Columns",
    "Inputs",
    "Metric",
    "check_classes",
    "check_names",
    "class_scores",
    "flat_pairs",
    "is_one_score",
    "judged_output",
    "no_class_scores",
    "no_single_score",
    "not_finite",
    "sample_shape",
    "shape",
]

Array = np.ndarray[Any, np.dtype[Any]]
Outputs = Mapping[str, Array]
Inputs = Mapping[str, Array]
T = TypeVar("T")
WHERE = "evaluation.metric"
OUTPUT = "evaluation.output"
NO_INPUTS: Inputs = MappingProxyType({})
_OF_ONE_SCORE = [name for name in ("binary_accuracy", "roc_auc", "average_precision") if name in BUILT_IN]


class Columns(Protocol):
    """What is kept of a batch, see `Metric.columns`."""

    def __call__(self, outputs: Outputs, labels: Array, inputs: Inputs = NO_INPUTS, /) -> dict[str, Array]:
        """The columns by name."""
        ...


@dataclass(frozen=True)
class Metric:
    """A metric, ready to measure.

    Attributes:
        facts: what it declares of itself.
        columns: what is kept of a batch. Takes the outputs by name, each (n, ...), the labels, (n,) classes or
            (n, ...) targets, and the inputs by name, as they were fed. Gives `score`, (n,) bool or float64, for a
            metric of single samples; else `output` and `target`, each (n, ...). Raises `DataError` where outputs and
            labels are not what the metric needs.
        value: value of any set of samples from what was kept, `output` and `target`; None for a metric of single
            samples, whose value is the mean score. Raises `ValueError` where the set has no value.
        threshold: from where on the only score of a sample means the second of two classes; None where the metric
            does not say.
        output: name of the output that is judged; None where the model has no other, or all are seen.
        needs: names of all outputs that the metric cannot do without, with the spec key that says each.
    """

    facts: MetricFacts
    columns: Columns
    value: Callable[[Array, Array], float] | None = None
    threshold: float | None = None
    output: str | None = None
    needs: Mapping[str, str] = field(default_factory=dict)


def judged_output(outputs: Mapping[str, T], name: str, chosen: str | None) -> T:
    """The output that the metric `name` judges, or what is said of it: the chosen one, or the only one.

    Raises:
        DataError: there is no such output, or there are several and none is chosen.
    """
    check_names(outputs, {} if chosen is None else {chosen: OUTPUT})
    if chosen is not None:
        return outputs[chosen]
    if len(outputs) != 1:
        raise DataError(OUTPUT, f"the one that {name} judges of the outputs {_listed(outputs)}", "null")
    return next(iter(outputs.values()))


def check_names(outputs: Mapping[str, Any], needs: Mapping[str, str]) -> None:
    """Check that the model has all outputs that the spec names.

    Args:
        needs: the spec key that names each.

    Raises:
        DataError: it has not.
    """
    for name, key in needs.items():
        if name not in outputs:
            raise DataError(key, f"one of the model's outputs {_listed(outputs)}", name)


def _listed(names: Iterable[str]) -> str:
    return f"{', '.join(sorted(names)):.500}"


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


def no_single_score(shape: Sequence[int], name: str) -> DataError:
    """What is wrong with an output of `shape`, (batch, ...), for a metric of one score."""
    expected = f"an output of shape (batch,) or (batch, 1) for {name}"
    if len(shape) == 2:
        expected += "; for a score of each class top1"
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
