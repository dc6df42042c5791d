"""The table of what is simulated: every metric and every policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from litegate.spec import Gate
from tests.benchmarks.populations import ACCURACY, PER_SAMPLE, UNCLAIMED, Population
from tests.benchmarks.scenes import (
    Scene,
    alone,
    champion_drop,
    class_drop,
    lost_class,
    min_value,
    prediction_shift,
    side_by_side,
    slice_drop,
)
from tests.benchmarks.set_populations import WHOLE_SET
from tests.benchmarks.set_values import VALUES
from tests.benchmarks.simulate import Case

__all__ = ["CASES", "LARGE", "NAIVE"]

LARGE = 10_000
_SIZES = (300, 1_000, LARGE)
_BY_NAME = {population.name: population for population in PER_SAMPLE}
_TOP1 = _BY_NAME["top1"]
_WIDE = 0.05
"""So much may be lost where another clause is what is tested."""

_SET_DRAWS = {"roc_auc": (60, 15), "average_precision": (100, 15), "macro_f1": (70, 15), "rmse": (300, 40)}
"""scikit-learn's values are computed several hundred times for each verdict."""


def _draws(samples: int, share: float = 1.0) -> tuple[int, int]:
    """More of the large ones, whose rates come nearest to the stated one; power is asked for at those alone."""
    at_limit, perfect = (3_000, 400) if samples == LARGE else (2_000, 0)
    return int(at_limit * share), int(perfect * share)


def _per_sample() -> Iterator[Case]:
    for population in PER_SAMPLE:
        for samples in _SIZES:
            yield _alone(population, "absolute", samples)
    yield _alone(UNCLAIMED, "absolute", 1_000, claimed=False)


def _whole_set() -> Iterator[Case]:
    for population in WHOLE_SET:
        at_limit, perfect = _SET_DRAWS[population.facts.name]
        value = VALUES[population.facts.name]
        for samples, draws in ((1_000, (at_limit, 0)), (LARGE, (0, perfect))):
            yield replace(_alone(population, "absolute", samples), draws=draws, value=value)


def _alone(population: Population, policy: str, samples: int, **options: Any) -> Case:
    margin = population.margin
    case = _case(policy, f"{margin:g}", Gate(max_drop=margin), alone(population, margin), samples)
    return replace(case, metric=population.name, facts=population.facts, **options)


def _case(policy: str, limit: str, gate: Gate, scene: Scene, samples: int, **options: Any) -> Case:
    given = {"draws": _draws(samples)} | options
    return Case("top1", policy, limit, _TOP1.facts, gate, scene, samples, **given)


def _relative() -> Iterator[Case]:
    """A point of the baseline's value, which is itself uncertain."""
    gate = Gate(max_drop=0.01, drop="relative")
    for population in (_BY_NAME[name] for name in ("top1", "mae", "iou, rare losses")):
        scene = alone(population, 0.01 * population.value)
        for samples in _SIZES:
            case = _case("relative", "1 % of baseline", gate, scene, samples, draws=_draws(samples, 0.5))
            yield replace(case, metric=population.name, facts=population.facts)


def _clauses() -> Iterator[Case]:
    """One clause at its limit, and the others far from theirs."""
    by_class, by_shift = Gate(max_drop=_WIDE, max_class_drop=0.05), Gate(max_drop=_WIDE, max_prediction_shift=0.05)
    for samples in _SIZES:
        if samples > 10 * by_class.min_class_samples:
            yield _case("max_class_drop", "0.05 of one class", by_class, class_drop(0.05), samples)
        if samples > 10 * by_class.min_class_samples:
            by_slice = Gate(max_drop=_WIDE, max_slice_drop=0.05)
            draws = (1_000, 400 if samples == LARGE else 0)
            yield _case("max_slice_drop", "0.05 of one site", by_slice, slice_drop(0.05), samples, draws=draws)
        yield _case("max_prediction_shift", "share +0.05", by_shift, prediction_shift(0.05), samples)
        gate = Gate(max_drop=_WIDE, max_drop_from_champion=0.01)
        yield _case("max_drop_from_champion", "0.01", gate, champion_drop(0.01), samples)
        gate = Gate(max_drop=_WIDE, min_value=ACCURACY)
        yield _case("min_value", "0.75; perfect: 0.77", gate, min_value(ACCURACY, 0.02), samples)
    for samples in (1_000, LARGE):
        draws = (1_000, 200 if samples == LARGE else 0)
        yield _case("lost class, 2 %", "never predicted", Gate(max_drop=_WIDE), lost_class(0.02), samples, draws=draws)
    yield _case("max_class_drop, rare", "0.05 of 1 %", by_class, class_drop(0.05, 0.01), LARGE, draws=(1_000, 0))


def _many() -> Iterator[Case]:
    """Eight variants side by side; what counts is whether any bad one passes."""
    gate = Gate(max_drop=0.01)
    for samples, share in ((1_000, 0.5), (LARGE, 0.4)):
        for bad, good in ((8, 0), (1, 7)):
            draws = _draws(samples, share)
            policy = "8 variants" if bad == 8 else "8 variants, 1 bad"
            yield _case(policy, "0.01", gate, side_by_side(bad, good, 0.01), samples, draws=draws)


def _stopping() -> Iterator[Case]:
    """Whoever may stop when a verdict is there has more than one chance to be wrong."""
    by_class = Gate(max_drop=_WIDE, max_class_drop=0.05)
    for name in ("top1", "mae", "iou, rare losses"):
        yield _alone(_BY_NAME[name], "first_samples", 4_000, draws=(1_000, 0), design="interim")
        yield _alone(_BY_NAME[name], "first_samples", LARGE, draws=(0, 200), design="interim")
    rare = class_drop(0.05, 0.01)
    by_slice = Gate(max_drop=_WIDE, max_slice_drop=0.05)
    early = {"draws": (500, 0), "design": "interim"}
    yield _case("first_samples, slice", "0.05 of one site", by_slice, slice_drop(0.05), 4_000, **early)
    yield _case("first_samples, class 1 %", "0.05 of 1 %", by_class, rare, LARGE, draws=(500, 0), design="interim")


def _sequential() -> Iterator[Case]:
    gate, by_class = Gate(max_drop=0.01), Gate(max_drop=_WIDE, max_class_drop=0.05)
    for name, draws in (("top1", (400, 200)), ("iou, rare losses", (80, 60)), ("user's cost", (80, 60))):
        yield _alone(_BY_NAME[name], "sequential", LARGE, draws=draws, design="sequential")
    for policy, limit, policies, scene, draws in (
        ("sequential, 8 variants", "0.01", gate, side_by_side(8, 0, 0.01), (60, 30)),
        ("sequential, 8, 1 bad", "0.01", gate, side_by_side(1, 7, 0.01), (60, 0)),
        ("sequential, class drop", "0.05 of one class", by_class, class_drop(0.05), (200, 60)),
        ("sequential, class 1 %", "0.05 of 1 %", by_class, class_drop(0.05, 0.01), (200, 0)),
    ):
        yield _case(policy, limit, policies, scene, LARGE, draws=draws, design="sequential")


NAIVE = replace(_alone(_TOP1, "absolute", 1_000), draws=(2_000, 4_000))
"""Of the perfect models among these the naive rule rejects so many."""

CASES = tuple(
    NAIVE if (case.metric, case.policy, case.samples) == ("top1", "absolute", 1_000) else case
    for table in (_per_sample, _relative, _clauses, _many, _stopping, _sequential, _whole_set)
    for case in table()
)
