"""Runs in which samples are not independent: exact duplicates, and groups whose samples have much in common.

The clusters are drawn, and the loss of a sample drawn from all of them is exactly what the scene says. Of which sizes
they are is given, as it is for the gate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from litegate.outcomes.columns import Outcomes
from tests.benchmarks.populations import ACCURACY, CLASSES, RESNET8, classified, flip, rows
from tests.benchmarks.scenes import Scene, Variant

_MOST = 200_000
"""No run has more samples."""

__all__ = ["Clustering", "equal", "giant", "in_clusters", "largest_lost", "lognormal", "some_lost"]

Array = np.ndarray[Any, np.dtype[Any]]
Known = Literal["group", "fed"]
Sizes = Callable[[np.random.Generator, int], Array]
"""Draws the sizes of clusters with about so many samples in all."""


@dataclass(frozen=True)
class Clustering:
    """How samples belong together.

    Attributes:
        name: for the table.
        known: by a group that the data names, or by what was fed alone.
        alike: the share of samples that are as the first of their cluster; all others are as if they were alone.
    """

    name: str
    sizes: Sizes
    known: Known = "group"
    alike: float = 1.0


def equal(size: int) -> Sizes:
    return lambda rng, samples: np.full(samples // size, size)


def giant(size: int = 1) -> Sizes:
    """Half of all samples are in one cluster."""

    def sizes(rng: np.random.Generator, samples: int) -> Array:
        return np.append(np.full(samples // 2 // size, size), samples // 2)

    return sizes


def lognormal(mean: float, sigma: float) -> Sizes:
    def sizes(rng: np.random.Generator, samples: int) -> Array:
        drawn = rng.lognormal(np.log(mean) - sigma**2 / 2, sigma, round(samples / mean))
        return np.maximum(np.round(drawn), 1).astype(int)

    return sizes


def in_clusters(scene: Scene, clustering: Clustering) -> Scene:
    """The same, with whole clusters in place of samples."""

    def clustered(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        sizes = clustering.sizes(rng, samples)
        number = _numbers(rng, sizes, clustering.known)
        common = scene(rng, len(sizes), perfect)
        own = scene(rng, len(number), perfect) if clustering.alike < 1 else common
        alike = rng.random(len(number)) < clustering.alike
        return [_spread(one, other, number, alike, clustering.known) for one, other in zip(common, own, strict=True)]

    return clustered


def some_lost(clustering: Clustering, margin: float, most: float = 1.0) -> Scene:
    """All of the loss is in a few clusters, which lose the share `most` of what was right; the others lose nothing."""

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        sizes = clustering.sizes(rng, samples)
        return _lost_as_a_whole(rng, sizes, np.full(len(sizes), margin), clustering.known, perfect, most)

    return scene


def largest_lost(size: int, share: float, margin: float, known: Known = "group") -> Scene:
    """The share of the samples that is in clusters of this size has all of the loss; the others are alone."""

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        large = round(samples * share / size)
        sizes = np.append(np.full(large, size), np.ones(samples - large * size, int))
        losses = np.where(sizes == size, margin * samples / (large * size), 0.0)
        return _lost_as_a_whole(rng, sizes, losses, known, perfect)

    return scene


def _lost_as_a_whole(
    rng: np.random.Generator, sizes: Array, losses: Array, known: Known, perfect: bool, most: float = 1.0
) -> list[Variant]:
    """Clusters that lose the share `most` of what was right, each as often as makes its loss; the rest are perfect."""
    number = _numbers(rng, sizes, known)
    label = rng.integers(CLASSES, size=len(number))
    mistake = (label + rng.integers(1, CLASSES, len(number))) % CLASSES
    before = rng.random(len(number)) < ACCURACY
    after = flip(rng, before, ACCURACY, 0.0, RESNET8)
    if not perfect:
        hit = (rng.random(len(sizes)) < losses / most / ACCURACY)[number]
        after = np.where(hit, before & (rng.random(len(number)) >= most), after)
    candidate, baseline = (_marked(classified(right, label, mistake), number, known) for right in (after, before))
    return [Variant(candidate, {"baseline": baseline}, not perfect)]


def _numbers(rng: np.random.Generator, sizes: Array, known: Known) -> Array:
    """The cluster of each sample as they are visited: groups one after the other, duplicates wherever they lie."""
    order = rng.permutation(len(sizes))
    number = np.repeat(order, sizes[order])
    return rng.permutation(number) if known == "fed" else number


def _spread(common: Variant, own: Variant, number: Array, alike: Array, known: Known) -> Variant:
    def spread(one: Outcomes, other: Outcomes) -> Outcomes:
        return _marked(_mixed(one, other, number, alike), number, known)

    references: Mapping[str, Outcomes] = {
        role: spread(common.references[role], own.references[role]) for role in common.references
    }
    return Variant(spread(common.candidate, own.candidate), references, common.bad)


def _mixed(common: Outcomes, own: Outcomes, number: Array, alike: Array) -> Outcomes:
    columns = {field.name: getattr(common, field.name) for field in fields(common)}
    if alike.all():
        return Outcomes(**{name: column if column is None else column[number] for name, column in columns.items()})
    mixed = {
        name: column if column is None else np.where(alike, column[number], getattr(own, name))
        for name, column in columns.items()
    }
    return Outcomes(**mixed)


def _marked(outcomes: Outcomes, number: Array, known: Known) -> Outcomes:
    named = {name: column[: len(number)] for name, column in rows(_MOST).items()}
    return replace(outcomes, **named, **{known: np.ascontiguousarray(number, np.int64).view("S8")})
