"""How the target's runtime and the host differ on one file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from litegate.records.base import Record
from litegate.records.fields import Bound, Count, Share

__all__ = ["Cause", "Disagreement"]

Cause = Literal["quantization", "kernels", "unknown"]
"""What made a file lose too much on its target: the quantization, the target's kernels, or samples too few to tell."""


class Disagreement(Record):
    """One file on the samples that both the target's runtime and the host ran.

    Attributes:
        runtime, host: what ran it, as people call it.
        outputs: share of samples with any output that differs in any bit.
        classes: share with another predicted class; None where the model is no classifier.
        difference: what the target loses of the metric against the host, positive where it is worse.
        low, high: of the difference, an interval at `confidence`.
        cause: why the variant loses too much on the target; None where it does not.
        host_drop: what the same variant loses against float32 where the host runs both, on all samples that it saw.
        host_low, host_high: its one-sided bounds, each at the confidence of the verdict.
    """

    runtime: str
    host: str
    samples: Count
    outputs: Share
    classes: Share | None
    difference: float
    low: Bound
    high: Bound
    confidence: float = Field(gt=0, lt=1)
    cause: Cause | None = None
    host_drop: float | None = None
    host_low: Bound = None
    host_high: Bound = None
