"""Metrics of single samples: the value of a set is the mean over its samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from litegate.errors import DataError
from litegate.metrics.base import (
    WHERE,
    Metric,
    Outputs,
    check_classes,
    class_scores,
    flat_pairs,
    only_output,
    sample_shape,
    shape,
)
from litegate.spec.metric_facts import MetricFacts

__all__ = [
    "absolute_error",
    "cosine_similarity",
    "intersection_over_union",
    "metric_of_samples",
    "squared_error",
    "top",
]

Array = np.ndarray[Any, np.dtype[Any]]
Score = Callable[[Array, Array], Array]


def metric_of_samples(facts: MetricFacts) -> Metric:
    """The metric that comes with litegate under `facts.name`: `topK` or one of `SCORES`."""
    score = SCORES.get(facts.name) or partial(top, k=int(facts.name.removeprefix("top")))
    return Metric(facts, partial(_columns, facts.name, score))


def _columns(name: str, score: Score, outputs: Outputs, labels: Array) -> dict[str, Array]:
    return {"score": score(only_output(outputs, name), labels)}


def top(output: Array, label: Array, k: int = 1) -> Array:
    """Whether the label is among the `k` largest of (n, classes) outputs; of equal ones the first is the larger.

    Quantized outputs are often equal. With `k` = 1 this is what argmax gives.

    Raises:
        DataError: there are no such labels, or fewer classes than `k`.
    """
    classes = class_scores(output).shape[1]
    if k > classes:
        raise DataError(WHERE, f"at most top{classes} for a model with {classes} classes", f"top{k}")
    check_classes(label, classes)
    if k == 1:
        first: Array = output.argmax(axis=1) == label
        return first
    own = np.take_along_axis(output, label[:, np.newaxis], axis=1)
    before = np.arange(classes) < label[:, np.newaxis]
    rank = np.sum((output > own) | ((output == own) & before), axis=1)
    within: Array = rank < k
    return within


def absolute_error(output: Array, target: Array) -> Array:
    """Mean of |output - target| over the elements of each sample.

    Raises:
        DataError: the shapes differ.
    """
    output, target = flat_pairs(output, target)
    error: Array = np.abs(output - target).mean(axis=1)
    return error


def squared_error(output: Array, target: Array) -> Array:
    """Mean of (output - target)^2 over the elements of each sample.

    Raises:
        DataError: the shapes differ.
    """
    output, target = flat_pairs(output, target)
    error: Array = np.square(output - target).mean(axis=1)
    return error


def cosine_similarity(output: Array, target: Array) -> Array:
    """Cosine of the angle between output and target, each as one vector; with a zero vector 0, of two of them 1.

    Raises:
        DataError: the shapes differ.
    """
    output, target = flat_pairs(output, target)
    lengths = np.stack([np.linalg.norm(output, axis=1), np.linalg.norm(target, axis=1)])
    one, other = np.where(lengths > 0, lengths, 1)[..., np.newaxis]
    cosine = np.sum((output / one) * (target / other), axis=1)
    both_zero = (lengths == 0).all(axis=0)
    return np.where(both_zero, 1.0, np.clip(cosine, -1.0, 1.0))  # beyond 1 there is only rounding


def intersection_over_union(output: Array, target: Array) -> Array:
    """Intersection over union of the masks of each sample.

    An output of the target's shape is one binary mask, set where it is above 0.5. An output with one more axis,
    the last, has a channel for each class; the value is the mean over the classes in either mask of the sample.
    Two empty binary masks agree: 1.

    Raises:
        DataError: the shapes do not fit, or the target is not made of 0 and 1, or of classes of the output.
    """
    if sample_shape(output) == sample_shape(target):
        _check_mask(target, 2)
        size = len(output)
        return _binary_iou(output.reshape(size, -1) > 0.5, target.reshape(size, -1) > 0.5)
    classes = output.shape[-1]
    chosen = output.argmax(axis=-1)
    if output.ndim < 3 or sample_shape(chosen) != sample_shape(target):
        expected = f"masks of the output's shape {shape(output)}, or of classes without its last axis"
        raise DataError(WHERE, expected, shape(target))
    _check_mask(target, classes)
    return _mean_iou(chosen.reshape(len(output), -1), target.reshape(len(output), -1).astype(np.int64), classes)


def _check_mask(target: Array, classes: int) -> None:
    bad = target[(target < 0) | (target >= classes) | (target != np.floor(target))]
    if bad.size:
        raise DataError(WHERE, f"masks of whole numbers from 0 to {classes - 1} for iou", f"{bad.flat[0]}")


def _binary_iou(output: Array, target: Array) -> Array:
    both, either = (output & target).sum(axis=1), (output | target).sum(axis=1)
    ratio: Array = np.where(either, both / np.maximum(either, 1), 1.0)
    return ratio


def _mean_iou(output: Array, target: Array, classes: int) -> Array:
    rows = np.arange(len(output))[:, np.newaxis] * classes

    def count(values: Array) -> Array:
        return np.bincount(values.ravel(), minlength=len(output) * classes).reshape(len(output), classes)

    both = np.bincount((rows + target)[output == target], minlength=len(output) * classes).reshape(-1, classes)
    either = count(rows + output) + count(rows + target) - both
    ratio: Array = (both / np.maximum(either, 1)).sum(axis=1) / (either > 0).sum(axis=1)
    return ratio


SCORES = MappingProxyType(
    {
        "mae": absolute_error,
        "mse": squared_error,
        "cosine_similarity": cosine_similarity,
        "iou": intersection_over_union,
    }
)
