"""Evidence from samples that come in clusters. See `litegate.gate.evidence` for what all evidence answers.

Everything is estimated as a ratio of sums over clusters, of which each is drawn independently of the others; of the
samples within one nothing is assumed. A cluster that was not seen may be lost as a whole, so that what cannot have
been seen is counted in clusters, the largest first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np

from litegate.gate.evidence import Approximate, PairedProportions, root
from litegate.gate.student import from_normal, to_normal
from litegate.outcomes.clusters import Clusters, Sizes
from litegate.spec import MIN_SAMPLES

__all__ = ["UNSEEN", "ClusteredMean", "ClusteredProportions"]

Array = np.ndarray[Any, np.dtype[Any]]
_NORMAL = NormalDist()
UNSEEN = 4.0
"""So many clusters that changed as a whole are added to those that were seen to; see `ClusteredProportions`."""


@dataclass(frozen=True)
class ClusteredProportions:
    """Pairs of right and wrong answers in clusters.

    Tango's test on counts that are divided by the design effect: J. Rao and A. Scott, "A simple method for the
    analysis of clustered binary data", Biometrics 48 (1992) 577-585, with Student's quantiles. The effect is the
    variance of the ratio estimator (N. Obuchowski, "On the comparison of correlated proportions for clustered
    data", Statistics in Medicine 17 (1998) 1495-1507) over that of independent pairs.

    Where few clusters changed, their variance is not known. So to both variances are added those of a few clusters
    that changed as a whole, as large as those that would have to for the limit to be met. Without any change that
    is all there is, and counts are of clusters (Kish's effective number of samples); with many it hardly matters.
    """

    total: float
    lost: float
    gained: float
    squares: float
    products: float
    sizes: Sizes

    @classmethod
    def of(cls, values: Array, clusters: Clusters) -> ClusteredProportions:
        """From what each pair loses: 1, 0 or -1."""
        sums, sizes = clusters.sums(values), clusters.sizes
        lost, gained = float(np.sum(values > 0)), float(np.sum(values < 0))
        return cls(
            len(values), lost, gained, float(np.sum(sums**2)), float(np.sum(sums * sizes)), clusters.distribution
        )

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
        """Number of clusters."""
        return round(self.sizes.clusters)

    @property
    def estimate(self) -> float:
        """The first proportion minus the second."""
        return (self.lost - self.gained) / self.total

    def p_within(self, limit: float) -> float:
        """See the module of evidence."""
        if self.sizes.effective < MIN_SAMPLES:
            return 1.0
        return self._p(self._independent(limit).score(limit, +0.5))

    def p_beyond(self, limit: float) -> float:
        """See the module of evidence."""
        return self._p(-self._independent(limit).score(limit, -0.5))

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Inverts the two tests."""
        alpha = 1 - confidence
        low = root(lambda limit: alpha - self.p_beyond(limit), -1.0, self.estimate)
        high = root(lambda limit: self.p_within(limit) - alpha, self.estimate, 1.0)
        return low, high

    def scaled(self, factor: float) -> ClusteredProportions:
        """See the module of evidence."""
        counts = ("total", "lost", "gained", "squares", "products")
        changes = {name: getattr(self, name) * factor for name in counts}
        return replace(self, **changes, sizes=self.sizes.scaled(factor))

    def _p(self, score: float) -> float:
        return _NORMAL.cdf(to_normal(score, max(self.sizes.effective - 1, 1.0)))

    def _independent(self, limit: float) -> PairedProportions:
        """As many independent pairs as say the same."""
        effect = self._effect(limit)
        return PairedProportions(self.total / effect, self.lost / effect, self.gained / effect)

    def _effect(self, limit: float) -> float:
        """The design effect."""
        mean, sizes = self.estimate, self.sizes
        spread = self.squares - 2 * mean * self.products + mean**2 * sizes.squares
        unseen = sizes.mean_of_largest(min(abs(limit - mean), 1.0))
        independent = self.lost + self.gained - self.total * mean**2
        return max(1.0, (spread + UNSEEN * unseen**2) / (independent + UNSEEN * unseen))


@dataclass(frozen=True)
class ClusteredMean(Approximate):
    """The same for other values: with Student's quantiles, and an allowance that is counted in clusters.

    Attributes:
        whole: whether `allowance` is that of a cluster as a whole, in place of each of its samples.
    """

    sizes: Sizes | None = None
    whole: bool = False

    @classmethod
    def of(
        cls, values: Array, low: float | None, high: float | None, allowance: float, clusters: Clusters
    ) -> ClusteredMean:
        """From one value for each sample; see `litegate.gate.contrasts.mean_evidence`."""
        mean, sums, sizes = float(np.mean(values)), clusters.sums(values), clusters.distribution
        rest = sums - mean * clusters.sizes
        error = math.sqrt(float(np.sum(rest**2)) * sizes.clusters / max(sizes.clusters - 1, 1)) / len(values)
        enough, whole = sizes.effective >= MIN_SAMPLES, low is None or high is None
        below, above = (allowance, allowance) if low is None or high is None else (mean - low, high - mean)
        return cls(len(values), mean, error, below, above, enough, sizes, whole)

    @property
    def clusters(self) -> int | None:
        """Number of clusters."""
        return round(self._sizes.clusters)

    def scaled(self, factor: float) -> ClusteredMean:
        """See the module of evidence."""
        sizes = self._sizes.scaled(factor)
        more = replace(self, total=self.total * factor, error=self.error / math.sqrt(factor), sizes=sizes)
        return replace(more, enough=sizes.effective >= MIN_SAMPLES)

    def _deviate(self, alpha: float) -> float:
        return from_normal(super()._deviate(alpha), self._sizes.effective - 1)

    def _missed(self, alpha: float) -> float:
        return super()._missed(alpha) if self.whole else self._sizes.share(math.log(1 / alpha))

    @property
    def _sizes(self) -> Sizes:
        assert self.sizes is not None
        return self.sizes
