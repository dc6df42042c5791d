"""Metrics of single samples: the value of a set is the mean over its samples."""

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
    is_one_score,
    judged_output,
    no_single_score,
    sample_shape,
    shape,
)
from litegate.spec.metric_facts import MetricFacts

__all__ = [
    "absolute_error",
    "binary_accuracy",
    "cosine_similarity",
    "intersection_over_union",
    "metric_of_samples",
    "squared_error",
    "top",
]

Array = np.ndarray[Any, np.dtype[Any]]
Score = Callable[[Array, Array], Array]
THRESHOLD = 0.5
"""From where on a probability means the second of two classes."""
_MOST_CLASSES = 1000
_ABOUT_255 = " (pixels that do not count? Make them -1 in `preprocess`. The foreground? Make it 1)"
"""That a map of a model with an argmax inside may have; it does not say how many there are."""
_ROUNDING = 0.05
"""By how much a dequantized probability may lie outside of 0 to 1."""


def metric_of_samples(facts: MetricFacts, output: str | None = None) -> Metric:
    """The metric that comes with litegate under `facts.name`: `topK` or one of `SCORES`.

    Args:
        output: name of the one that is judged; None for the only one.
    """
    score = SCORES.get(facts.name) or partial(top, k=int(facts.name.removeprefix("top")))
    threshold = THRESHOLD if facts.name == "binary_accuracy" else None
    needs = {} if output is None else {output: OUTPUT}
    columns = partial(_columns, facts.name, score, output)
    return Metric(facts, columns, threshold=threshold, output=output, needs=needs)


def _columns(
    name: str, score: Score, chosen: str | None, outputs: Outputs, labels: Array, _: Inputs = NO_INPUTS, /
) -> dict[str, Array]:
    return {"score": score(judged_output(outputs, name, chosen), labels)}


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


def binary_accuracy(output: Array, label: Array) -> Array:
    """Whether a probability of at least `THRESHOLD` was given to class 1, or a smaller one to class 0.

    Args:
        output: (n,) or (n, 1) probabilities of class 1, as a sigmoid gives them.
        label: (n,) classes 0 and 1.

    Raises:
        DataError: there are no such labels, or the output is not one probability.
    """
    if not is_one_score(output.shape):
        raise no_single_score(output.shape, "binary_accuracy")
    check_classes(label, 2)
    scores = output.reshape(-1)
    outside = scores[(scores < -_ROUNDING) | (scores > 1 + _ROUNDING)]
    if len(outside):
        expected = "probabilities from 0 to 1, as a sigmoid gives them, for binary_accuracy; roc_auc judges any score"
        raise DataError(WHERE, expected, f"{outside[0]:g}")
    right: Array = (scores >= THRESHOLD) == (label == 1)
    return right


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

    An output of real numbers of the target's shape is one binary mask, set where it is above 0.5; two empty ones
    agree: 1. An output of integers of that shape is a map of classes, as a model with an argmax inside gives it. An
    output with one more axis, the last, has a channel for each class. The value of maps of classes is the mean over
    the classes in either map of the sample. Where the target is negative, nothing counts.

    Raises:
        DataError: the shapes do not fit, or the target is not made of 0 and 1, or of classes of the output.
    """
    if sample_shape(output) == sample_shape(target):
        size = len(output)
        if np.issubdtype(output.dtype, np.integer):
            return _of_maps(output.reshape(size, -1), target.reshape(size, -1))
        _check_mask(target, 2, "; of more classes if the output is of integers, or has a last axis of classes")
        counts = target.reshape(size, -1) >= 0
        return _binary_iou((output.reshape(size, -1) > 0.5) & counts, target.reshape(size, -1) > 0.5)
    classes = output.shape[-1]
    chosen = output.argmax(axis=-1)
    if output.ndim < 3 or sample_shape(chosen) != sample_shape(target):
        expected = f"masks of the output's shape {shape(output)}, or of classes without its last axis"
        raise DataError(WHERE, expected, shape(target))
    _check_mask(target, classes)
    return _mean_iou(chosen.reshape(len(output), -1), target.reshape(len(output), -1).astype(np.int64), classes)


def _of_maps(output: Array, target: Array) -> Array:
    """Of maps of classes, (n, elements) each; there are as many classes as are found."""
    classes = 1 + max(int(output.max()), 0)
    if output.min() < 0:
        raise DataError(WHERE, f"an output of classes from 0 to {classes - 1} for iou", f"{output.min()}")
    _check_mask(target, max(classes, _MOST_CLASSES))
    chosen, wanted = (values.astype(np.int64) for values in (output, target))
    return _mean_iou(chosen, wanted, max(classes, 1 + int(wanted.max())))


def _check_mask(target: Array, classes: int, otherwise: str = "") -> None:
    bad = target[(target >= classes) | (target != np.floor(target))]
    if bad.size:
        expected = f"masks of whole numbers from 0 to {classes - 1}, or -1 where nothing counts, for iou{otherwise}"
        raise DataError(WHERE, expected, f"{bad.flat[0]}{_ABOUT_255 if bad.flat[0] == 255 else ''}")


def _binary_iou(output: Array, target: Array) -> Array:
    both, either = (output & target).sum(axis=1), (output | target).sum(axis=1)
    ratio: Array = np.where(either, both / np.maximum(either, 1), 1.0)
    return ratio


def _mean_iou(output: Array, target: Array, classes: int) -> Array:
    """The mean over the classes in either map of each sample, (n, elements); where nothing counts is a class more."""
    output, target = (np.where(target < 0, classes, values) for values in (output, target))
    classes += 1
    rows = np.arange(len(output))[:, np.newaxis] * classes

    def count(values: Array) -> Array:
        return np.bincount(values.ravel(), minlength=len(output) * classes).reshape(len(output), classes)

    both = np.bincount((rows + target)[output == target], minlength=len(output) * classes).reshape(-1, classes)
    either = (count(rows + output) + count(rows + target) - both)[:, :-1]
    there = (either > 0).sum(axis=1)
    ratio: Array = (both[:, :-1] / np.maximum(either, 1)).sum(axis=1) / np.maximum(there, 1)
    return np.where(there, ratio, 1.0)


SCORES = MappingProxyType(
    {
        "binary_accuracy": binary_accuracy,
        "mae": absolute_error,
        "mse": squared_error,
        "cosine_similarity": cosine_similarity,
        "iou": intersection_over_union,
    }
)
