"""When the evaluation of a variant may end: at interim analyses, or after any batch."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from litegate.gate.contrasts import Design
from litegate.gate.verdicts import Measured, is_open
from litegate.outcomes.columns import Outcomes
from litegate.records import Stopping
from litegate.spec.metric_facts import MetricFacts

__all__ = ["decided", "interim_analyses"]


def interim_analyses(first: int, total: int) -> list[int]:
    """Numbers of samples after which a verdict is sought: `first`, doubled from one to the next, `total` the last.

    A last analysis that would bring less than half of a doubling is joined with the one before.
    """
    found = []
    number = min(first, total)
    while number * 3 <= total * 2:
        found.append(number)
        number *= 2
    return [*found, total]


def decided(
    stopping: Stopping,
    metric: MetricFacts,
    candidate: Outcomes,
    references: Mapping[str, Outcomes],
    planned: int,
    class_samples: Mapping[int, int] = MappingProxyType({}),
    largest_group: int = 1,
    slice_samples: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
    host: Outcomes | None = None,
    host_references: Mapping[str, Outcomes] = MappingProxyType({}),
) -> bool:
    """Whether the samples seen so far decide the policy for this variant.

    Each of the variants judged side by side gets its share of the error rate, so that none need know of the
    others; what the gate says of all of them in the end can only be more definite.

    Args:
        references: outcomes on the same samples by role; `baseline` is always there.
        planned: the number of planned interim analyses; ignored where the design is sequential.
        class_samples: how many samples of each class there are, seen or not.
        largest_group: samples in the largest group that there is, seen or not.
        slice_samples: how many of each value there are, by field of slices, seen or not.
        host: outcomes of the candidate, run by the host beside the target; None where they are of one kind.
        host_references: the same of `references`, by role.
    """
    kind: Literal["interim", "sequential"] = "sequential" if stopping.first_samples is None else "interim"
    design = Design(kind, planned if kind == "interim" else 1, largest_group)
    share = (1 - stopping.policy.confidence) / max(stopping.variants, 1)
    policy = stopping.policy.model_copy(update={"confidence": 1 - share})
    measured = Measured(
        "",
        None,
        candidate,
        references,
        design,
        class_samples=class_samples,
        slice_samples=slice_samples,
        host=host,
        host_references=host_references,
    )
    return not is_open(policy, metric, measured)
