"""Whether float32 is any better than an answer that does not look at the input.

For `topK` that is to answer the K most frequent classes, for `macro_f1` the most frequent one (where float32 itself
always answers one class, that class), for rankings a random order. It is an error where all samples were looked at and
float32 is no better, or where a bound on a part of them says so at 99 %; a warning where the part cannot tell.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np

__all__ = ["Skill", "skill_of_classes", "skill_of_f1", "skill_of_ranking"]

Array = np.ndarray[Any, np.dtype[Any]]
_SURE, _UNSURE = 2.326, 1.645
"""One-sided normal quantiles at 99 and 95 %."""
_OTHERS = 30
"""With so many samples that the constant answer gets wrong, getting none of them right is no accident."""
_DRAWS = 200


class Skill:
    """What the baseline is worth beside an answer that does not look.

    Attributes:
        value, blind: of the baseline, and of that answer.
        low, high: bounds of the difference.
    """

    def __init__(self, value: float, blind: float, low: float, high: float) -> None:
        self.value, self.blind, self.low, self.high = value, blind, low, high

    def severity(self, complete: bool) -> Literal["error", "warning"] | None:
        """How bad it is; `complete` if all samples were looked at."""
        if self.high <= 0 or (complete and self.value <= self.blind):
            return "error"
        return "warning" if self.low <= 0 else None


def skill_of_classes(right: Array, labels: Array, k: int = 1, predictions: Array | None = None) -> Skill:
    """Of right answers, against always answering the `k` most frequent classes.

    Args:
        right: (n,) bool.
        labels: (n,) classes, of several.
        predictions: (n,) the first answers, where they are known.
    """
    values, counts = np.unique(labels, return_counts=True)
    always = None if predictions is None or k > 1 else _only(predictions)
    blind = np.isin(labels, values[np.argsort(-counts, kind="stable")[:k]] if always is None else always)
    gained = right.astype(float) - blind
    mean, error = float(gained.mean()), float(gained.std()) / math.sqrt(len(labels))
    return Skill(float(right.mean()), float(blind.mean()), mean - _UNSURE * error, _high(mean, error, ~blind))


def skill_of_f1(predictions: Array, labels: Array) -> Skill:
    """Of the mean F1 of the classes, against always answering the most frequent class; by the bootstrap."""
    values, counts = np.unique(labels, return_counts=True)
    always = _only(predictions)
    largest = values[counts.argmax()] if always is None else always
    cells, sizes = np.unique(np.stack([predictions, labels]), axis=1, return_counts=True)
    answered, right, constant = *cells, np.full(len(sizes), largest)
    draws = np.random.default_rng(0).multinomial(len(labels), sizes / len(labels), _DRAWS)
    found = [_f1(answered, right, each) - _f1(constant, right, each) for each in draws]
    value, blind = _f1(answered, right, sizes), _f1(constant, right, sizes)
    error = float(np.std(found))
    high = _high(value - blind, error, labels != largest)
    return Skill(value, blind, value - blind - _UNSURE * error, high)


def skill_of_ranking(scores: Array, labels: Array) -> Skill:
    """Of the area under the ROC curve, the mean of each class against the rest, against a half.

    Args:
        scores: (n,) of the second of two classes, or (n, classes).
        labels: (n,) classes, of several.
    """
    columns = {1: scores} if scores.ndim == 1 else dict(enumerate(scores.T))
    areas = [
        _area(column, labels == label) for label, column in columns.items() if 0 < np.sum(labels == label) < len(labels)
    ]
    if not areas:
        return Skill(0.5, 0.5, -1.0, 1.0)
    value = float(np.mean([area for area, _ in areas]))
    error = float(np.mean([error for _, error in areas]))
    high = value - 0.5 + _SURE * error
    return Skill(value, 0.5, value - 0.5 - _UNSURE * error, high)


def _only(predictions: Array) -> int | None:
    """The class that is always answered, if it is one."""
    first = int(predictions[0])
    return first if np.all(predictions == first) else None


def _high(mean: float, error: float, others: Array) -> float:
    """No bound where a model that is no worse met hardly a sample that the constant answer gets wrong."""
    return mean + _SURE * error if mean < 0 or others.sum() >= _OTHERS else math.inf


def _f1(predictions: Array, labels: Array, weights: Array) -> float:
    """Mean over the classes that are answered or right."""
    size = int(max(predictions.max(), labels.max())) + 1
    hits = np.bincount(labels, weights * (predictions == labels), size)
    total = np.bincount(labels, weights, size) + np.bincount(predictions, weights, size)
    there = total > 0
    return float((2 * hits[there] / total[there]).mean())


def _area(scores: Array, positive: Array) -> tuple[float, float]:
    """The area by the ranks, equal scores sharing theirs, and its standard error where there is no skill."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    ours = int(positive.sum())
    theirs = len(positive) - ours
    area = (float(ranks[positive].sum()) - ours * (ours + 1) / 2) / (ours * theirs)
    return area, math.sqrt((ours + theirs + 1) / (12 * ours * theirs))
