"""What measured times come to: pure functions.

Files are timed in rounds, each of them once in every round. What disturbs the host for longer than a slice disturbs all
files of a round, and so hardly the ratios within it: duet benchmarking, L. Bulej et al., "Duet benchmarking: improving
measurement accuracy in the cloud", ICPE 2020, 100-107.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np

from litegate.latency.host import Load
from litegate.records import LatencyRatio

__all__ = ["CONFIDENCE", "LEAST_ROUNDS", "Rounds", "latency_ratio", "median_interval", "noise", "percentiles"]

Rounds = Sequence[Sequence[float]]
"""Seconds of each run of a file, by round."""

CONFIDENCE = 0.95
LEAST_ROUNDS = 6
"""With fewer there is no interval at that confidence."""

_OTHERS, _WAITED, _SPREAD = 0.25, 0.05, 0.2


def percentiles(rounds: Rounds) -> tuple[float, float]:
    """Median and 95th percentile over all runs, in milliseconds."""
    runs: np.ndarray[Any, np.dtype[Any]] = np.concatenate([np.asarray(each) for each in rounds])
    middle, p95 = np.percentile(runs, (50, 95)) * 1e3
    return float(middle), float(p95)


def latency_ratio(ours: Rounds, theirs: Rounds) -> LatencyRatio | None:
    """Latency as a share of another file's, by the rounds that both were timed in.

    Returns:
        None for fewer than `LEAST_ROUNDS` rounds, or where a clock stood still.
    """
    pairs = [(median(first), median(second)) for first, second in zip(ours, theirs, strict=True)]
    if any(second <= 0 or first <= 0 for first, second in pairs):
        return None
    ratios = [first / second for first, second in pairs]
    bounds = median_interval(ratios, CONFIDENCE)
    if bounds is None:
        return None
    low, high = bounds
    return LatencyRatio(estimate=median(ratios), low=low, high=high, confidence=CONFIDENCE, rounds=len(ratios))


def median_interval(values: Sequence[float], confidence: float) -> tuple[float, float] | None:
    """Two order statistics with the median between them, whatever the distribution is: the sign test, inverted.

    The chance that the median is below the k-th smallest of n values is that of fewer than k heads in n throws of a
    coin: H. David, H. Nagaraja, "Order Statistics", 3rd ed. (2003), section 7.1.

    Returns:
        None where there are too few values.
    """
    count, below, rank = len(values), 0.0, 0
    while rank < count // 2:
        below += math.comb(count, rank) / 2**count
        if 2 * below > 1 - confidence:
            break
        rank += 1
    if rank == 0:
        return None
    ordered = sorted(values)
    return ordered[rank - 1], ordered[count - rank]


def noise(baseline: Rounds | None, load: Load) -> str:
    """What disturbed the measurement, in words; empty if nothing did.

    Args:
        baseline: times of float32, whose own rounds tell how much alike they are; None if it was not timed.
    """
    found = []
    if load.others is not None and load.others > _OTHERS:
        found.append(f"other processes used {load.others:.0%} of the host's processors")
    if load.waited is not None and load.waited > _WAITED:
        found.append(f"it waited for a processor {load.waited:.0%} of the time")
    spread = _spread(baseline) if baseline else 0.0
    if spread > _SPREAD:
        found.append(f"float32's own rounds differ by {spread:.0%}")
    return "; ".join(found)


def _spread(rounds: Rounds) -> float:
    """How far apart the rounds are, without the tenth at either end, as a share of their median."""
    middles = [median(each) for each in rounds]
    low, middle, high = np.percentile(middles, (10, 50, 90))
    return float((high - low) / middle) if middle > 0 else math.inf
