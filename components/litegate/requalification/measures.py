"""Measures of drift, and how large each gets by chance alone.

Chance is taken as if a sample were one value. A sample of many values says more than that, so where inputs are
images or the like drift has to be somewhat larger to be called so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

__all__ = ["CHANCE", "outside", "outside_by_chance", "psi", "psi_by_chance", "shift", "shift_by_chance"]

Array = np.ndarray[Any, np.dtype[Any]]
CHANCE = 0.001
"""How often a measure exceeds what chance is said to give, where nothing has drifted."""


def outside(values: Array, low: float, high: float) -> float:
    """The share of the values that are below `low` or above `high`."""
    return float(np.mean((values < low) | (values > high)))


def shift(mean: float, std: float, now: float) -> float:
    """Distance of the means in standard deviations of the first samples: |now - mean| / std.

    0 where those were constant: what is not that constant is outside of their range.
    """
    return abs(now - mean) / std if std else 0.0


def psi(first: Sequence[float], second: Sequence[float], samples: tuple[int, int]) -> float:
    """Population stability index of two distributions over the same bins: sum of (q - p) ln(q / p).

    It is the sum of both Kullback-Leibler divergences (Jeffreys 1946; Siddiqi, Credit Risk Scorecards, 2006, calls
    0.1 to 0.25 a small change, and more a large one). Half a sample is added to each bin, since what was not seen
    among n samples is rare, and not impossible.

    Args:
        first, second: shares by bin, each summing to 1.
        samples: how many samples each of them is of.
    """
    p, q = (
        (np.asarray(shares) * count + 0.5) / (count + 0.5 * len(shares))
        for shares, count in zip((first, second), samples, strict=True)
    )
    return float(np.sum((q - p) * np.log(q / p)))


def outside_by_chance(first: int, second: int) -> float:
    """The share of `second` samples that lie outside of the range of `first` others, of one distribution.

    How many do has the distribution of exceedances (Gumbel, von Schelling: The distribution of the number of
    exceedances, Ann. Math. Statist. 21, 1950), which is beta-binomial: C(m, k) B(k + 2, m - k + n - 1) / B(2, n - 1).
    """
    if first < 2:
        return 1.0
    left, total = 0, 0.0
    while left < second:
        total += math.exp(_log_exceedances(first, second, left))
        if total >= 1 - CHANCE:
            break
        left += 1
    return left / second


def shift_by_chance(first: int, second: int) -> float:
    """The shift between `first` and `second` samples of one distribution: z sqrt(1/n + 1/m)."""
    return NormalDist().inv_cdf(1 - CHANCE / 2) * math.sqrt(1 / first + 1 / second)


def psi_by_chance(bins: int, first: int, second: int) -> float:
    """The index between `first` and `second` samples of one distribution.

    It is (1/n + 1/m) times a chi-square variable with bins - 1 degrees of freedom (Yurdakul, Naranjo: Statistical
    properties of the population stability index, J. Risk Model Validation 14, 2020), whose quantile is that of
    Wilson and Hilferty (1931).
    """
    if bins < 2:
        return 0.0
    freedom = bins - 1
    spread = 2 / (9 * freedom)
    quantile = freedom * (1 - spread + NormalDist().inv_cdf(1 - CHANCE) * math.sqrt(spread)) ** 3
    return quantile * (1 / first + 1 / second)


def _log_exceedances(first: int, second: int, number: int) -> float:
    """Logarithm of the probability that so many of `second` are outside of the range of `first`."""

    def log_beta(a: float, b: float) -> float:
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)

    ways = math.lgamma(second + 1) - math.lgamma(number + 1) - math.lgamma(second - number + 1)
    return ways + log_beta(number + 2, second - number + first - 1) - log_beta(2, first - 1)
