"""Metrics that only a whole set has: the paired bootstrap.

B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), with as many samples in each draw as there
are, or `_LARGEST` where there are more: P. Bickel, F. Goetze and W. van Zwet, "Resampling fewer than n observations",
Statistica Sinica 7 (1997) 1-31. So its cost does not grow with the data.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.gate.evidence import Approximate
from litegate.gate.outcomes import Outcomes
from litegate.spec import MIN_SAMPLES

__all__ = ["Replicates", "Undefined", "Value", "bootstrap"]

Array = np.ndarray[Any, np.dtype[Any]]
Value = Callable[[Array, Array], float]

_DRAWS = 400
_LARGEST = 4_000
_LEAST_DEFINED = 0.95
_GROUPS = 300


class Undefined(ValueError):
    """The metric has no value on these samples, or on too many of their resamples."""


@dataclass(frozen=True)
class Replicates:
    """Values of two artifacts on the same samples and on the same resamples of them.

    Attributes:
        first, second: the values on all samples.
        drawn_first, drawn_second: the values on each resample, of `drawn` of the `samples` samples.
        left_first, left_second: the values without each of some groups of `left_out` samples (the jackknife).
    """

    first: float
    second: float
    drawn_first: Array
    drawn_second: Array
    left_first: Array
    left_second: Array
    samples: int
    drawn: int
    left_out: int

    def contrast(self, weight_first: float, weight_second: float, shift: float, reach: float | None) -> Approximate:
        """Evidence of `weight_first * first + weight_second * second + shift`.

        Args:
            reach: how far a single sample may take it; None: as far as any that was seen.
        """
        estimate = weight_first * self.first + weight_second * self.second
        spread = np.std(weight_first * self.drawn_first + weight_second * self.drawn_second, ddof=1)
        if reach is None:
            without = weight_first * self.left_first + weight_second * self.left_second
            reach = float(np.abs(without - estimate).max(initial=0.0)) * (self.samples - self.left_out)
        return Approximate(
            self.samples,
            estimate + shift,
            float(spread) * math.sqrt(self.drawn / self.samples),
            reach,
            reach,
            enough=self.samples >= MIN_SAMPLES,
        )


def bootstrap(value: Value, first: Outcomes, second: Outcomes, seed: int, jackknife: bool) -> Replicates:
    """Draw pairs with replacement, and compute both values on each draw.

    Args:
        value: the metric of (output, target).
        first, second: outcomes of the same samples in the same order.
        jackknife: whether to find out how far single samples take the values, which metrics without a range need.

    Raises:
        Undefined: the metric has no value on the samples, or not on nearly all draws.
    """
    samples = len(first)
    drawn = min(samples, _LARGEST)
    generator = np.random.default_rng(seed)
    draws = [generator.integers(0, samples, drawn) for _ in range(_DRAWS)]
    defined = _values(value, first, second, draws)
    if len(defined) < _LEAST_DEFINED * _DRAWS:
        raise Undefined(f"the metric has no value on {_DRAWS - len(defined)} of {_DRAWS} resamples")
    whole = _values(value, first, second, [np.arange(samples)])
    if not len(whole):
        raise Undefined("the metric has no value on these samples")
    left_out = -(-samples // _GROUPS)
    groups = _leaving_out(samples, left_out) if jackknife and samples > left_out else []
    left = _values(value, first, second, groups)
    return Replicates(
        first=float(whole[0, 0]),
        second=float(whole[0, 1]),
        drawn_first=defined[:, 0],
        drawn_second=defined[:, 1],
        left_first=left[:, 0],
        left_second=left[:, 1],
        samples=samples,
        drawn=drawn,
        left_out=left_out,
    )


def _leaving_out(samples: int, size: int) -> list[Array]:
    """All samples but a group of neighbours, for each group."""
    everything = np.arange(samples)
    return [np.delete(everything, slice(start, start + size)) for start in range(0, samples, size)]


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
