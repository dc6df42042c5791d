"""What a sample says of a true value: p-values against a limit from either side, and one-sided bounds.

Every class answers the same questions, so that a clause of the policy need not know where its evidence is from:

- `p_within(limit)`: the p-value of "the true value is `limit` or more". It is small where the value is proved
  to be within the limit.
- `p_beyond(limit)`: the p-value of "the true value is `limit` or less".
- `bounds(confidence)`: the lower and the upper bound, each one-sided at `confidence`.
- `scaled(factor)`: the same evidence as `factor` times as many samples would give it.
- `host_samples`: how many samples the host ran, where the evidence is also from there; see `litegate.gate.two_phase`.
- `clusters`: how many clusters the samples are in; None where they are independent of each other.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Protocol

__all__ = [
    "Approximate",
    "EitherWay",
    "Evidence",
    "PairedProportions",
    "Relative",
    "Repeated",
    "Unanimous",
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


@dataclass(frozen=True)
class Relative:
    """A share of a baseline that is itself uncertain (E. Fieller, "Some problems in interval estimation", 1954).

    `contrast(share)` is the evidence of "the second value minus (1 - share) of the first", so that its being
    below zero is the claim that less than `share` was lost; no ratio is ever formed.
    """

    contrast: Callable[[float], Evidence]
    estimate: float

    @property
    def samples(self) -> int:
        """Number of pairs."""
        return self.contrast(0.0).samples

    @property
    def host_samples(self) -> int | None:
        """Number of samples that the host ran."""
        return self.contrast(0.0).host_samples

    @property
    def clusters(self) -> int | None:
        """Number of clusters of pairs."""
        return self.contrast(0.0).clusters

    def p_within(self, limit: float) -> float:
        """See the module."""
        return self.contrast(limit).p_within(0.0)

    def p_beyond(self, limit: float) -> float:
        """See the module."""
        return self.contrast(limit).p_beyond(0.0)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Inverts the two tests; infinite where no share within 1,000 times the baseline is excluded."""
        alpha = 1 - confidence
        return (
            self._bound(lambda share: self.p_beyond(share) - alpha, -1),
            self._bound(lambda share: self.p_within(share) - alpha, +1),
        )

    def scaled(self, factor: float) -> Relative:
        """See the module."""
        return Relative(lambda share: self.contrast(share).scaled(factor), self.estimate)

    def _bound(self, excess: Callable[[float], float], side: int) -> float:
        step = 1e-3
        while step < 1e3 and excess(self.estimate + side * step) > 0:
            step *= 4
        if step >= 1e3:
            return side * math.inf
        return root(lambda size: excess(self.estimate + side * size), 0.0, step, 30) * side + self.estimate


@dataclass(frozen=True)
class Repeated:
    """Evidence that was tested up to `analyses` times before it decided: Bonferroni over the planned analyses."""

    last: Evidence
    analyses: int

    @property
    def samples(self) -> int:
        """Number of samples at the last analysis."""
        return self.last.samples

    @property
    def host_samples(self) -> int | None:
        """Number of samples that the host ran."""
        return self.last.host_samples

    @property
    def clusters(self) -> int | None:
        """Number of clusters at the last analysis."""
        return self.last.clusters

    @property
    def estimate(self) -> float:
        """The estimate at the last analysis."""
        return self.last.estimate

    def p_within(self, limit: float) -> float:
        """See the module."""
        return min(1.0, self.analyses * self.last.p_within(limit))

    def p_beyond(self, limit: float) -> float:
        """See the module."""
        return min(1.0, self.analyses * self.last.p_beyond(limit))

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Hold at every analysis at once."""
        return self.last.bounds(1 - (1 - confidence) / self.analyses)

    def scaled(self, factor: float) -> Repeated:
        """See the module."""
        return Repeated(self.last.scaled(factor), self.analyses)


@dataclass(frozen=True)
class EitherWay:
    """The size of a change: `one` is the evidence of the change, `other` that of its opposite.

    The size is within a limit where both are; for its being beyond, the two are corrected for (Bonferroni).
    """

    one: Evidence
    other: Evidence

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.one.samples

    @property
    def host_samples(self) -> int | None:
        """Number of samples that the host ran."""
        return self.one.host_samples

    @property
    def clusters(self) -> int | None:
        """Number of clusters."""
        return self.one.clusters

    @property
    def estimate(self) -> float:
        """The size of the estimated change."""
        return abs(self.one.estimate)

    def p_within(self, limit: float) -> float:
        """See the module."""
        return max(self.one.p_within(limit), self.other.p_within(limit))

    def p_beyond(self, limit: float) -> float:
        """See the module."""
        return min(1.0, 2 * min(self.one.p_beyond(limit), self.other.p_beyond(limit)))

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Inverts the two tests."""
        half = (1 + confidence) / 2
        low = max(self.one.bounds(half)[0], self.other.bounds(half)[0], 0.0)
        return low, max(self.one.bounds(confidence)[1], self.other.bounds(confidence)[1])

    def scaled(self, factor: float) -> EitherWay:
        """See the module."""
        return EitherWay(self.one.scaled(factor), self.other.scaled(factor))


@dataclass(frozen=True)
class Unanimous:
    """Several tests of one claim, of which none may be wrong: the least definite counts.

    Attributes:
        parts: the first is of all samples.
    """

    parts: tuple[Evidence, ...]

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.parts[0].samples

    @property
    def host_samples(self) -> int | None:
        """Number of samples that the host ran."""
        return self.parts[0].host_samples

    @property
    def clusters(self) -> int | None:
        """Number of clusters."""
        return self.parts[0].clusters

    @property
    def estimate(self) -> float:
        """Of all samples."""
        return self.parts[0].estimate

    def p_within(self, limit: float) -> float:
        """See the module."""
        return max(part.p_within(limit) for part in self.parts)

    def p_beyond(self, limit: float) -> float:
        """See the module."""
        return max(part.p_beyond(limit) for part in self.parts)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """The widest."""
        found = [part.bounds(confidence) for part in self.parts]
        return min(low for low, _ in found), max(high for _, high in found)

    def scaled(self, factor: float) -> Unanimous:
        """See the module."""
        return Unanimous(tuple(part.scaled(factor) for part in self.parts))


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
