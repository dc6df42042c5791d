"""Metrics that only a set of samples has; their values are those of scikit-learn.

What is kept of a sample is as little as the value needs, since every sample of the evaluation is kept. The values
run where scikit-learn is: in the service environment.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from litegate.errors import DataError
from litegate.metrics.base import (
    NO_INPUTS,
    OUTPUT,
    WHERE,
    Inputs,
    Metric,
    Outputs,
    check_classes,
    class_scores,
    flat_pairs,
    judged_output,
    shape,
)
from litegate.spec.metric_facts import MetricFacts

__all__ = ["average_precision", "macro_f1", "metric_of_sets", "rmse", "roc_auc"]

Array = np.ndarray[Any, np.dtype[Any]]
Kept = tuple[Array, Array]


def metric_of_sets(facts: MetricFacts, output: str | None = None) -> Metric:
    """The metric that comes with litegate under `facts.name`, one of `KEPT`.

    Args:
        output: name of the one that is judged; None for the only one.
    """
    keep, value = KEPT[facts.name], VALUES[facts.name]
    needs = {} if output is None else {output: OUTPUT}
    return Metric(facts, partial(_columns, facts.name, keep, output), value, output=output, needs=needs)


def _columns(
    name: str,
    keep: Callable[[Array, Array], Kept],
    chosen: str | None,
    outputs: Outputs,
    labels: Array,
    _: Inputs = NO_INPUTS,
    /,
) -> dict[str, Array]:
    output, target = keep(judged_output(outputs, name, chosen), labels)
    return {"output": output, "target": target}


def roc_auc(output: Array, target: Array) -> float:
    """Area under the ROC curve; with several classes the mean of each against the rest.

    It is the share of pairs of a sample of the class and another one in which the first has the higher score, with
    ties for a half (H. Mann and D. Whitney, Annals of Mathematical Statistics 18, 1947, 50-60): scikit-learn's value,
    without the curve. The gate asks for it on hundreds of resamples.

    Args:
        output: (n,) or (n, 1) or (n, 2) scores of two classes, or (n, classes).
        target: (n,) classes.

    Raises:
        ValueError: all samples are of one class, or a score is not finite.
    """
    return _one_against_the_rest(_share_above, output, target)


def average_precision(output: Array, target: Array) -> float:
    """Average precision; arguments, mean over classes and errors are those of `roc_auc`."""
    from sklearn.metrics import average_precision_score

    return _one_against_the_rest(average_precision_score, output, target)


def macro_f1(output: Array, target: Array) -> float:
    """Mean of the F1 scores of the classes in `target` or in the predictions.

    Args:
        output: (n,) predicted classes, or (n, classes) scores.
        target: (n,) classes.

    Raises:
        ValueError: there are no samples.
    """
    from sklearn.metrics import f1_score

    predicted = output if output.ndim == 1 else output.argmax(axis=1)
    return float(f1_score(target, predicted, average="macro", zero_division=0.0))


def rmse(output: Array, target: Array) -> float:
    """Root of the mean squared error over all elements of all samples.

    Raises:
        ValueError: there are no samples.
    """
    from sklearn.metrics import root_mean_squared_error

    return float(root_mean_squared_error(np.ravel(target), np.ravel(output)))


def _share_above(positive: Array, scores: Array) -> float:
    if not np.isfinite(scores).all():
        raise ValueError("scores that are not finite rank nothing")
    _, place, equal = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(equal) - (equal - 1) / 2)[place]  # equal ones have the mean of theirs
    count = int(np.count_nonzero(positive))
    above = float(ranks[positive].sum()) - count * (count + 1) / 2
    return above / (count * (len(scores) - count))


def _one_against_the_rest(score: Callable[[Array, Array], float], output: Array, target: Array) -> float:
    scores = _ranking(output)
    if scores.ndim == 1:
        scores, classes = scores[:, np.newaxis], [1]
    else:
        classes = list(range(scores.shape[1]))
    counts = np.array([np.sum(target == each) for each in classes])
    usable = np.flatnonzero((counts > 0) & (counts < len(target)))
    if not len(usable):
        raise ValueError(f"{len(target)} samples of one class have no ranking of one class above another")
    return float(np.mean([score(target == classes[column], scores[:, column]) for column in usable]))


def _ranking(output: Array) -> Array:
    """(n,) scores of the second of two classes, or (n, classes)."""
    if output.ndim == 2 and output.shape[1] <= 2:
        return output[:, -1]
    return output


def _keep_ranking(output: Array, target: Array) -> Kept:
    scores = _ranking(output)
    if scores.ndim > 2:
        raise DataError(WHERE, "an output of shape (batch, classes), or (batch, 1) for two classes", shape(output))
    check_classes(target, 2 if scores.ndim == 1 else scores.shape[1])
    return scores, target


def _keep_predictions(output: Array, target: Array) -> Kept:
    check_classes(target, class_scores(output).shape[1])
    return output.argmax(axis=1), target


def _keep_errors(output: Array, target: Array) -> Kept:
    """One number for a sample: its own error, against zero, gives the same value for any set."""
    output, target = flat_pairs(output, target)
    return np.sqrt(np.square(output - target).mean(axis=1)), np.zeros(len(output))


KEPT = MappingProxyType(
    {
        "roc_auc": _keep_ranking,
        "average_precision": _keep_ranking,
        "macro_f1": _keep_predictions,
        "rmse": _keep_errors,
    }
)
VALUES = MappingProxyType(
    {"roc_auc": roc_auc, "average_precision": average_precision, "macro_f1": macro_f1, "rmse": rmse}
)
