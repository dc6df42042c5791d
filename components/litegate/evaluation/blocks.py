"""Which samples are visited in which order, and after how many of them a verdict is sought.

The gate is imported where an evaluation may end early, and only there: any other does not depend on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from litegate.records import Stopping
from litegate.spec import MIN_SAMPLES

__all__ = ["Plan", "as_rows", "cumulative_counts"]

Array = np.ndarray[Any, np.dtype[Any]]
FIRST_BLOCK = 256
"""The smallest block of a sequential evaluation; each is a quarter of what was seen before, or this."""


@dataclass(frozen=True)
class Plan:
    """What is known before anything is evaluated.

    Attributes:
        order: samples as they are visited.
        counts: see `cumulative_counts`.
        class_samples: how many samples of each class there are in `order`.
        slice_samples: how many of each value there are, by field of slices.
        largest_group: samples in the largest group there.
    """

    order: Array | range
    counts: list[int]
    class_samples: Mapping[int, int] = field(default_factory=dict)
    slice_samples: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    largest_group: int = 1


def cumulative_counts(stopping: Stopping | None, available: int, ends: Array | None = None) -> list[int]:
    """Numbers of samples after which a verdict is sought; the last is `available`.

    Args:
        ends: see `litegate.evaluation.order.ends_of_groups`. No group is then cut, and an interim analysis has clusters
            enough to prove anything.
    """
    if stopping is None:
        return [available]
    if ends is None:
        return _counts(stopping.first_samples, available)
    first = stopping.first_samples
    if first is not None:
        first = max(first, int(ends[min(MIN_SAMPLES, len(ends)) - 1]))
    counts = np.array(_counts(first, available))
    whole: list[int] = np.unique(ends[np.searchsorted(ends, counts)]).tolist()
    return whole


def _counts(first_samples: int | None, available: int) -> list[int]:
    if first_samples is not None:
        from litegate.gate.stopping import interim_analyses

        return interim_analyses(first_samples, available)
    counts, seen = [], 0
    while seen < available:
        seen = min(available, seen + max(FIRST_BLOCK, seen // 4))
        counts.append(seen)
    return counts


def as_rows(index: Array | range) -> Array | slice:
    """Neighbours as a slice: numpy makes a list of a range."""
    first, last, size = int(index[0]), int(index[-1]), len(index)
    if isinstance(index, range) or (last - first + 1 == size and bool(np.all(np.diff(index) == 1))):
        return slice(first, last + 1)
    return index
