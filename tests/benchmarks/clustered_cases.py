"""The table of what is simulated where samples are not independent of each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from litegate.metrics.facts import MetricFacts
from litegate.metrics.loading import load_metric
from litegate.spec import Gate
from tests.benchmarks.clusters import Clustering, equal, giant, in_clusters, largest_lost, lognormal, some_lost
from tests.benchmarks.populations import ACCURACY, PER_SAMPLE
from tests.benchmarks.scenes import (
    Scene,
    alone,
    champion_drop,
    class_drop,
    min_value,
    prediction_shift,
    side_by_side,
)
from tests.benchmarks.set_populations import WHOLE_SET
from tests.benchmarks.simulate import Case

__all__ = ["CLUSTERED"]

_SCORES = {population.name: population for population in PER_SAMPLE}
_SETS = {population.name: population for population in WHOLE_SET}
_TOP1 = _SCORES["top1"]
_GATE = Gate(max_drop=0.01)
_WIDE = 0.05
"""So much may be lost where another clause is what is tested."""

TWICE = Clustering("1,000 x 2", equal(2), "fed")
OFTEN = Clustering("100 x 100", equal(100), "fed")
PAIRS = Clustering("x 2", equal(2), "fed")
TENS = Clustering("groups of 10", equal(10))
LOOSE = Clustering("groups of 10, 30 % alike", equal(10), alike=0.3)
VIDEOS = Clustering("groups of 100, 10 % alike", equal(100), alike=0.1)
COPIED = Clustering("half are copies of one", giant(), "fed")
GIANT = Clustering("half in one group", giant(10))
UNEQUAL = Clustering("groups of 1 to 50", lognormal(5, 0.8))


def _case(policy: str, scene: Scene, samples: int, draws: tuple[int, int], **options: Any) -> Case:
    given: dict[str, Any] = {"metric": "top1", "limit": "0.01", "facts": _TOP1.facts, "gate": _GATE} | options
    return Case(policy=policy, scene=scene, samples=samples, draws=draws, clustered=True, **given)


def _loss(name: str, clustering: Clustering, samples: int, draws: tuple[int, int], **options: Any) -> Case:
    """A metric's own drop at its limit."""
    population = _SCORES.get(name) or _SETS[name]
    margin, facts = population.margin, population.facts
    given = {"metric": name, "limit": f"{margin:g}", "facts": facts, "gate": Gate(max_drop=margin)} | options
    scene = in_clusters(alone(population, margin), clustering)
    return _case(clustering.name, scene, samples, draws, **given)


def _accuracy() -> Iterator[Case]:
    yield _loss("top1", TWICE, 2_000, (3_000, 0))
    yield _loss("top1", PAIRS, 5_000, (3_000, 0))
    yield _loss("top1", PAIRS, 20_000, (0, 300))
    yield _loss("top1", OFTEN, 10_000, (2_000, 0))
    yield _loss("top1", Clustering("1 x 10,000", equal(10_000), "fed"), 10_000, (500, 0))
    yield _loss("top1, rare", TWICE, 2_000, (2_000, 0))
    yield _loss("top1, rare", TENS, 5_000, (2_000, 0))
    for clustering, samples in ((TENS, 50_000), (LOOSE, 20_000), (VIDEOS, 100_000), (UNEQUAL, 50_000)):
        yield _loss("top1", clustering, samples, (1_500, 100))
    yield _loss("top1", LOOSE, 5_000, (2_000, 0))
    yield _loss("top1", COPIED, 10_000, (1_000, 0))
    yield _loss("top1", GIANT, 10_000, (1_000, 0))


def _rare() -> Iterator[Case]:
    """All of the loss is in few clusters, and in the largest of them."""
    for clustering, samples, draws in (
        (TENS, 10_000, (2_000, 100)),
        (Clustering("groups of 100", equal(100)), 60_000, (1_000, 100)),
        (UNEQUAL, 20_000, (1_000, 0)),
    ):
        yield _case(f"few lost, {clustering.name}", some_lost(clustering, 0.01), samples, draws)
    yield _case("few half lost, groups of 10", some_lost(TENS, 0.01, 0.5), 10_000, (2_000, 0))
    yield _case("largest lost, 2 % in 50s", largest_lost(50, 0.02, 0.01), 20_000, (2_000, 100))
    yield _case("largest lost, half in 20s", largest_lost(20, 0.5, 0.01), 10_000, (2_000, 0))


