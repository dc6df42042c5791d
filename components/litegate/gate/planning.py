"""How many samples the gate needs, before anything is measured: for metrics that are right or wrong on each sample.

The test is the gate's own (`evidence.PairedProportions`). Its power is that of the outcome which a share `power` of all
datasets does not exceed, lost minus gained being about normal: J. Nam, "Establishing equivalence of two treatments
and sample size requirements in matched-pairs design", Biometrics 53 (1997) 1422-1430. Where fewer than about ten
samples flip, it is a rough number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

from litegate.gate.evidence import PairedProportions, root

__all__ = ["Plan", "limit_decided", "power", "samples_needed"]

_NORMAL = NormalDist()
_FAR = 8.0
_MOST = 10**9


@dataclass(frozen=True)
class Plan:
    """What is asked of the gate, and what a variant is expected to do; shares from 0 to 1, `drop` below `max_drop`.

    Attributes:
        max_drop: the largest allowed loss of the metric.
        flips: the share of samples on which a variant is newly wrong or newly right.
        drop: the loss that it has in truth: newly wrong minus newly right.
        confidence: of the gate.
        variants: how many are judged side by side and share the error rate; the first one needs most.
    """

    max_drop: float
    flips: float
    drop: float = 0.0
    confidence: float = 0.95
    variants: int = 1

    @property
    def level(self) -> float:
        """At which one variant is tested: Holm's first step."""
        return (1 - self.confidence) / self.variants

    def passes(self, samples: float, deviate: float) -> bool:
        """Whether it passes where lost minus gained is so many standard deviations above its mean."""
        spread = math.sqrt(samples * (self.flips - self.drop**2))
        flipped = samples * self.flips
        worse = min(max(samples * self.drop + deviate * spread, -flipped), flipped)
        found = PairedProportions(samples, (flipped + worse) / 2, (flipped - worse) / 2)
        return found.estimate < self.max_drop and found.p_within(self.max_drop) <= self.level


def power(plan: Plan, samples: int) -> float:
    """The probability that such a variant passes with so many samples."""
    return _NORMAL.cdf(root(lambda deviate: 1.0 if plan.passes(samples, deviate) else -1.0, -_FAR, _FAR))


def samples_needed(plan: Plan, wanted: float) -> int:
    """The samples with which such a variant passes with probability `wanted`."""
    deviate = _NORMAL.inv_cdf(wanted)
    exponent = root(lambda e: -1.0 if plan.passes(math.exp(e), deviate) else 1.0, 0.0, math.log(_MOST))
    return math.ceil(math.exp(exponent))


def limit_decided(plan: Plan, samples: int, wanted: float) -> float:
    """The smallest `max_drop` with which such a variant passes with probability `wanted` on so many samples."""
    deviate = _NORMAL.inv_cdf(wanted)
    low = max(plan.drop, 0.0)
    return root(lambda limit: -1.0 if replace(plan, max_drop=limit).passes(samples, deviate) else 1.0, low, 1.0)
