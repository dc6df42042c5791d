"""Hosts beside a target: outcomes of the same artifacts that agree with the target's, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from litegate.outcomes.columns import Outcomes
from tests.benchmarks.scenes import Scene, Variant

__all__ = ["Host", "agrees_in_half", "beside", "keeps_all", "opposite", "same", "unrelated"]

Array = np.ndarray[Any, np.dtype[Any]]
Pair = tuple[Outcomes, Outcomes]
Host = Callable[[np.random.Generator, Outcomes, Outcomes], Pair]
"""From what the target says of a reference and of a candidate to what the host says of both."""


def same(_: np.random.Generator, before: Outcomes, after: Outcomes) -> Pair:
    """The host is the target."""
    return before, after


def agrees_in_half(rng: np.random.Generator, before: Outcomes, after: Outcomes) -> Pair:
    """Of what changes on the target, half changes on the host: of the losses and of the gains."""
    return before, _mixed(rng.random(len(before)) < 0.5, after, before)


def keeps_all(rng: np.random.Generator, before: Outcomes, after: Outcomes) -> Pair:
    """On the host nothing is lost in the mean: of the target's losses it has only as many as there are gains."""
    assert before.score is not None
    assert after.score is not None
    lost = before.score.astype(float) - after.score
    gains, losses = -float(lost[lost < 0].sum()), float(lost[lost > 0].sum())
    kept = min(gains, losses) / max(gains, losses, 1e-9)
    rarer = (lost > 0) if losses > gains else (lost < 0)
    return before, _mixed(~rarer | (rng.random(len(lost)) < kept), after, before)


def unrelated(rng: np.random.Generator, before: Outcomes, after: Outcomes) -> Pair:
    """The host changes as often, on other samples."""
    order = rng.permutation(len(before))
    return _answers(before, before, order), _answers(after, after, order)


def opposite(_: np.random.Generator, before: Outcomes, after: Outcomes) -> Pair:
    """What the target loses the host gains."""
    return after, before


def beside(scene: Scene, host: Host, times: int = 10) -> Scene:
    """The scene with a host that runs all of `times` as many samples, and a target that runs the first of them."""

    def both(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        return [_cut(rng, variant, host, samples) for variant in scene(rng, samples * times, perfect)]

    return both


def _cut(rng: np.random.Generator, variant: Variant, host: Host, samples: int) -> Variant:
    pairs = {role: host(rng, outcomes, variant.candidate) for role, outcomes in variant.references.items()}
    head = variant.first(samples)
    return replace(
        head,
        whole=None,
        host=pairs["baseline"][1],
        host_references={role: pair[0] for role, pair in pairs.items()},
    )


def _mixed(ours: Array, one: Outcomes, other: Outcomes) -> Outcomes:
    columns = ("score", "prediction")
    mixed = {name: np.where(ours, getattr(one, name), getattr(other, name)) for name in columns if _has(one, name)}
    return replace(one, **mixed)


def _answers(one: Outcomes, other: Outcomes, order: Array) -> Outcomes:
    """The samples of one with the answers of the other."""
    return replace(one, **{name: getattr(other, name)[order] for name in ("score", "prediction") if _has(other, name)})


def _has(outcomes: Outcomes, name: str) -> bool:
    return getattr(outcomes, name) is not None
