"""A few samples on the target, many on the host: the host's outcomes as control variate.

The target ran n samples, the host N, among them those n, which were drawn at random from all. What the target loses on
a sample is D, what the host loses H. The mean of D is estimated by that of D - w H on the n, plus w times the mean of H
on the other N - n. These two are independent, and whatever w is, the estimate has no bias: the host may agree with the
target, have nothing to do with it, or say the opposite. It only makes the estimate better or leaves it as it is
(difference estimator: W. Cochran, "Sampling Techniques", 3rd ed. 1977, chapter 12; A. Angelopoulos, S. Bates,
C. Fannjiang, M. Jordan and T. Zrnic, "Prediction-powered inference", Science 382 (2023) 669-674).

w is (1 - n/N) times the regression of D on H, which makes the variance smallest (A. Angelopoulos, J. Duchi and
T. Zrnic, "PPI++: Efficient prediction-powered inference", arXiv:2311.01453, 2023), kept between 0 and 1. So that w
does not know the samples that it weighs, these are parted into folds, and each has the w of the others
(cross-fitting). Where all samples ran on the target, w is 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np

from litegate.gate.clustered import UNSEEN, ClusteredMean
from litegate.gate.evidence import Approximate, PairedProportions, root
from litegate.gate.student import to_normal
from litegate.outcomes.clusters import Sizes
from litegate.spec import MIN_SAMPLES

__all__ = ["Phases", "TwoPhaseMean", "TwoPhaseProportions", "folds_of", "regression", "restricted_variance"]

Array = np.ndarray[Any, np.dtype[Any]]
_NORMAL = NormalDist()
FOLDS = 5
_SHRINKING = 1.0
"""So many squares are added to those of H, so that the w of a host that hardly ever differs stays small."""
_STEPS = 30


def regression(target: Array, host: Array, folds: Array) -> Array:
    """For each fold the slope of `target` on `host`, found on the other folds and kept between 0 and 1.

    Args:
        target, host: one value for each sample.
        folds: number of the fold of each sample; see `folds_of`.
    """
    largest = max(float(np.abs(host).max(initial=0)), float(np.abs(target).max(initial=0)))
    if not largest:
        return np.zeros(FOLDS)
    terms = {"t": target, "h": host, "th": target * host, "hh": host * host}
    sums = {name: np.bincount(folds, values, minlength=FOLDS) for name, values in terms.items()}
    others = {name: values.sum() - values for name, values in sums.items()}
    number = np.maximum(len(target) - np.bincount(folds, minlength=FOLDS), 1)
    squares = others["hh"] - others["h"] ** 2 / number + _SHRINKING * largest**2
    found: Array = np.clip((others["th"] - others["t"] * others["h"] / number) / squares, 0.0, 1.0)
    return found


def folds_of(units: Array) -> Array:
    """The fold of each sample, by the number of its cluster: a cluster is in one fold."""
    folds: Array = units % FOLDS
    return folds


@dataclass(frozen=True)
class Phases:
    """One value for each sample by target and host.

    Attributes:
        target, host: on the samples that both ran.
        folds: of the samples that both ran.
        slopes: of `target` on `host` for each fold; see `regression`.
        rest: by the host on the samples that it alone ran; at least one.
        numbers: of the cluster that each sample is in, of those that both ran and of the rest; a cluster may have
            samples in both. None where all are independent.
    """

    target: Array
    host: Array
    folds: Array
    slopes: Array
    rest: Array
    numbers: tuple[Array, Array] | None = None

    @property
    def host_samples(self) -> int:
        """How many samples the host ran."""
        return len(self.host) + len(self.rest)

    @cached_property
    def weights(self) -> Array:
        """The w of each sample."""
        found: Array = self.slopes[self.folds] * (len(self.rest) / self.host_samples)
        return found

    @cached_property
    def weight(self) -> float:
        """Their mean, which is that of the rest."""
        return float(np.mean(self.weights))

    @cached_property
    def residuals(self) -> Array:
        """D - w H."""
        found: Array = self.target - self.weights * self.host
        return found

    @property
    def estimate(self) -> float:
        """Of the mean of D."""
        return float(np.mean(self.residuals)) + self.weight * float(np.mean(self.rest))

    @cached_property
    def host_variance(self) -> float:
        """Of H, on all samples of the host; with one loss more than were seen."""
        every = np.concatenate([self.host, self.rest])
        return float(np.var(every) + np.abs(every).max(initial=0.0) ** 2 / len(every))

    @property
    def independent_error(self) -> float:
        """Standard error of the estimate, were all samples independent."""
        if len(self.target) < 2:
            return math.inf
        ours = float(np.var(self.residuals, ddof=1)) / len(self.target)
        return math.sqrt(ours + self.weight**2 * self.host_variance / len(self.rest))

    @property
    def error(self) -> float:
        """Standard error of the estimate."""
        if self.numbers is None:
            return self.independent_error
        ours = (self.residuals - np.mean(self.residuals)) / len(self.target)
        rest = self.weight * (self.rest - np.mean(self.rest)) / len(self.rest)
        sums = np.bincount(np.concatenate(self.numbers), np.concatenate([ours, rest]))
        clusters = len(np.unique(self.numbers[0]))
        return math.sqrt(float(np.sum(sums**2)) * clusters / max(clusters - 1, 1))

    @property
    def sizes(self) -> Sizes | None:
        """Of the clusters, with the samples that both ran."""
        if self.numbers is None:
            return None
        counts = np.bincount(self.numbers[0])
        return Sizes.of(counts[counts > 0])

    def alone(self) -> Phases:
        """The target without the host."""
        return replace(self, slopes=np.zeros(FOLDS))

    def allowances(self, low: float | None, high: float | None, allowance: float) -> tuple[float, float]:
        """How far a D - w H that was not seen may lie below and above the mean; see `Approximate`.

        Args:
            low, high: between which D lies; None where it has no bound, and then `allowance` counts.
        """
        if low is None or high is None:
            return allowance, allowance
        mean, largest = float(np.mean(self.residuals)), float(np.max(self.weights))
        least = min(float(np.min(self.host)), float(np.min(self.rest)), 0.0)
        most = max(float(np.max(self.host)), float(np.max(self.rest)), 0.0)
        return mean - low + largest * most, high - largest * least - mean


@dataclass(frozen=True)
class TwoPhaseProportions:
    """Pairs of right and wrong answers on the target, 1, 0 or -1 for each, with those of the host.

    A score test as Tango's (see `PairedProportions`): the variance of D - w H is the one that it would have were the
    true value at the limit. It is that of the distribution with the largest likelihood (A. Owen, "Empirical likelihood
    ratio confidence intervals for a single functional", Biometrika 75 (1988) 237-249) among those on the values that
    were seen, and on -1 and 1, whether these were seen or not. So a loss on samples where the host loses nothing need
    not have been seen to be allowed for. With w = 0 this is Tango's variance. Yates' correction shrinks as the variance
    does: what counts is one of as many samples as would say as much without the host.

    Attributes:
        target, host, slopes: the distinct triples, and `counts` how often each was seen.
        host_total: samples that the host ran.
        host_variance: of H.
        sizes: of the clusters; None where all are independent. Then variances are multiplied by the design effect, as
            in `ClusteredProportions`.
        spread, independent: squared standard errors in samples, of clusters and of independent samples.
    """

    total: float
    host_total: float
    estimate: float
    target: Array
    host: Array
    slopes: Array
    counts: Array
    host_variance: float
    sizes: Sizes | None = None
    spread: float = 0.0
    independent: float = 0.0

    @classmethod
    def of(cls, phases: Phases) -> TwoPhaseProportions:
        """From what each pair loses."""
        kinds = phases.folds * 9 + phases.target * 3 + phases.host + 4
        counts, total = np.bincount(kinds), len(phases.target)
        seen = np.flatnonzero(counts)
        target, host, slopes = seen % 9 // 3 - 1, seen % 3 - 1, phases.slopes[seen // 9]
        return cls(
            total,
            phases.host_samples,
            phases.estimate,
            target,
            host,
            slopes,
            counts[seen] / total,
            phases.host_variance,
            phases.sizes,
            (total * phases.error) ** 2,
            (total * phases.independent_error) ** 2,
        )

    @property
    def samples(self) -> int:
        """Number of pairs that the target ran."""
        return round(self.total)

    @property
    def host_samples(self) -> int:
        """Number of pairs that the host ran."""
        return round(self.host_total)

    @property
    def clusters(self) -> int | None:
        """Number of clusters that the target ran; None where the pairs are independent."""
        return None if self.sizes is None else round(self.sizes.clusters)

    def p_within(self, limit: float) -> float:
        """See the module of evidence."""
        if self.sizes is not None and self.sizes.effective < MIN_SAMPLES:
            return 1.0
        return self._p(self._score(limit, +0.5))

    def p_beyond(self, limit: float) -> float:
        """See the module of evidence."""
        return self._p(-self._score(limit, -0.5))

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Inverts the two tests."""
        alpha = 1 - confidence
        low = root(lambda limit: alpha - self.p_beyond(limit), -1.0, self.estimate, _STEPS)
        high = root(lambda limit: self.p_within(limit) - alpha, self.estimate, 1.0, _STEPS)
        return low, high

    def scaled(self, factor: float) -> TwoPhaseProportions:
        """As many more of the samples on the target; on the host no more than there are."""
        total = self.total * factor
        more = replace(self, total=total, host_total=max(self.host_total, total))
        if self.sizes is None:
            return more
        sums = {name: getattr(self, name) * factor for name in ("spread", "independent")}
        return replace(more, **sums, sizes=self.sizes.scaled(factor))

    def variance(self, limit: float) -> float:
        """Of the estimate, were the true value `limit`."""
        residuals, weight = self._residuals
        mean = float(self.counts @ residuals) + limit - self.estimate
        ours = restricted_variance(residuals, self.counts, mean, 1.0) / self.total
        rest = self.host_total - self.total
        return ours + (weight**2 * self.host_variance / rest if rest > 0 else 0.0)

    def _score(self, limit: float, correction: float) -> float:
        """The statistic; the correction is one sample's, of as many as say as much without the host."""
        clustered, variance = self._effect(limit), self.variance(limit)
        alone = self._alone.variance(self._alone.estimate + limit - self.estimate) / self.total**2
        gain = min(variance / alone, 1.0) if alone > 0 else 1.0
        numerator = self.estimate - limit + correction * clustered * gain / self.total
        error = math.sqrt(clustered * variance)
        return numerator / error if error > 0 else math.copysign(math.inf, numerator)

    @cached_property
    def _alone(self) -> PairedProportions:
        """The target without the host."""
        lost, gained = (float(self.counts @ (self.target == change)) * self.total for change in (1, -1))
        return PairedProportions(self.total, lost, gained)

    def _p(self, score: float) -> float:
        if self.sizes is None:
            return _NORMAL.cdf(score)
        return _NORMAL.cdf(to_normal(score, max(self.sizes.effective - 1, 1.0)))

    def _effect(self, limit: float) -> float:
        """The design effect."""
        if self.sizes is None:
            return 1.0
        unseen = self.sizes.mean_of_largest(min(abs(limit - self.estimate), 1.0))
        return max(1.0, (self.spread + UNSEEN * unseen**2) / (self.independent + UNSEEN * unseen))

    @cached_property
    def _residuals(self) -> tuple[Array, float]:
        """D - w H of each triple, and the mean w."""
        weights = self.slopes * (1 - self.total / self.host_total)
        return self.target - weights * self.host, float(self.counts @ weights)


def restricted_variance(values: Array, shares: Array, mean: float, extreme: float) -> float:
    """The variance of the likeliest distribution with the given mean on `values`, -extreme and extreme.

    Args:
        shares: of all that was seen, of each of `values`.
    """
    gaps = values - mean
    if float(shares @ gaps) > 0:
        gaps, mean = -gaps, -mean
    room = max(extreme - mean, float(gaps.max()))
    if room <= 0:
        return 0.0

    at_most = shares / np.maximum(1 - gaps / room, 1e-12)
    unseen = 1 - float(at_most.sum())
    if unseen >= 0:
        return float(at_most @ gaps**2) + unseen * room**2
    tilt = _tilt(gaps, shares, 1 / room)
    return float(shares @ (gaps**2 / (1 - tilt * gaps)))


def _tilt(gaps: Array, shares: Array, most: float) -> float:
    """Where the mean of gaps / (1 - tilt * gaps) passes zero, in (0, most): Newton's method, kept in by bisection."""
    low, high, tilt = 0.0, most, 0.0
    for _ in range(_STEPS):
        terms = gaps / np.maximum(1 - tilt * gaps, 1e-12)
        value, slope = float(shares @ terms), float(shares @ terms**2)
        low, high = (tilt, high) if value < 0 else (low, tilt)
        step = -value / slope
        closer = tilt + step if low < tilt + step < high else (low + high) / 2
        if abs(closer - tilt) <= 1e-9 * most:
            return closer
        tilt = closer
    return tilt


@dataclass(frozen=True)
class TwoPhaseMean:
    """The same for other values, and for clusters.

    Attributes:
        mean: of D - w H and of H, with the standard error of the estimate.
        alone: the standard error that the target has by itself on the same samples.
        host_total: samples that the host ran.
    """

    mean: Approximate
    alone: float
    host_total: float

    @classmethod
    def of(cls, phases: Phases, below: float, above: float, unbounded: bool) -> TwoPhaseMean:
        """From one value for each sample.

        Args:
            below, above: allowances for what was not seen; see `Phases.allowances`.
            unbounded: whether they are those of a cluster as a whole.
        """
        total, sizes, found = len(phases.target), phases.sizes, (phases.estimate, phases.error, below, above)
        alone = phases.alone().error
        if sizes is None:
            return cls(Approximate(total, *found, total >= MIN_SAMPLES), alone, phases.host_samples)
        enough = sizes.effective >= MIN_SAMPLES
        return cls(ClusteredMean(total, *found, enough, sizes, unbounded), alone, phases.host_samples)

    @property
    def samples(self) -> int:
        """Number of samples that the target ran."""
        return self.mean.samples

    @property
    def host_samples(self) -> int:
        """Number of samples that the host ran."""
        return round(self.host_total)

    @property
    def clusters(self) -> int | None:
        """Number of clusters that the target ran."""
        return self.mean.clusters

    @property
    def estimate(self) -> float:
        """Of the mean of D."""
        return self.mean.estimate

    def p_within(self, limit: float) -> float:
        """See the module of evidence."""
        return self.mean.p_within(limit)

    def p_beyond(self, limit: float) -> float:
        """See the module of evidence."""
        return self.mean.p_beyond(limit)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """See the module of evidence."""
        return self.mean.bounds(confidence)

    def scaled(self, factor: float) -> TwoPhaseMean:
        """As many more of the samples on the target; what the host explains shrinks with those that it has alone."""
        more, alone = self.mean.scaled(factor), self.alone / math.sqrt(factor)
        rest = max(1 - more.total / self.host_total, 0.0)
        error = alone * math.sqrt(1 - rest * self._explained)
        return replace(self, mean=replace(more, error=error), alone=alone, host_total=max(self.host_total, more.total))

    @property
    def _explained(self) -> float:
        """The share of the target's variance that the host would explain, had it run all there is."""
        rest = 1 - self.mean.total / self.host_total
        if not 0 < self.alone < math.inf or rest <= 0:
            return 0.0
        return min(max((1 - (self.mean.error / self.alone) ** 2) / rest, 0.0), 1.0)
