"""The table of what is simulated where a file is the best of many that were tried on samples of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from litegate.outcomes.columns import Outcomes
from litegate.spec import Gate
from tests.benchmarks.populations import ACCURACY, CLASSES, PER_SAMPLE, RESNET8, classified, flip
from tests.benchmarks.scenes import Scene, Variant
from tests.benchmarks.simulate import Case

__all__ = ["SEARCHED", "searched"]

_TRIED, _TUNING, _MARGIN = 30, 200, 0.01
_FACTS = next(population.facts for population in PER_SAMPLE if population.name == "top1")


def searched(tried: int, tuning: int, margin: float, apart: bool) -> Scene:
    """The best of `tried` files that all lose `margin`, by what they seem to lose on the samples that tune.

    The search has labels here, which a real one has not, so it picks by the very number that is judged.

    Args:
        tuning: how many samples tune.
        apart: whether they are others than those that are judged, or the first of them.
    """

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        size = samples + tuning if apart else samples
        before = rng.random(size) < ACCURACY
        files = [flip(rng, before, ACCURACY, 0.0 if perfect else margin, RESNET8) for _ in range(tried)]
        tunes = slice(samples, None) if apart else slice(tuning)
        best = max(files, key=lambda right: int(right[tunes].sum()))
        label = rng.integers(CLASSES, size=samples)
        mistake = (label + rng.integers(1, CLASSES, size=samples)) % CLASSES

        def judged(right: Any) -> Outcomes:
            return classified(right[:samples], label, mistake)

        return [Variant(judged(best), {"baseline": judged(before)}, not perfect)]

    return scene


def _case(name: str, samples: int, tuning: int, apart: bool) -> Case:
    return Case(
        metric="top1",
        policy=f"best of {_TRIED}, {name}",
        limit=f"{_MARGIN:g}",
        facts=_FACTS,
        gate=Gate(max_drop=_MARGIN),
        scene=searched(_TRIED, tuning, _MARGIN, apart),
        samples=samples,
        draws=(2_000, 0),
        claimed=apart,
        searched=True,
    )


SEARCHED = (
    _case("judged on others", 1_000, _TUNING, apart=True),
    _case("judged on others", 3_000, _TUNING, apart=True),
    _case("judged on the same", 1_000, 1_000, apart=False),
)
