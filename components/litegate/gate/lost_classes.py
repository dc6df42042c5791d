"""Classes that a variant never predicts any more, and those that are too rare to be judged.

A class of which float32 predicts n samples and the variant none is lost if that is too unlikely for a variant that
still predicts it on `_KEPT` of them: it misses all n with probability (1 - _KEPT)^n at most. One over that is the
capital of betting everything, sample after sample, that it predicts the class on fewer: a nonnegative supermartingale
until the first time that it does predict it, so that one may look after any sample (Ville's inequality). The level is
shared by the classes (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.gate.clauses import class_counts, class_name, samples_of_classes
from litegate.gate.contrasts import Comparison
from litegate.outcomes.clusters import Clusters
from litegate.outcomes.columns import Outcomes
from litegate.records import LOST_CLASS, RareClass, Reason
from litegate.spec import Gate

__all__ = ["Predicted", "lost_reasons", "predicted", "rare_classes"]

Array = np.ndarray[Any, np.dtype[Any]]

_KEPT = 0.75
"""A variant that still predicts a class on fewer of float32's samples than this share is as good as without it."""
_NAMED = 5


@dataclass(frozen=True)
class Predicted:
    """How often each class is predicted by float32 and by the variant, on the same `samples` samples.

    Attributes:
        independent: of float32's predictions of each class, those that are independent of each other: clusters count
            once.
        least: so many of these show that a class is lost if the variant never predicts it.
    """

    float32: Mapping[int, int]
    variant: Mapping[int, int]
    independent: Mapping[int, int]
    samples: int
    least: int

    def lost(self) -> list[int]:
        """Classes that the variant is shown to have lost."""
        return [label for label in self._never() if self.independent[label] >= self.least]

    def unsure(self) -> list[int]:
        """Classes of which float32 has too few predictions to tell."""
        return [label for label, count in self.independent.items() if count < self.least]

    def open(self, samples: Mapping[int, int], seen: Mapping[int, int]) -> list[int]:
        """Classes that have samples enough to tell, of which too few were seen yet.

        A class that float32 does not predict either, on so many of its samples, has nothing to lose.

        Args:
            samples: how many of each class there are to be had; `seen`: how many of them were seen.
        """
        settled = {*self.variant, *self.lost()}
        return [
            label
            for label, count in samples.items()
            if count >= self.least
            and label not in settled
            and (label in self.float32 or seen.get(label, 0) < self.least)
        ]

    def _never(self) -> Iterator[int]:
        return (label for label in self.float32 if label not in self.variant)


def predicted(comparison: Comparison, confidence: float, class_samples: Mapping[int, int]) -> Predicted | None:
    """The predictions of a comparison with float32; None where the model is no classifier.

    Args:
        confidence: of the policy.
        class_samples: how many samples of each class there are to be had, as far as that is known.
    """
    first, second = comparison.first, comparison.second
    if first.prediction is None or second.prediction is None:
        return None
    counts = class_counts(first.prediction)
    independent = _in_clusters(first.prediction, comparison.clusters) if comparison.clusters else counts
    classes = max(len(counts), len(class_samples), 2)
    least = math.ceil(math.log((1 - confidence) / classes) / math.log(1 - _KEPT))
    return Predicted(counts, class_counts(second.prediction), independent, len(first), least)


def _in_clusters(prediction: Array, clusters: Clusters) -> dict[int, int]:
    """In how many clusters each class is predicted."""
    pairs = np.unique(prediction.astype(np.int64) * len(clusters) + clusters.number)
    return class_counts(pairs // len(clusters))


def lost_reasons(found: Predicted | None, names: Sequence[str]) -> tuple[Reason, ...]:
    """Why a variant fails that has lost classes, the most frequent first; empty if it has lost none."""
    lost = sorted(found.lost(), key=lambda label: -found.float32[label]) if found else []
    if found is None or not lost:
        return ()
    said = [f"{class_name(label, names)} ({found.float32[label]:,} of {found.samples:,} samples)" for label in lost]
    message = f"it never predicts {_listed(said)}, which float32 predicts"
    return (Reason(code=LOST_CLASS, message=message),)


def rare_classes(
    policy: Gate, found: Predicted | None, outcomes: Outcomes, class_samples: Mapping[int, int], names: Sequence[str]
) -> tuple[RareClass, ...]:
    """The classes about which there is too little to judge them by themselves, the rarest first.

    Those are classes with fewer than `min_class_samples` samples where the policy limits the loss of a class, and
    classes of which float32 predicts so few samples that their loss could not be told from chance. Classes that
    float32 predicts and the data do not have come last.
    """
    if found is None and outcomes.label is None:
        return ()
    seen, samples = class_counts(outcomes.label), samples_of_classes(outcomes.label, class_samples)
    rare = set(found.unsure()) if found else set()
    rare |= {label for label in samples if found and label not in found.float32 and seen.get(label, 0) < found.least}
    if policy.max_class_drop is not None:
        rare |= {label for label, count in samples.items() if count < policy.min_class_samples}
    rare -= set(found.lost()) if found else set()
    each = (
        RareClass(
            name=class_name(label, names),
            samples=samples.get(label, 0),
            predicted=found.float32.get(label, 0) if found else 0,
        )
        for label in rare
    )
    return tuple(sorted(each, key=lambda one: (not one.samples, one.samples, one.predicted or 0, one.name)))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more classes" if more > 0 else "")
