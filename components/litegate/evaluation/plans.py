"""Which samples a file's evaluation visits, and what is known of them before it begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from litegate.datasets import Dataset
from litegate.evaluation.blocks import Plan, as_rows, cumulative_counts
from litegate.evaluation.order import ends_of_groups, target_order
from litegate.records import EvaluateRequest

__all__ = ["counted", "plan_of"]

Array = np.ndarray[Any, np.dtype[Any]]
_AT_ONCE = 1 << 16
"""Labels that are counted at once: to count takes several times the memory of what is counted."""


def plan_of(request: EvaluateRequest, dataset: Dataset, classes: int | None) -> Plan:
    """Which samples are visited in which order, and when a verdict is sought: never in the middle of a group."""
    groups, order = dataset.groups, target_order(request.choice, dataset)
    visited = None if groups is None else groups[as_rows(order)]
    counts = cumulative_counts(request.stopping, len(order), ends_of_groups(visited))
    largest = 1 if visited is None else int(np.unique(visited, return_counts=True)[1].max())
    by_class, by_slice = _class_samples(dataset, order, classes), _slice_samples(dataset, order)
    return Plan(order, counts, by_class, by_slice, largest)


def _class_samples(dataset: Dataset, order: Array | range, classes: int | None) -> dict[int, int]:
    """How many samples of each class there are to be had."""
    if dataset.labels is None or classes is None:
        return {}
    starts = range(0, len(order), _AT_ONCE)
    return counted(dataset.labels[as_rows(order[start : start + _AT_ONCE])] for start in starts)


def _slice_samples(dataset: Dataset, order: Array | range) -> dict[str, dict[str, int]]:
    """How many samples of each value there are to be had, by field of slices."""
    found = {}
    for field, values in dataset.slices.items():
        distinct, counts = np.unique(values[as_rows(order)], return_counts=True)
        names = [value.decode() for value in distinct.tolist()]
        found[field] = dict(zip(names, counts.tolist(), strict=True))
    return found


def counted(labels: Iterable[Array]) -> dict[int, int]:
    """How often each class occurs in parts of a column."""
    found: Counter[int] = Counter()
    for part in labels:
        values, counts = np.unique(part, return_counts=True)
        found.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
    return dict(sorted(found.items()))
