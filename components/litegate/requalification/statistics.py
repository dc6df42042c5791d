"""From the samples of an input to the few numbers that later samples are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np

from litegate.lint.summary import Summary
from litegate.records import InputStatistics

__all__ = ["shares_of", "statistics_of"]

Array = np.ndarray[Any, np.dtype[Any]]
DECILES = np.arange(1, 10) / 10


def statistics_of(summary: Summary, edges: tuple[float, ...] | None = None) -> InputStatistics:
    """The statistics of samples.

    Args:
        edges: of the bins, where they are to be those of other samples; the distinct deciles if None.
    """
    found = np.unique(np.quantile(summary.values.astype(np.float64), DECILES)) if edges is None else np.array(edges)
    return InputStatistics(
        samples=summary.samples,
        low=summary.low,
        high=summary.high,
        mean=summary.mean,
        std=summary.std,
        tails=summary.tails,
        edges=tuple(found.tolist()),
        shares=tuple(shares_of(summary.values, found).tolist()),
    )


def shares_of(values: Array, edges: Array) -> Array:
    """The share of the values in each bin, (edges + 1,): above the edge before it, up to its own."""
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return counts / len(values)
