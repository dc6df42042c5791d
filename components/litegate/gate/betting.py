"""Evidence that may be looked at after every sample: betting against the limit.

Whoever bets, at fair odds, that a bounded mean is below a limit multiplies the stake by 1 + bet * (limit - value)
with every sample. If the mean is in truth at the limit or above, the capital is a nonnegative supermartingale, and
by Ville's inequality it ever reaches 1/alpha with probability at most alpha, whenever one stops: I. Waudby-Smith
and A. Ramdas, "Estimating means of bounded random variables by betting", J. R. Statist. Soc. B 86 (2024) 1-27.
The stake is spread evenly over bets of all sizes, so that the capital depends on the values and not on their
order: F. Orabona and K.-S. Jun, "Tight concentrations and confidence sequences from the regret of universal
portfolio", IEEE Trans. Inf. Theory 70 (2024) 436-455.

Where samples come in clusters, one bets on whole clusters: on the sum of limit - value over each, and never more
than the largest of them can bear. Groups are known and are visited as a whole. That a sample is the copy of an
earlier one is only found when it is seen, and then it says nothing new. So two bets must be won: one on what is new
alone, and one on all that is known of each cluster so far. The first is valid whenever one stops, if what is lost does
not depend on how often a sample is there; the second whatever it depends on, each time that one looks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from litegate.gate.composed import Unanimous
from litegate.gate.evidence import Evidence, root
from litegate.outcomes.clusters import Clusters

__all__ = ["Betting", "betting"]

Array = np.ndarray[Any, np.dtype[Any]]

_BETS = 0.99 * np.geomspace(2.0**-11, 1.0, 16)
"""Sizes of the bets, as shares of the largest that cannot ruin."""
_FEW, _PAIRS = 64, 1 << 20


@dataclass(frozen=True)
class Betting:
    """An anytime-valid sequence of bounds for the mean of values in [low, high].

    Attributes:
        values: of each cluster the sum of its values; a sample by itself is a cluster.
        weights: how often each of `values` was seen.
        sizes: how many samples each of them is the sum of.
        largest: the size that no cluster exceeds.
    """

    values: Array
    weights: Array
    low: float
    high: float
    sizes: Array | float = 1.0
    largest: float = 1.0

    @classmethod
    def of(cls, values: Array, low: float, high: float) -> Betting:
        """The evidence of one value for each sample."""
        if len(values) > _FEW:
            distinct, counts = np.unique(values, return_counts=True)
            if len(distinct) <= _FEW:
                return cls(distinct.astype(float), counts.astype(float), low, high)
        return cls(np.asarray(values, float), np.ones(len(values)), low, high)

    @classmethod
    def of_sums(cls, sums: Array, sizes: Array, low: float, high: float, largest: float) -> Betting:
        """The evidence of one sum for each cluster."""
        found, of_size, counts = _pairs(sums, sizes)
        return cls(found, counts.astype(float), low, high, of_size, max(largest, float(sizes.max())))

    @property
    def samples(self) -> int:
        """Number of samples."""
        return round(float((self.sizes * self.weights).sum()))

    @property
    def host_samples(self) -> int | None:
        """None: all ran on the target."""
        return None

    @property
    def clusters(self) -> int | None:
        """Number of clusters; None where each is a sample by itself."""
        return None if isinstance(self.sizes, float) else round(float(self.weights.sum()))

    @property
    def estimate(self) -> float:
        """Their mean."""
        return float((self.values * self.weights).sum() / (self.sizes * self.weights).sum())

    def p_within(self, limit: float) -> float:
        """One over the capital of betting that the mean is below `limit`."""
        return self._p(limit * self.sizes - self.values, (self.high - limit) * self.largest)

    def p_beyond(self, limit: float) -> float:
        """One over the capital of betting that the mean is above `limit`."""
        return self._p(self.values - limit * self.sizes, (limit - self.low) * self.largest)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Bounds that hold at all times at once, each one-sided."""
        alpha = 1 - confidence
        low = root(lambda limit: alpha - self.p_beyond(limit), self.low, self.estimate, 40)
        high = root(lambda limit: self.p_within(limit) - alpha, self.estimate, self.high, 40)
        return low, high

    def scaled(self, factor: float) -> Betting:
        """The same values, `factor` times as often."""
        return replace(self, weights=self.weights * factor)

    def _p(self, gains: Array, largest_loss: float) -> float:
        bets = _BETS[:, None] / max(largest_loss, 1e-9)
        with np.errstate(over="ignore"):
            growth = (np.log1p(np.maximum(bets * gains, -0.999999)) * self.weights).sum(axis=1)
        log_capital = float(np.logaddexp.reduce(growth)) - math.log(len(_BETS))
        return math.exp(-min(max(log_capital, 0.0), 700.0))


def _pairs(sums: Array, sizes: Array) -> tuple[Array, Array, Array]:
    """The distinct pairs of a sum and a size, and how often each is there; those of small whole sums are counted."""
    whole, base = np.rint(sums).astype(np.int64), int(sizes.max()) + 1
    least = int(whole.min())
    if np.array_equal(whole, sums) and (int(whole.max()) - least + 1) * base < _PAIRS:
        counts = np.bincount((whole - least) * base + sizes.astype(np.int64))
        pairs = np.flatnonzero(counts)
        return (pairs // base + least).astype(float), (pairs % base).astype(float), counts[pairs]
    distinct, counts = np.unique(sums + 1j * sizes, return_counts=True)
    return distinct.real, distinct.imag, counts


def betting(values: Array, low: float, high: float, clusters: Clusters | None, largest_group: int) -> Evidence:
    """The evidence of one value for each sample, in the order of the visits.

    Args:
        clusters: None where all are independent.
        largest_group: samples in the largest group that there is, seen or not.
    """
    if clusters is None:
        return replace(Betting.of(values, low, high), largest=float(largest_group))
    known = Betting.of_sums(clusters.sums(values), clusters.sizes, low, high, largest_group)
    new = clusters.first_visits
    if len(new) == len(values):
        return known
    sums, sizes = (np.bincount(clusters.number[new], weights) for weights in (values[new], None))
    return Unanimous((known, Betting.of_sums(sums, sizes, low, high, largest_group)))
