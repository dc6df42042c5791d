"""What the gate is shown in one simulated run: variants with their references, and which of them are bad.

`bad` variants violate exactly one clause of the policy, by nothing: they are exactly at its limit, and all else
is well within. In a perfect run no variant is bad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from litegate.outcomes.columns import Outcomes
from tests.benchmarks.populations import ACCURACY, CLASSES, RESNET8, Population, classified, flip

__all__ = [
    "Scene",
    "Variant",
    "alone",
    "champion_drop",
    "class_drop",
    "lost_class",
    "min_value",
    "prediction_shift",
    "side_by_side",
    "slice_drop",
]

Array = np.ndarray[Any, np.dtype[Any]]
FIELDS = ("lighting", "site")
"""Of slices, where there are any, in the order of their columns."""


@dataclass(frozen=True)
class Variant:
    candidate: Outcomes
    references: Mapping[str, Outcomes]
    bad: bool
    whole: Variant | None = None
    host: Outcomes | None = None
    host_references: Mapping[str, Outcomes] = field(default_factory=dict)

    def first(self, samples: int) -> Variant:
        """As it stood after so many samples."""
        rows: Any = slice(samples)
        references = {role: outcomes.take(rows) for role, outcomes in self.references.items()}
        return replace(self, candidate=self.candidate.take(rows), references=references, whole=self)

    @property
    def class_samples(self) -> dict[int, int]:
        """How many samples of each class there are, seen or not."""
        label = (self.whole or self).candidate.label
        return {} if label is None else dict(enumerate(np.bincount(label).tolist()))

    @property
    def slice_samples(self) -> dict[str, dict[str, int]]:
        """How many samples of each value there are, by field of slices, seen or not."""
        slices = (self.whole or self).candidate.slices
        columns = [] if slices is None else zip(FIELDS, slices.T, strict=True)
        return {
            field: {value.decode(): int(np.sum(column == value)) for value in np.unique(column)}
            for field, column in columns
        }

    @property
    def largest_group(self) -> int:
        """Samples in the largest group that there is, seen or not."""
        group = (self.whole or self).candidate.group
        return 1 if group is None else int(np.bincount(group.view(np.int64)).max())  # as they are made from numbers


Scene = Callable[[np.random.Generator, int, bool], list[Variant]]
"""Draws a run of so many samples; the flag says whether it is perfect."""


@dataclass(frozen=True)
class _Pictures:
    """The samples of a classifier's dataset: what is right, and what it answers where it is wrong."""

    label: Array
    mistake: Array

    @classmethod
    def draw(cls, rng: np.random.Generator, samples: int, shares: tuple[float, ...] | None = None) -> _Pictures:
        label = rng.choice(CLASSES, samples, p=shares)
        return cls(label, (label + rng.integers(1, CLASSES, samples)) % CLASSES)

    def answered(self, right: Array) -> Outcomes:
        return classified(right, self.label, self.mistake)


def alone(population: Population, margin: float) -> Scene:
    """One variant that loses `margin`."""

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        before, after = population.draw(rng, samples, 0.0 if perfect else margin)
        return [Variant(after, {"baseline": before}, not perfect)]

    return scene


def side_by_side(bad: int, good: int, margin: float) -> Scene:
    """Variants of one baseline, of which `bad` lose `margin`; as for the true drop, all others are perfect."""

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        pictures, before = _Pictures.draw(rng, samples), rng.random(samples) < ACCURACY
        losses = [0.0 if perfect else margin] * bad + [0.0] * good
        reference = {"baseline": pictures.answered(before)}
        flipped = (flip(rng, before, ACCURACY, loss, RESNET8) for loss in losses)
        return [
            Variant(pictures.answered(after), reference, loss > 0) for after, loss in zip(flipped, losses, strict=True)
        ]

    return scene


