"""Evaluating block by block, until the samples seen so far decide the verdict or there are no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from litegate.evaluation.workers import Workers
from litegate.gate.outcomes import Outcomes
from litegate.gate.stopping import decided, looks
from litegate.metrics.facts import MetricFacts
from litegate.records import Stopping

__all__ = ["cumulative_counts", "evaluate_until_decided"]

Array = np.ndarray[Any, np.dtype[Any]]
FIRST_BLOCK = 256
"""The smallest block of a sequential evaluation; each is a quarter of what was seen before, or this."""


def cumulative_counts(stopping: Stopping | None, available: int) -> list[int]:
    """Numbers of samples after which a verdict is sought; the last is `available`."""
    if stopping is None:
        return [available]
    if stopping.first_samples is not None:
        return looks(stopping.first_samples, available)
    counts, seen = [], 0
    while seen < available:
        seen = min(available, seen + max(FIRST_BLOCK, seen // 4))
        counts.append(seen)
    return counts


def evaluate_until_decided(
    workers: Workers,
    order: Array,
    counts: list[int],
    stopping: Stopping | None,
    metric: MetricFacts,
    classes: int | None,
    class_samples: Mapping[int, int],
) -> dict[str, Outcomes]:
    """Outcomes of every file on the samples of `order` up to the count that decides, or all.

    Args:
        workers: the first of the job's files is the candidate, all others are references.
        order: samples as they are visited.
        counts: see `cumulative_counts`.
        classes: number of classes of the model, None where it is no classifier.
        class_samples: how many samples of each class there are in `order`.
    """
    seen: dict[str, Outcomes] = {}
    for start, end in zip([0, *counts], counts, strict=False):
        block = workers.evaluate(order[start:end])
        seen = {name: Outcomes.concatenate([seen[name], new]) if seen else new for name, new in block.items()}
        if stopping is not None and end < counts[-1]:
            candidate, *references = _classified(seen, classes).items()
            if decided(stopping, metric, candidate[1], dict(references), len(counts), class_samples):
                break
    return _classified(seen, classes)


def _classified(outcomes: Mapping[str, Outcomes], classes: int | None) -> dict[str, Outcomes]:
    """Labels that are no classes of the model, which only a user's metric allows, are not kept."""

    def fit(label: Array | None) -> bool:
        return label is None or classes is None or bool(np.all((label >= 0) & (label < classes)))

    return {
        name: each if fit(each.label) else replace(each, label=None, prediction=None) for name, each in outcomes.items()
    }
