"""What a sample says of a true value: p-values against a limit from either side, and one-sided bounds.

Every class answers the same questions, so that a clause of the policy need not know where its evidence is from:

- `p_within(limit)`: the p-value of "the true value is `limit` or more". It is small where the value is proved
  to be within the limit.
- `p_beyond(limit)`: the p-value of "the true value is `limit` or less".
- `bounds(confidence)`: the lower and the upper bound, each one-sided at `confidence`.
- `scaled(factor)`: the same evidence as `factor` times as many samples would give it.
- `host_samples`: how many samples the host ran, where the evidence is also from there; see `litegate.gate.two_phase`.
- `clusters`: how many clusters the samples are in; None where they are independent of each other.

What is made of other evidence is in `litegate.gate.composed`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Protocol

__all__ = [
    "Approximate",
    "Evidence",
    "PairedProportions",
    "needed",
    "root",
]

_NORMAL = NormalDist()
_MOST = 1e6
"""More samples than so many times what there is are not worth asking for."""


class Evidence(Protocol):
    """See the module's documentation."""

    @property
    def samples(self) -> int: ...  # noqa: D102
    @property
    def host_samples(self) -> int | None: ...  # noqa: D102
    @property
    def clusters(self) -> int | None: ...  # noqa: D102
    @property
    def estimate(self) -> float: ...  # noqa: D102
    def p_within(self, limit: float) -> float: ...  # noqa: D102
    def p_beyond(self, limit: float) -> float: ...  # noqa: D102
    def bounds(self, confidence: float) -> tuple[float, float]: ...  # noqa: D102
    def scaled(self, factor: float) -> Evidence: ...  # noqa: D102


@dataclass(frozen=True)
class PairedProportions:
    """Pairs of right and wrong answers: `lost` right only in the first, `gained` only in the second.

    The score test for the difference of paired proportions: T. Tango, "Equivalence test and confidence interval
    for the difference in proportions for the paired-sample design", Statistics in Medicine 17 (1998) 891-908,
    with Yates' continuity correction, without which a rare loss is missed a little more often than stated.
    """

    total: float
    lost: float
    gained: float

    @property
    def samples(self) -> int:
        """Number of pairs."""
        return round(self.total)

    @property
    def host_samples(self) -> int | None:
        """None: all ran on the target."""
        return None

    @property
    def clusters(self) -> int | None:
        """None: the pairs are independent."""
        return None

    @property
    def estimate(self) -> float:
        """The first proportion minus the second."""
        return (self.lost - self.gained) / self.total

    def p_within(self, limit: float) -> float:
        """See the module."""
        return _NORMAL.cdf(self.score(limit, +0.5))

    def p_beyond(self, limit: float) -> float:
        """See the module."""
        return _NORMAL.cdf(-self.score(limit, -0.5))

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Inverts the two tests."""
        alpha = 1 - confidence
        low = root(lambda limit: alpha - self.p_beyond(limit), -1.0, self.estimate)
        high = root(lambda limit: self.p_within(limit) - alpha, self.estimate, 1.0)
        return low, high

    def scaled(self, factor: float) -> PairedProportions:
        """See the module."""
        return PairedProportions(self.total * factor, self.lost * factor, self.gained * factor)

    def score(self, delta: float, correction: float) -> float:
        """The statistic for the hypothesis that the difference is `delta`."""
        numerator = self.lost - self.gained - self.total * delta + correction
        variance = self.variance(delta)
        return numerator / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, numerator)

    def variance(self, delta: float) -> float:
        """Of lost minus gained, were the difference `delta`."""
        a, c = 2 * self.total, -self.gained * delta * (1 - delta)
        b = -self.lost - self.gained + (2 * self.total - self.lost + self.gained) * delta
        rare = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
        return self.total * (2 * rare + delta * (1 - delta))


@dataclass(frozen=True)
class Approximate:
    """An estimate with its standard error, normal but for what a sample of this size cannot have shown.

    A loss that happens to fewer than ln(1/alpha) of n samples is missed with probability alpha (for 5 % the "rule
    of three": J. Hanley and A. Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983)
    1743-1745). The bound allows for one of the size `allowance`, so that a spread of zero proves nothing by itself.

    Attributes:
        allowance_low, allowance_high: how far a single sample may lie below and above the estimate.
        enough: whether there are samples enough for a mean to be normal; if not, nothing is proved.
    """

    total: float
    estimate: float
    error: float
    allowance_low: float
    allowance_high: float
    enough: bool = True

    @property
    def samples(self) -> int:
        """Number of samples."""
        return round(self.total)

    @property
    def host_samples(self) -> int | None:
        """None: all ran on the target."""
        return None

    @property
    def clusters(self) -> int | None:
        """None: the samples are independent."""
        return None

    def p_within(self, limit: float) -> float:
        """See the module."""
        return self._p(limit - self.estimate, self.allowance_high)

    def p_beyond(self, limit: float) -> float:
        """See the module."""
        return self._p(self.estimate - limit, self.allowance_low)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """The estimate, the normal quantile of its error, and the allowance for what was not seen."""
        if not self.enough:
            return -math.inf, math.inf
        alpha = 1 - confidence
        return (
            self.estimate - self._distance(alpha, self.allowance_low),
            self.estimate + self._distance(alpha, self.allowance_high),
        )

    def scaled(self, factor: float) -> Approximate:
        """See the module."""
        return replace(self, total=self.total * factor, error=self.error / math.sqrt(factor))

    def _deviate(self, alpha: float) -> float:
        """So many standard errors are exceeded with probability `alpha`."""
        return _NORMAL.inv_cdf(1 - alpha)

    def _missed(self, alpha: float) -> float:
        """The largest share of all samples of which none is seen with probability `alpha`."""
        return math.log(1 / alpha) / self.total

    def _distance(self, alpha: float, allowance: float) -> float:
        return self._deviate(alpha) * self.error + allowance * self._missed(alpha)

    def _p(self, distance: float, allowance: float) -> float:
        """The level at which the bound lies just `distance` away; 1 where no level up to a half does."""
        if not self.enough or distance <= self._distance(0.5, allowance):
            return 1.0
        exponent = root(lambda power: distance - self._distance(math.exp(-power), allowance), math.log(2), 34.0)
        return math.exp(-exponent)


def needed(evidence: Evidence, limit: float, alpha: float) -> int | None:
    """How many samples would decide at level `alpha`, if all else stays what it is; None where no number would."""
    p_value = evidence.p_within if evidence.estimate < limit else evidence.p_beyond
    if evidence.estimate == limit:
        return None
    if p_value(limit) <= alpha:
        return evidence.samples

    def excess(power: float) -> float:
        more = evidence.scaled(math.exp(power))
        return (more.p_within if evidence.estimate < limit else more.p_beyond)(limit) - alpha

    if excess(math.log(_MOST)) > 0:
        return None
    return math.ceil(evidence.samples * math.exp(root(excess, 0.0, math.log(_MOST), 30)))


def root(function: Callable[[float], float], left: float, right: float, steps: int = 60) -> float:
    """Where a falling function passes zero, by bisection; the end that is nearest where it does not."""
    for _ in range(steps):
        middle = (left + right) / 2
        if function(middle) > 0:
            left = middle
        else:
            right = middle
    return (left + right) / 2