def class_drop(margin: float, share: float = 1 / CLASSES) -> Scene:
    """One class, of the given share, loses `margin`; every other loses a tenth of it."""
    shares = (share, *((1 - share) / (CLASSES - 1) for _ in range(CLASSES - 1)))

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        pictures, before = _Pictures.draw(rng, samples, shares), rng.random(samples) < ACCURACY
        loss = 0.0 if perfect else np.where(pictures.label == 0, margin, margin / 10)
        after = flip(rng, before, ACCURACY, loss, RESNET8)
        return [Variant(pictures.answered(after), {"baseline": pictures.answered(before)}, not perfect)]

    return scene


def slice_drop(*margins: float) -> Scene:
    """One of ten sites, or each of the first, loses what is given; the samples of all have one of three lightings."""

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        pictures, before = _Pictures.draw(rng, samples), rng.random(samples) < ACCURACY
        lighting, site = rng.integers(0, 3, samples), rng.integers(0, 10, samples)
        losses = np.zeros(10)
        losses[: len(margins)] = 0.0 if perfect else margins
        after = flip(rng, before, ACCURACY, losses[site], RESNET8)
        slices = np.stack([lighting, site], axis=1).astype("S1")
        answers = (replace(pictures.answered(right), slices=slices) for right in (before, after))
        baseline, candidate = answers
        return [Variant(candidate, {"baseline": baseline}, not perfect)]

    return scene


def lost_class(share: float) -> Scene:
    """The first class, of the given share, is never predicted any more; all else is as good as it was."""
    shares = (share, *((1 - share) / (CLASSES - 1) for _ in range(CLASSES - 1)))

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        pictures, before = _Pictures.draw(rng, samples, shares), rng.random(samples) < ACCURACY
        baseline = pictures.answered(before)
        after = pictures.answered(flip(rng, before, ACCURACY, 0.0, RESNET8))
        if not perfect:
            answered = np.where(after.prediction == 0, CLASSES - 1, after.prediction)
            after = replace(after, prediction=answered, score=answered == pictures.label)
        return [Variant(after, {"baseline": baseline}, not perfect)]

    return scene


def prediction_shift(margin: float) -> Scene:
    """Samples that were wrong become wrong in another way: the first class's share grows by `margin`, no score falls.

    What may move is wrong in both, and neither of the first class nor taken for it.
    """
    wrong_in_both = 1 - ACCURACY - RESNET8 / 2
    movable = wrong_in_both * (1 - 1 / CLASSES) * (1 - 1 / (CLASSES - 1))

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        pictures, before = _Pictures.draw(rng, samples), rng.random(samples) < ACCURACY
        after = flip(rng, before, ACCURACY, 0.0, RESNET8)
        moved = ~before & ~after & (pictures.label != 0) & (pictures.mistake != 0)
        moved &= rng.random(samples) < (0.0 if perfect else margin / movable)
        other = _Pictures(pictures.label, np.where(moved, 0, pictures.mistake))
        return [Variant(other.answered(after), {"baseline": pictures.answered(before)}, not perfect)]

    return scene


def champion_drop(margin: float) -> Scene:
    """A variant as good as float, and a champion that is better than both by `margin`."""

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        pictures, after = _Pictures.draw(rng, samples), rng.random(samples) < ACCURACY
        before = flip(rng, after, ACCURACY, 0.0, RESNET8)
        champion = flip(rng, after, ACCURACY, 0.0 if perfect else -margin, RESNET8)
        references = {"baseline": pictures.answered(before), "champion": pictures.answered(champion)}
        return [Variant(pictures.answered(after), references, not perfect)]

    return scene


def min_value(wanted: float, above: float) -> Scene:
    """A baseline that is worth exactly `wanted`, or `above` more if perfect, and a variant as good as it."""

    def scene(rng: np.random.Generator, samples: int, perfect: bool) -> list[Variant]:
        accuracy = wanted + (above if perfect else 0.0)
        pictures, before = _Pictures.draw(rng, samples), rng.random(samples) < accuracy
        after = flip(rng, before, accuracy, 0.0, RESNET8)
        return [Variant(pictures.answered(after), {"baseline": pictures.answered(before)}, not perfect)]

    return scene
