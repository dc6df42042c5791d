"""The table of what is simulated where samples are not independent of each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from litegate.spec import Gate
from litegate.spec.metric_facts import MetricFacts
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
from tests.benchmarks.set_values import VALUES
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
    yield _loss("top1", PAIRS, 20_000, (0, 200))
    yield _loss("top1", OFTEN, 10_000, (2_000, 0))
    yield _loss("top1", Clustering("1 x 10,000", equal(10_000), "fed"), 10_000, (500, 0))
    yield _loss("top1, rare", TWICE, 2_000, (2_000, 0))
    yield _loss("top1, rare", TENS, 5_000, (2_000, 0))
    yield _loss("top1", TENS, 10_000, (3_000, 0))
    yield _loss("top1", LOOSE, 5_000, (2_000, 0))
    yield _loss("top1", VIDEOS, 40_000, (1_000, 0))
    yield _loss("top1", UNEQUAL, 10_000, (1_000, 0))
    for clustering, samples in ((TENS, 80_000), (LOOSE, 20_000), (VIDEOS, 80_000), (UNEQUAL, 60_000)):
        yield _loss("top1", clustering, samples, (0, 100))
    yield _loss("top1", COPIED, 10_000, (1_000, 0))
    yield _loss("top1", GIANT, 10_000, (1_000, 0))


def _rare() -> Iterator[Case]:
    """All of the loss is in few clusters, and in the largest of them."""
    for clustering, samples, draws in (
        (TENS, 10_000, (3_000, 100)),
        (Clustering("groups of 100", equal(100)), 40_000, (1_000, 0)),
        (UNEQUAL, 20_000, (1_000, 0)),
    ):
        yield _case(f"few lost, {clustering.name}", some_lost(clustering, 0.01), samples, draws)
    yield _case("few half lost, groups of 10", some_lost(TENS, 0.01, 0.5), 10_000, (2_000, 0))
    yield _case("largest lost, 2 % in 50s", largest_lost(50, 0.02, 0.01), 20_000, (2_000, 0))
    yield _case("largest lost, 2 % in 50s", largest_lost(50, 0.02, 0.01), 40_000, (0, 100))
    yield _case("largest lost, half in 20s", largest_lost(20, 0.5, 0.01), 10_000, (2_000, 0))


def _scores() -> Iterator[Case]:
    yield _loss("iou", LOOSE, 10_000, (1_000, 100))
    yield _loss("iou, rare losses", TWICE, 2_000, (2_000, 0))
    yield _loss("iou, rare losses", OFTEN, 10_000, (1_000, 0))
    yield _loss("iou, rare losses", UNEQUAL, 20_000, (1_000, 0))
    yield _loss("iou, rare losses", UNEQUAL, 40_000, (0, 100))
    yield _loss("user's cost", TWICE, 2_000, (2_000, 0))
    yield _loss("user's cost", TENS, 20_000, (1_000, 100))
    yield _loss("mae", TENS, 40_000, (1_000, 100))
    yield _loss("mae, rare losses", TWICE, 2_000, (2_000, 0))
    yield _loss("mae, heavy tails", UNEQUAL, 20_000, (1_000, 0))


def _sets() -> Iterator[Case]:
    for name, clustering, samples, draws in (
        ("roc_auc", TWICE, 2_000, (60, 0)),
        ("roc_auc", TENS, 10_000, (0, 10)),
        ("macro_f1", LOOSE, 5_000, (60, 0)),
        ("rmse", TWICE, 2_000, (200, 0)),
        ("rmse, rare losses", TENS, 10_000, (200, 0)),
        ("rmse", UNEQUAL, 10_000, (100, 0)),
    ):
        facts: MetricFacts = _SETS[name].facts
        yield _loss(name, clustering, samples, draws, value=VALUES[facts.name])


def _clauses() -> Iterator[Case]:
    """One clause at its limit, and the others far from theirs; and variants side by side."""
    wide: dict[str, Any] = {"max_drop": _WIDE}
    by_class = Gate(**wide, max_class_drop=0.05)
    for policy, gate, scene in (
        ("max_prediction_shift", Gate(**wide, max_prediction_shift=0.05), prediction_shift(0.05)),
        ("max_drop_from_champion", Gate(**wide, max_drop_from_champion=0.01), champion_drop(0.01)),
        ("min_value", Gate(**wide, min_value=ACCURACY), min_value(ACCURACY, 0.02)),
        ("relative", Gate(max_drop=0.01, drop="relative"), alone(_TOP1, 0.01 * _TOP1.value)),
        ("max_class_drop", by_class, class_drop(0.05)),
        ("8 variants, 1 bad", _GATE, side_by_side(1, 7, 0.01)),
    ):
        eight = policy.startswith("8")
        for clustering, copies in ((PAIRS, 2), (TENS, 10)):
            policies: dict[str, Any] = {"gate": gate, "limit": "its limit"}
            name, clustered = f"{policy}, {clustering.name}", in_clusters(scene, clustering)
            yield _case(name, clustered, 1_000 * copies, (500 if eight else 2_500, 0), **policies)
        yield _case(f"{policy}, x 2", in_clusters(scene, PAIRS), 20_000, (0, 10 if eight else 50), **policies)
    rare = in_clusters(class_drop(0.05, 0.01), LOOSE)
    yield _case("max_class_drop, rare, 30 % alike", rare, 20_000, (500, 0), gate=by_class, limit="0.05 of 1 %")


def _stopping() -> Iterator[Case]:
    for clustering, samples, draws in (
        (PAIRS, 8_000, (1_000, 0)),
        (TENS, 20_000, (1_000, 0)),
        (LOOSE, 20_000, (300, 60)),
        (PAIRS, 20_000, (0, 100)),
    ):
        found = _loss("top1", clustering, samples, draws, design="interim")
        yield replace(found, policy=f"first_samples, {clustering.name}")
    for name, clustering, samples, draws in (
        ("top1", PAIRS, 20_000, (200, 60)),
        ("top1", OFTEN, 10_000, (200, 0)),
        ("top1", TENS, 20_000, (200, 0)),
        ("top1", LOOSE, 20_000, (200, 60)),
        ("top1", UNEQUAL, 20_000, (200, 0)),
        ("iou, rare losses", PAIRS, 20_000, (100, 40)),
    ):
        found = _loss(name, clustering, samples, draws, design="sequential")
        yield replace(found, policy=f"sequential, {clustering.name}")
    for known in ("group", "fed"):
        lost = largest_lost(50, 0.02, 0.01, known)
        policy = "sequential, largest lost" + (", copies" if known == "fed" else "")
        yield _case(policy, lost, 20_000, (200, 0), design="sequential")
    by_class = Gate(max_drop=_WIDE, max_class_drop=0.05)
    scene = in_clusters(class_drop(0.05), PAIRS)
    yield _case("sequential, class drop, x 2", scene, 20_000, (100, 0), gate=by_class, design="sequential")


CLUSTERED = tuple(case for table in (_accuracy, _rare, _scores, _sets, _clauses, _stopping) for case in table())
