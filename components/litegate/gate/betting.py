"""Evidence that may be looked at after every sample: betting against the limit.

Whoever bets, at fair odds, that a bounded mean is below a limit multiplies the stake by 1 + bet * (limit - value)
with every sample. If the mean is in truth at the limit or above, the capital is a nonnegative supermartingale, and
by Ville's inequality it ever reaches 1/alpha with probability at most alpha, whenever one stops: I. Waudby-Smith
and A. Ramdas, "Estimating means of bounded random variables by betting", J. R. Statist. Soc. B 86 (2024) 1-27.
The stake is spread evenly over bets of all sizes, so that the capital depends on the values and not on their
order: F. Orabona and K.-S. Jun, "Tight concentrations and confidence sequences from the regret of universal
portfolio", IEEE Trans. Inf. Theory 70 (2024) 436-455.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.gate.evidence import root

__all__ = ["Betting"]

Array = np.ndarray[Any, np.dtype[Any]]

_BETS = 0.99 * np.geomspace(2.0**-11, 1.0, 16)
"""Sizes of the bets, as shares of the largest that cannot ruin."""
_FEW = 64


@dataclass(frozen=True)
class Betting:
    """An anytime-valid sequence of bounds for the mean of values in [low, high].

    `weights` says how often each of `values` was seen.
    """

    values: Array
    weights: Array
    low: float
    high: float

    @classmethod
    def of(cls, values: Array, low: float, high: float) -> Betting:
        """The evidence of one value for each sample."""
        if len(values) > _FEW:
            distinct, counts = np.unique(values, return_counts=True)
            if len(distinct) <= _FEW:
                return cls(distinct.astype(float), counts.astype(float), low, high)
        return cls(np.asarray(values, float), np.ones(len(values)), low, high)

    @property
    def samples(self) -> int:
        """Number of samples."""
        return round(float(self.weights.sum()))

    @property
    def estimate(self) -> float:
        """Their mean."""
        return float(np.average(self.values, weights=self.weights))

    def p_within(self, limit: float) -> float:
        """One over the capital of betting that the mean is below `limit`."""
        return self._p(limit - self.values, self.high - limit)

    def p_beyond(self, limit: float) -> float:
        """One over the capital of betting that the mean is above `limit`."""
        return self._p(self.values - limit, limit - self.low)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Bounds that hold at all times at once, each one-sided."""
        alpha = 1 - confidence
        low = root(lambda limit: alpha - self.p_beyond(limit), self.low, self.estimate, 40)
        high = root(lambda limit: self.p_within(limit) - alpha, self.estimate, self.high, 40)
        return low, high

    def scaled(self, factor: float) -> Betting:
        """The same values, `factor` times as often."""
        return Betting(self.values, self.weights * factor, self.low, self.high)

    def _p(self, gains: Array, largest_loss: float) -> float:
        bets = _BETS[:, None] / max(largest_loss, 1e-9)
        with np.errstate(over="ignore"):
            growth = (np.log1p(np.maximum(bets * gains, -0.999999)) * self.weights).sum(axis=1)
        log_capital = float(np.logaddexp.reduce(growth)) - math.log(len(_BETS))
        return math.exp(-min(max(log_capital, 0.0), 700.0))