def _scores() -> Iterator[Case]:
    yield _loss("iou", LOOSE, 10_000, (1_000, 100))
    yield _loss("iou, rare losses", TWICE, 2_000, (2_000, 0))
    yield _loss("iou, rare losses", OFTEN, 10_000, (1_000, 0))
    yield _loss("iou, rare losses", UNEQUAL, 20_000, (1_000, 100))
    yield _loss("user's cost", TWICE, 2_000, (2_000, 0))
    yield _loss("user's cost", TENS, 20_000, (1_000, 100))
    yield _loss("mae", TENS, 40_000, (1_000, 100))
    yield _loss("mae, rare losses", TWICE, 2_000, (2_000, 0))
    yield _loss("mae, heavy tails", UNEQUAL, 20_000, (1_000, 0))


def _sets() -> Iterator[Case]:
    for name, clustering, samples, draws in (
        ("roc_auc", TWICE, 2_000, (100, 0)),
        ("roc_auc", TENS, 10_000, (100, 10)),
        ("macro_f1", LOOSE, 5_000, (60, 0)),
        ("rmse", TWICE, 2_000, (300, 0)),
        ("rmse, rare losses", TENS, 10_000, (300, 0)),
        ("rmse", UNEQUAL, 10_000, (300, 0)),
    ):
        facts: MetricFacts = _SETS[name].facts
        yield _loss(name, clustering, samples, draws, value=load_metric(facts.name).value)


def _clauses() -> Iterator[Case]:
    """One clause at its limit, and the others far from theirs."""
    wide: dict[str, Any] = {"max_drop": _WIDE}
    for policy, gate, scene, samples in (
        ("max_class_drop", Gate(**wide, max_class_drop=0.05), class_drop(0.05), 20_000),
        ("max_prediction_shift", Gate(**wide, max_prediction_shift=0.05), prediction_shift(0.05), 10_000),
        ("max_drop_from_champion", Gate(**wide, max_drop_from_champion=0.01), champion_drop(0.01), 20_000),
        ("min_value", Gate(**wide, min_value=ACCURACY), min_value(ACCURACY, 0.02), 10_000),
        ("relative", Gate(max_drop=0.01, drop="relative"), alone(_TOP1, 0.01 * _TOP1.value), 20_000),
        ("8 variants, 1 bad", _GATE, side_by_side(1, 7, 0.01), 20_000),
    ):
        for clustering in (PAIRS, TENS):
            draws = (400, 0) if policy.startswith("8") else (1_000, 40)
            name = f"{policy}, {clustering.name}"
            clustered = in_clusters(scene, clustering)
            yield _case(name, clustered, samples, draws, gate=gate, limit="its limit")


def _stopping() -> Iterator[Case]:
    for clustering, samples in ((PAIRS, 20_000), (TENS, 40_000), (VIDEOS, 100_000)):
        found = _loss("top1", clustering, samples, (300, 40), design="looks")
        yield replace(found, policy=f"first_samples, {clustering.name}")
    for name, clustering, samples in (
        ("top1", PAIRS, 20_000),
        ("top1", OFTEN, 10_000),
        ("top1", TENS, 40_000),
        ("top1", LOOSE, 20_000),
        ("top1", UNEQUAL, 40_000),
        ("iou, rare losses", PAIRS, 20_000),
    ):
        found = _loss(name, clustering, samples, (150, 30), design="sequential")
        yield replace(found, policy=f"sequential, {clustering.name}")
    lost = largest_lost(50, 0.02, 0.01)
    yield _case("sequential, largest lost", lost, 20_000, (200, 0), design="sequential")
    by_class = Gate(max_drop=_WIDE, max_class_drop=0.05)
    scene = in_clusters(class_drop(0.05), PAIRS)
    yield _case("sequential, class drop, x 2", scene, 20_000, (100, 0), gate=by_class, design="sequential")


CLUSTERED = tuple(case for table in (_accuracy, _rare, _scores, _sets, _clauses, _stopping) for case in table())
