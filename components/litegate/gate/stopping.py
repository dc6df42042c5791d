"""When the evaluation of a variant may end: at planned looks, or after any batch."""

from __future__ import annotations

from collections.abc import Mapping

from litegate.gate.outcomes import Outcomes
from litegate.metrics.facts import MetricFacts
from litegate.records import Stopping

__all__ = ["decided", "looks"]


def looks(first: int, total: int) -> list[int]:
    """Numbers of samples after which a verdict is sought: `first`, doubled from look to look, `total` the last."""
    raise NotImplementedError


def decided(
    stopping: Stopping, metric: MetricFacts, candidate: Outcomes, references: Mapping[str, Outcomes], planned: int
) -> bool:
    """Whether the samples seen so far decide the policy for this variant.

    Args:
        references: outcomes on the same samples by role; `baseline` is always there.
        planned: the number of planned looks; ignored where the design is sequential.
    """
    raise NotImplementedError
