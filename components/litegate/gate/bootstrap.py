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


class Undefined(ValueError):
    """The metric has no value on these samples, or on too many of their resamples."""


@dataclass(frozen=True)
class Replicates:
    """Values of two artifacts on the same samples and on the same resamples of them.

    Attributes:
        first, second: the values on all samples.
        drawn_first, drawn_second: the values on each resample, of `drawn` of the `samples` samples.
    """

    first: float
    second: float
    drawn_first: Array
    drawn_second: Array
    samples: int
    drawn: int

    def contrast(self, weight_first: float, weight_second: float, shift: float, reach: float) -> Approximate:
        """Evidence of `weight_first * first + weight_second * second + shift`."""
        spread = np.std(weight_first * self.drawn_first + weight_second * self.drawn_second, ddof=1)
        return Approximate(
            self.samples,
            weight_first * self.first + weight_second * self.second + shift,
            float(spread) * math.sqrt(self.drawn / self.samples),
            reach,
            reach,
            enough=self.samples >= MIN_SAMPLES,
        )


def bootstrap(value: Value, first: Outcomes, second: Outcomes, seed: int) -> Replicates:
    """Draw pairs with replacement, and compute both values on each draw.

    Args:
        value: the metric of (output, target).
        first, second: outcomes of the same samples in the same order.

    Raises:
        Undefined: the metric has no value on the samples, or not on nearly all draws.
    """
    samples = len(first)
    drawn = min(samples, _LARGEST)
    generator = np.random.default_rng(seed)
    values = [_both(value, first, second, generator.integers(0, samples, drawn)) for _ in range(_DRAWS)]
    defined = np.array([pair for pair in values if np.isfinite(pair).all()])
    if len(defined) < _LEAST_DEFINED * _DRAWS:
        raise Undefined(f"the metric has no value on {_DRAWS - len(defined)} of {_DRAWS} resamples")
    whole = _both(value, first, second, np.arange(samples))
    if not np.isfinite(whole).all():
        raise Undefined("the metric has no value on these samples")
    return Replicates(*whole, defined[:, 0], defined[:, 1], samples, drawn)


def _both(value: Value, first: Outcomes, second: Outcomes, rows: Array) -> tuple[float, float]:
    return _value(value, first, rows), _value(value, second, rows)


def _value(value: Value, outcomes: Outcomes, rows: Array) -> float:
    assert outcomes.output is not None
    assert outcomes.target is not None
    try:
        return float(value(outcomes.output[rows], outcomes.target[rows]))
    except ValueError:  # a resample may lack a class
        return math.nan
