"""The table of what is simulated where a host runs ten times as many samples as the target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from litegate.spec import Gate
from tests.benchmarks.clusters import Clustering, equal, in_clusters
from tests.benchmarks.hosts import Host, agrees_in_half, beside, keeps_all, opposite, same, unrelated
from tests.benchmarks.populations import ACCURACY, PER_SAMPLE
from tests.benchmarks.scenes import (
    Scene,
    alone,
    champion_drop,
    class_drop,
    min_value,
    prediction_shift,
    side_by_side,
    slice_drop,
)
from tests.benchmarks.simulate import Case

__all__ = ["TWO_PHASE"]

_BY_NAME = {population.name: population for population in PER_SAMPLE}
_TOP1 = _BY_NAME["top1"]
_HOSTS: dict[str, Host] = {
    "same": same,
    "half": agrees_in_half,
    "keeps": keeps_all,
    "unrelated": unrelated,
    "opposite": opposite,
}
_WIDE = 0.05
"""So much may be lost where another clause is what is tested."""


def _case(host: str, policy: str, gate: Gate, scene: Scene, samples: int, draws: tuple[int, int], **more: Any) -> Case:
    given: dict[str, Any] = {"metric": "top1", "limit": f"{gate.max_drop:g}", "facts": _TOP1.facts} | more
    return Case(
        policy=f"host {host}{policy}",
        gate=gate,
        scene=beside(scene, _HOSTS[host]),
        samples=samples,
        draws=draws,
        two_phase=True,
        **given,
    )


def _loss(name: str, host: str, samples: int, draws: tuple[int, int], **more: Any) -> Case:
    population = _BY_NAME[name]
    gate, scene = Gate(max_drop=population.margin), alone(population, population.margin)
    design = f", {more['design']}" if "design" in more else ""
    return _case(host, design, gate, scene, samples, draws, metric=name, facts=population.facts, **more)


def _losses() -> Iterator[Case]:
    for host in _HOSTS:
        yield _loss("top1", host, 1_000, (1_000, 0))
    for host in ("same", "keeps"):
        yield _loss("top1", host, 300, (1_000, 0))
        yield _loss("top1, restless", host, 300, (1_000, 0))
        yield _loss("top1, rare", host, 1_000, (1_000, 0))
        yield _loss("iou, rare losses", host, 300, (500, 0))
        yield _loss("mae, rare losses", host, 1_000, (500, 0))
    for host in ("half", "keeps", "opposite"):
        yield _loss("mae", host, 1_000, (500, 0))
        yield _loss("user's cost", host, 1_000, (500, 0))
    yield _loss("top1", "half", 3_000, (0, 200))
    yield _loss("top1", "unrelated", 6_000, (0, 100))


def _clauses() -> Iterator[Case]:
    by_class, by_slice = Gate(max_drop=_WIDE, max_class_drop=0.05), Gate(max_drop=_WIDE, max_slice_drop=0.05)
    by_shift = Gate(max_drop=_WIDE, max_prediction_shift=0.05)
    champion = Gate(max_drop=_WIDE, max_drop_from_champion=0.01)
    for host in ("keeps", "same"):
        yield _case(host, ", max_class_drop", by_class, class_drop(0.05), 2_000, (500, 0))
        yield _case(host, ", max_slice_drop", by_slice, slice_drop(0.05), 2_000, (300, 0))
        yield _case(host, ", relative", Gate(max_drop=0.01, drop="relative"), _relative(), 1_000, (500, 0))
        yield _case(host, ", champion", champion, champion_drop(0.01), 1_000, (500, 0))
    yield _case("keeps", ", class 2 %", by_class, class_drop(0.05, 0.02), 5_000, (200, 0))
    yield _case("half", ", max_prediction_shift", by_shift, prediction_shift(0.05), 1_000, (500, 0))
    wanted = Gate(max_drop=_WIDE, min_value=ACCURACY)
    yield _case("half", ", min_value", wanted, min_value(ACCURACY, 0.02), 1_000, (500, 0))
    yield _case("half", ", 8 variants", Gate(max_drop=0.01), side_by_side(8, 0, 0.01), 1_000, (300, 0))


def _relative() -> Scene:
    return alone(_TOP1, 0.01 * _TOP1.value)


def _early() -> Iterator[Case]:
    for host in ("same", "keeps"):
        yield _loss("top1", host, 4_000, (200, 0), design="interim")
    yield _loss("top1", "keeps", 4_000, (100, 0), design="sequential")


def _clustered() -> Iterator[Case]:
    for clustering in (Clustering("x 2", equal(2), "fed"), Clustering("groups of 10", equal(10))):
        for host in ("half", "keeps"):
            scene = in_clusters(alone(_TOP1, 0.01), clustering)
            case = _case(host, f", {clustering.name}", Gate(max_drop=0.01), scene, 3_000, (300, 0))
            yield replace(case, clustered=True)


TWO_PHASE = tuple(case for table in (_losses, _clauses, _early, _clustered) for case in table())
