"""The values of metrics of whole sets, as scikit-learn has them, for one score a sample: many times faster.

A bootstrap computes a value several hundred times for each verdict, and most of scikit-learn's time is spent on checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.stats import rankdata

__all__ = ["VALUES"]

Array = np.ndarray[Any, np.dtype[Any]]


def roc_auc(output: Array, target: Array) -> float:
    """The share of pairs of both classes in the right order; a tie is half of one."""
    positive = target == 1
    ones = int(positive.sum())
    others = _both(ones, len(target) - ones)
    return float((rankdata(output)[positive].sum() - ones * (ones + 1) / 2) / (ones * others))


def average_precision(output: Array, target: Array) -> float:
    """The precision at each threshold, by how much of the recall it adds."""
    order = np.argsort(-output, kind="stable")
    hits, scores = np.cumsum(target[order] == 1), output[order]
    _both(int(hits[-1]), len(target) - int(hits[-1]))
    last = np.append(scores[1:] != scores[:-1], True)
    precision, recall = hits[last] / (np.flatnonzero(last) + 1), hits[last] / hits[-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def _both(ones: int, others: int) -> int:
    if not ones or not others:
        raise ValueError("all samples are of one class")
    return others


def macro_f1(output: Array, target: Array) -> float:
    """The mean over all classes that are there or are predicted."""
    classes = int(max(output.max(), target.max())) + 1
    table = np.bincount(target * classes + output, minlength=classes**2).reshape(classes, classes)
    there = table.sum(axis=0) + table.sum(axis=1)
    found = there > 0
    return float(np.mean(2 * np.diag(table)[found] / there[found]))


def rmse(output: Array, target: Array) -> float:
    """The root of the mean squared difference."""
    return float(np.sqrt(np.mean((output - target) ** 2)))


VALUES: Mapping[str, Callable[[Array, Array], float]] = MappingProxyType(
    {"roc_auc": roc_auc, "average_precision": average_precision, "macro_f1": macro_f1, "rmse": rmse}
)
