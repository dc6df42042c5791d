"""How a target's runtime and the host differ on one file, and which of quantization and kernels made it fail."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from litegate.gate.bootstrap import Undefined, Value
from litegate.gate.contrasts import Comparison, Design
from litegate.gate.evidence import Evidence
from litegate.outcomes.columns import Outcomes, match
from litegate.records import Cause, Disagreement, Verdict
from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts

__all__ = ["BothWays", "cause_of", "disagreement"]


@dataclass(frozen=True)
class BothWays:
    """One file as the target's runtime ran it, and as the host did, on more samples.

    Attributes:
        runtime, host: what ran it, as people call it.
    """

    target: Outcomes
    by_host: Outcomes
    runtime: str
    host: str


def disagreement(
    found: BothWays, metric: MetricFacts, confidence: float, value: Value | None = None, seed: int = 17
) -> Disagreement:
    """The two on the samples that the target saw.

    Args:
        confidence: of the interval of the difference.
        value: the metric of (output, target), for metrics of a whole set.
        seed: of the bootstrap.

    Raises:
        Unpaired: they were not fed the same samples.
        Undefined: the metric has no value on them.
    """
    first, second = match(found.by_host, found.target)
    lost = Comparison(metric, first, second, Design(), value, seed).drop()
    low, high = lost.bounds((1 + confidence) / 2)
    differ = first.answer != second.answer if first.answer is not None else np.zeros(0)
    classes = None
    if first.prediction is not None and second.prediction is not None:
        classes = float(np.mean(first.prediction != second.prediction))
    return Disagreement(
        runtime=found.runtime,
        host=found.host,
        samples=len(second),
        outputs=float(np.mean(differ)) if len(differ) else 0.0,
        classes=classes,
        difference=lost.estimate,
        low=_finite(low),
        high=_finite(high),
        confidence=confidence,
    )


def cause_of(found: Disagreement, verdict: Verdict, by_host: Comparison, policy: Gate) -> Disagreement:
    """The disagreement with what made the variant lose too much, where `max_drop` was proved to be broken.

    It was the quantization where the host proves the same loss to be too large, and the target's kernels where the
    host proves it to be within the limit; between the two nobody knows.

    Args:
        by_host: float32 and the variant, both run by the host.
    """
    broken = any(clause.name == "max_drop" and clause.state == "failed" for clause in verdict.clauses)
    if not broken or verdict.confidence is None:
        return found
    try:
        lost: Evidence = by_host.relative_drop() if policy.drop == "relative" else by_host.drop()
    except (Undefined, ZeroDivisionError):
        return found.model_copy(update={"cause": "unknown"})
    alpha = 1 - verdict.confidence
    cause: Cause = "unknown"
    if lost.p_beyond(policy.max_drop) <= alpha:
        cause = "quantization"
    elif lost.p_within(policy.max_drop) <= alpha:
        cause = "kernels"
    low, high = lost.bounds(verdict.confidence)
    known = {"cause": cause, "host_drop": lost.estimate, "host_low": _finite(low), "host_high": _finite(high)}
    return found.model_copy(update=known)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
