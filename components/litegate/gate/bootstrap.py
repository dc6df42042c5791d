"""Metrics that only a whole set has: the paired bootstrap.

B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), with as many samples in each draw as there
are, or `_LARGEST` where there are more: P. Bickel, F. Goetze and W. van Zwet, "Resampling fewer than n observations",
Statistica Sinica 7 (1997) 1-31. So its cost does not grow with the data. Where samples come in clusters, whole clusters
are drawn (A. Davison and D. Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.gate.clustered import ClusteredMean
from litegate.gate.evidence import Approximate
from litegate.outcomes.clusters import Clusters, Sizes
from litegate.outcomes.columns import Outcomes
from litegate.spec import MIN_SAMPLES

__all__ = ["Replicates", "Undefined", "Value", "bootstrap"]

Array = np.ndarray[Any, np.dtype[Any]]
Value = Callable[[Array, Array], float]

_DRAWS = 400
_LARGEST = 4_000
_FEWEST_CLUSTERS = 100
"""Fewer than so many are not drawn where there are more, however large they are."""
_LEAST_DEFINED = 0.95
_GROUPS = 300


class Undefined(ValueError):
    """The metric has no value on these samples, or on too many of their resamples."""


@dataclass(frozen=True)
class Replicates:
    """Values of two artifacts on the same samples and on the same resamples of them.

    What is drawn and left out are samples, or clusters where there are any.

    Attributes:
        first, second: the values on all samples.
        drawn_first, drawn_second: the values on each resample, of `drawn` of the `units`.
        left_first, left_second: the values without each of some groups of `left_out` units (the jackknife).
        sizes: of the clusters; None where there are none.
    """

    first: float
    second: float
    drawn_first: Array
    drawn_second: Array
    left_first: Array
    left_second: Array
    samples: int
    units: int
    drawn: int
    left_out: int
    sizes: Sizes | None = None

    def contrast(self, weight_first: float, weight_second: float, shift: float, allowance: float | None) -> Approximate:
        """Evidence of `weight_first * first + weight_second * second + shift`.

        Args:
            allowance: how far a single sample may take it; None: as far as any, or any cluster, that was seen.
        """
        estimate = weight_first * self.first + weight_second * self.second
        spread = np.std(weight_first * self.drawn_first + weight_second * self.drawn_second, ddof=1)
        error = float(spread) * math.sqrt(self.drawn / self.units)
        seen = self._allowance(weight_first, weight_second, estimate) if allowance is None else allowance
        if self.sizes is None:
            enough = self.samples >= MIN_SAMPLES
            return Approximate(self.samples, estimate + shift, error, seen, seen, enough)
        enough = self.sizes.effective >= MIN_SAMPLES
        return ClusteredMean(
            self.samples, estimate + shift, error, seen, seen, enough, self.sizes, whole=allowance is None
        )

    def _allowance(self, weight_first: float, weight_second: float, estimate: float) -> float:
        without = weight_first * self.left_first + weight_second * self.left_second
        largest = float(np.abs(without - estimate).max(initial=0.0))
        return largest * (self.units - self.left_out) * (self.samples / self.units)


def bootstrap(
    value: Value, first: Outcomes, second: Outcomes, seed: int, jackknife: bool, clusters: Clusters | None = None
) -> Replicates:
    """Draw pairs, or clusters of pairs, with replacement, and compute both values on each draw.

    Args:
        value: the metric of (output, target).
        first, second: outcomes of the same samples in the same order.
        jackknife: whether to find out how far single samples take the values, which metrics without a range need.
        clusters: of the samples; None where all are independent.

    Raises:
        Undefined: the metric has no value on the samples, or not on nearly all draws.
    """
    units, drawn = _numbers(len(first), clusters)
    generator = np.random.default_rng(seed)
    draws = [_rows(clusters, generator.integers(0, units, drawn)) for _ in range(_DRAWS)]
    defined = _values(value, first, second, draws)
    if len(defined) < _LEAST_DEFINED * _DRAWS:
        raise Undefined(f"the metric has no value on {_DRAWS - len(defined)} of {_DRAWS} resamples")
    whole = _values(value, first, second, [np.arange(len(first))])
    if not len(whole):
        raise Undefined("the metric has no value on these samples")
    left_out = -(-units // _GROUPS)
    groups = _leaving_out(units, left_out, clusters) if jackknife and units > left_out else []
    left = _values(value, first, second, groups)
    return Replicates(
        first=float(whole[0, 0]),
        second=float(whole[0, 1]),
        drawn_first=defined[:, 0],
        drawn_second=defined[:, 1],
        left_first=left[:, 0],
        left_second=left[:, 1],
        samples=len(first),
        units=units,
        drawn=drawn,
        left_out=left_out,
        sizes=None if clusters is None else clusters.distribution,
    )


def _numbers(samples: int, clusters: Clusters | None) -> tuple[int, int]:
    """How many units there are, and how many are drawn at a time."""
    if clusters is None:
        return samples, min(samples, _LARGEST)
    as_large = math.ceil(_LARGEST * len(clusters) / samples)
    return len(clusters), min(len(clusters), max(as_large, _FEWEST_CLUSTERS))


def _rows(clusters: Clusters | None, units: Array) -> Array:
    return units if clusters is None else clusters.rows(units)


def _leaving_out(units: int, size: int, clusters: Clusters | None) -> list[Array]:
    """All samples but those of a group of neighbours, for each group."""
    everything = np.arange(units)
    return [_rows(clusters, np.delete(everything, slice(start, start + size))) for start in range(0, units, size)]


def _values(value: Value, first: Outcomes, second: Outcomes, draws: list[Array]) -> Array:
    """The values of both on each draw, (draws, 2), without the draws on which one of them has none."""
    found = [(_value(value, first, rows), _value(value, second, rows)) for rows in draws]
    values: Array = np.array(found, float).reshape(-1, 2)
    return values[np.isfinite(values).all(axis=1)]


def _value(value: Value, outcomes: Outcomes, rows: Array) -> float:
    assert outcomes.output is not None
    assert outcomes.target is not None
    try:
        return float(value(outcomes.output[rows], outcomes.target[rows]))
    except ValueError:  # a resample may lack a class
        return math.nan
