"""The gate: paired outcomes, facts about the artifact and a policy in; a verdict out. Pure, and it fails closed.

The same samples went through the baseline and the variant. With n pairs, of which b were lost (right only in
the baseline) and c gained, the drop is (b - c) / n. A variant passes when the upper confidence bound of the
drop is below the allowed drop, and fails when the lower bound is above it (non-inferiority). The bounds
are Tango's score interval for paired proportions: T. Tango, "Equivalence test and confidence interval for
the difference in proportions for the paired-sample design", Statistics in Medicine 17 (1998) 891-908.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from litegate.records import Reason, Verdict
from litegate.spec import Gate

__all__ = ["IMPLAUSIBLE_GAIN", "Outcomes", "Pairs", "judge", "pair", "score_bounds"]

Array = np.ndarray[Any, np.dtype[Any]]

State = Literal["passed", "failed", "inconclusive"]

IMPLAUSIBLE_GAIN = 0.05
"""A variant that is better than float by more than this share of the samples points to a broken baseline."""


@dataclass(frozen=True)
class Outcomes:
    """Per-sample outcomes of one artifact: `index` identifies the sample, `correct` is true or false."""

    index: Array
    correct: Array


@dataclass(frozen=True)
class Pairs:
    """Counts over the samples that both saw: `lost` right only in the baseline, `gained` only in the variant."""

    samples: int
    lost: int
    gained: int
    correct: int

    @property
    def drop(self) -> float:
        """Baseline minus variant."""
        return (self.lost - self.gained) / self.samples


def judge(
    variant: str, digest: str | None, policy: Gate, baseline: Outcomes | None, candidate: Outcomes | None,
    refusals: tuple[Reason, ...] = (),
) -> Verdict:  # fmt: skip
    """The verdict for one variant.

    Args:
        digest: SHA-256 of the artifact that `candidate` was measured on.
        refusals: facts that rule the variant out whatever it scored.
    """
    if baseline is None or candidate is None:
        missing = "the float32 baseline" if baseline is None else "this variant"
        reasons = refusals or (Reason(code="not_measured", message=f"there are no outcomes of {missing}"),)
        return Verdict(variant=variant, state="failed", reasons=reasons, digest=digest)
    pairs = pair(baseline, candidate)
    if isinstance(pairs, Reason):
        return Verdict(variant=variant, state="failed", reasons=(*refusals, pairs), digest=digest)
    low, high = score_bounds(pairs.samples, pairs.lost, pairs.gained, policy.confidence)
    state, reason = _decide(pairs, low, high, policy)
    return Verdict(
        variant=variant,
        state="failed" if refusals else state,
        reasons=(*refusals, reason),
        value=pairs.correct / pairs.samples,
        drop=pairs.drop,
        drop_low=low,
        drop_high=high,
        samples=pairs.samples,
        lost=pairs.lost,
        gained=pairs.gained,
        digest=digest,
    )


def pair(baseline: Outcomes, candidate: Outcomes) -> Pairs | Reason:
    """Match outcomes by sample; the candidate may have seen fewer samples, but none that the baseline did not."""
    if not len(candidate.index) or not len(baseline.index):
        return Reason(code="no_samples", message="no sample was evaluated")
    if len(np.unique(candidate.index)) != len(candidate.index) or len(np.unique(baseline.index)) != len(baseline.index):
        return Reason(code="unpaired", message="a sample was evaluated twice")
    _, ours, theirs = np.intersect1d(candidate.index, baseline.index, assume_unique=True, return_indices=True)
    if len(ours) != len(candidate.index):
        strangers = len(candidate.index) - len(ours)
        return Reason(code="unpaired", message=f"{strangers} samples were not evaluated on the baseline")
    before, after = baseline.correct[theirs].astype(bool), candidate.correct[ours].astype(bool)
    return Pairs(
        samples=len(ours),
        lost=int(np.sum(before & ~after)),
        gained=int(np.sum(~before & after)),
        correct=int(np.sum(after)),
    )


def score_bounds(samples: int, lost: int, gained: int, confidence: float) -> tuple[float, float]:
    """Lower and upper bound of the drop, each one-sided at `confidence` (Tango 1998)."""
    quantile = NormalDist().inv_cdf(confidence)
    drop = (lost - gained) / samples
    low = _solve(lambda delta: _score(samples, lost, gained, delta) - quantile, -1.0, drop)
    high = _solve(lambda delta: _score(samples, lost, gained, delta) + quantile, drop, 1.0)
    return low, high


def _score(samples: int, lost: int, gained: int, delta: float) -> float:
    """Tango's score statistic for the hypothesis that the drop is `delta`; it falls as `delta` grows."""
    numerator = lost - gained - samples * delta
    if numerator == 0:
        return 0.0
    a, c = 2 * samples, -gained * delta * (1 - delta)
    b = -lost - gained + (2 * samples - lost + gained) * delta
    rare = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = samples * (2 * rare + delta * (1 - delta))
    return numerator / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, numerator)


def _solve(function: Callable[[float], float], left: float, right: float) -> float:
    """Root of a falling function by bisection, to double precision; the end that is nearest where there is none."""
    for _ in range(60):
        middle = (left + right) / 2
        if function(middle) > 0:
            left = middle
        else:
            right = middle
    return (left + right) / 2


def _decide(pairs: Pairs, low: float, high: float, policy: Gate) -> tuple[State, Reason]:
    limit, level = policy.max_drop, f"{policy.confidence:.0%} confidence"
    seen = f"{pairs.lost:,} lost, {pairs.gained:,} gained of {pairs.samples:,}"
    if high < -IMPLAUSIBLE_GAIN:
        message = f"better than float by more than {IMPLAUSIBLE_GAIN:.0%} ({seen}): the baseline is suspect"
        return "failed", Reason(code="implausible_gain", message=message)
    if high < limit:
        message = f"drop at most {high:.2%} with {level}, {limit:.2%} allowed ({seen})"
        return "passed", Reason(code="within_max_drop", message=message)
    if low > limit:
        message = f"drop at least {low:.2%} with {level}, {limit:.2%} allowed ({seen})"
        return "failed", Reason(code="above_max_drop", message=message)
    message = (
        f"drop between {low:.2%} and {high:.2%} with {level}, {limit:.2%} allowed ({seen}); {_more(pairs, policy)}"
    )
    return "inconclusive", Reason(code="undecided", message=message)


def _more(pairs: Pairs, policy: Gate) -> str:
    """How many samples would decide it, if the drop stays what it is and the discordance too."""
    margin = abs(policy.max_drop - pairs.drop)
    discordance = max(pairs.lost + pairs.gained, 1) / pairs.samples - pairs.drop**2
    if margin == 0:
        return "no number of samples decides a drop that equals the limit"
    quantile = NormalDist().inv_cdf(policy.confidence)
    needed = math.ceil(quantile**2 * max(discordance, 0.0) / margin**2)
    return f"about {max(needed, pairs.samples + 1):,} samples would decide it"
