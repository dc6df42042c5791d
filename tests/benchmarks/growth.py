"""How many samples the sequential evaluation of a perfect model takes, when there are more and more of them."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import numpy as np

from litegate.outcomes.columns import Outcomes
from tests.benchmarks.cases import NAIVE
from tests.benchmarks.populations import ACCURACY, CLASSES, RESNET8, classified
from tests.benchmarks.scenes import Variant
from tests.benchmarks.simulate import seen

__all__ = ["AVAILABLE", "growth"]

AVAILABLE = (100_000, 1_000_000)
_FIRST = 100_000
"""Nothing visits more of the samples than these."""


def growth(pool: Executor, seeds: int) -> dict[str, Any]:
    """Mean numbers of samples used by how many there were, and the last over the first with its standard error."""
    used = {samples: np.array(list(pool.map(_used, [samples] * seeds, range(seeds))), float) for samples in AVAILABLE}
    few, many = used.values()
    errors = [numbers.std(ddof=1) / numbers.mean() / seeds**0.5 for numbers in (few, many)]
    ratio = float(many.mean() / few.mean())
    means = {str(samples): float(numbers.mean()) for samples, numbers in used.items()}
    return {"ratio": ratio, "error": ratio * float(np.hypot(*errors)), "mean_samples": means, "seeds": seeds}


def _used(available: int, seed: int) -> int:
    order = np.random.default_rng([available, seed]).permutation(available)[:_FIRST]
    case = replace(NAIVE, design="sequential", samples=available)
    used = len(seen(case, _visited(order, available), 1).candidate)
    assert used < _FIRST
    return used


def _visited(order: np.ndarray[Any, np.dtype[Any]], available: int) -> Variant:
    """The samples of a dataset in which exactly as many are lost as are gained, in the order of the visits."""
    discordant = round(RESNET8 / 2 * available)
    both_right = (order >= 2 * discordant) & (order < available * (ACCURACY + RESNET8 / 2))
    lost, gained = order < discordant, (order >= discordant) & (order < 2 * discordant)
    label = order % CLASSES
    before, after = (
        classified(both_right | only, label, (label + 1 + order // CLASSES % (CLASSES - 1)) % CLASSES)
        for only in (lost, gained)
    )
    return Variant(_named(after, order), {"baseline": _named(before, order)}, bad=False)


def _named(outcomes: Outcomes, order: np.ndarray[Any, np.dtype[Any]]) -> Outcomes:
    return replace(outcomes, index=order, id=order.astype(np.bytes_))
