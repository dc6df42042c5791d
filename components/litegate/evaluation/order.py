"""Which samples of a dataset a file sees, and in which order: by the seed and the samples' names alone."""

from __future__ import annotations

from typing import Any

import numpy as np

from litegate.datasets import Dataset
from litegate.datasets.sampling import choose, in_random_order
from litegate.records import SampleChoice

__all__ = ["ends_of_groups", "order_of", "target_order"]

Array = np.ndarray[Any, np.dtype[Any]]


def order_of(choice: SampleChoice, dataset: Dataset) -> Array | range:
    """All samples that are asked for, in random order if the evaluation may end early."""
    chosen = (dataset.ids, choice.max_samples, choice.seed)
    if choice.in_random_order:
        return in_random_order(*chosen, dataset.groups)
    if choice.max_samples is None or choice.max_samples >= len(dataset.ids):
        return range(len(dataset.ids))
    return choose(*chosen)


def target_order(choice: SampleChoice, dataset: Dataset) -> Array | range:
    """Those of them that the target runs: all, or a random part."""
    order = order_of(choice, dataset)
    if choice.target_samples is not None and choice.target_samples < len(order):
        return _part_of(order, choice.target_samples, choice.seed, dataset)
    return order


def _part_of(order: Array | range, count: int, seed: int, dataset: Dataset) -> Array:
    """A random part of the samples: whole groups, as many as there are room for, and at least one."""
    ranked = in_random_order(dataset.ids, None, seed, dataset.groups)
    ranked = ranked[np.isin(ranked, np.asarray(order))]
    ends = ends_of_groups(None if dataset.groups is None else dataset.groups[ranked])
    if ends is None:
        return ranked[:count]
    return ranked[: ends[max(int(np.searchsorted(ends, count, side="right")) - 1, 0)]]


def ends_of_groups(groups: Array | None) -> Array | None:
    """Numbers of visited samples after which a group is whole; None where there are no groups.

    Args:
        groups: of the samples as they are visited, one group after the other.
    """
    if groups is None:
        return None
    return np.append(np.flatnonzero(groups[1:] != groups[:-1]) + 1, len(groups))
