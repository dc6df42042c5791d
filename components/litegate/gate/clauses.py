"""The policy as clauses, each with its evidence: all must hold for a variant to pass.

A variant that violates one clause passes with probability at most that of passing this one clause, so that no
correction for their number is due: R. Berger, "Multiparameter hypothesis testing and acceptance sampling",
Technometrics 24 (1982) 295-300 (intersection-union test). The same holds for the classes within one clause.
That one of several classes is proved to be beyond the limit does need a correction: Bonferroni's. A class that is
too rare to be proved within the limit can still be proved to be beyond it, so all classes take part in that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from litegate.gate.contrasts import Comparison
from litegate.gate.evidence import Evidence, needed
from litegate.records import Clause
from litegate.spec import Gate

__all__ = ["Claim", "State", "claims", "class_counts", "class_name", "samples_of_classes"]

State = Literal["passed", "failed", "inconclusive"]
Array = np.ndarray[Any, np.dtype[Any]]
_FEW = 1 << 16
"""So many classes can be counted by a table."""


@dataclass(frozen=True)
class Claim:
    """That every value is below `limit`: one of them by the name "", or one for each class.

    Attributes:
        name: the policy's key.
        parts: the evidence by subject, at least one: what must be proved to be within the limit.
        rare: evidence by subject that can only prove a value to be beyond the limit, for there is too little of it.
    """

    name: str
    limit: float
    parts: Mapping[str, Evidence]
    rare: Mapping[str, Evidence] = field(default_factory=dict)

    @cached_property
    def p_within(self) -> float:
        """The p-value of "at least one value of `parts` is at the limit or beyond"."""
        return max(evidence.p_within(self.limit) for evidence in self.parts.values())

    @cached_property
    def p_beyond(self) -> float:
        """The p-value of "no value is beyond the limit"."""
        every = [*self.parts.values(), *self.rare.values()]
        return min(1.0, len(every) * min(evidence.p_beyond(self.limit) for evidence in every))

    def state(self, alpha: float) -> State:
        """What is proved at level `alpha`."""
        if self.p_beyond <= alpha:
            return "failed"
        return "passed" if self.p_within <= alpha else "inconclusive"

    def tested(self, alpha: float, total: int) -> Clause:
        """The clause as it stands at level `alpha`, tried on `total` samples, or clusters where there are any."""
        state = self.state(alpha)
        subject, evidence = self._worst(state == "failed")
        low, high = evidence.bounds(1 - alpha)
        more = needed(evidence, self.limit, alpha) if state == "inconclusive" else None
        return Clause(
            name=self.name,
            subject=subject,
            state=state,
            estimate=evidence.estimate,
            low=_finite(low),
            high=_finite(high),
            limit=self.limit,
            p_value=self.p_within,
            samples=evidence.samples,
            host_samples=evidence.host_samples,
            clusters=evidence.clusters,
            needed=more and math.ceil(more * total / evidence.samples),
        )

    def _worst(self, beyond: bool) -> tuple[str, Evidence]:
        """The part that decides: proved beyond the limit, or the least proved to be within."""
        if beyond:
            every = [*self.parts.items(), *self.rare.items()]
            return min(every, key=lambda part: part[1].p_beyond(self.limit))
        return max(self.parts.items(), key=lambda part: (part[1].p_within(self.limit), part[1].estimate))


def claims(
    policy: Gate,
    comparison: Comparison,
    champion: Comparison | None,
    names: tuple[str, ...] = (),
    class_samples: Mapping[int, int] = MappingProxyType({}),
) -> list[Claim]:
    """What the policy asks of a variant, as far as it has a meaning for this model.

    Args:
        comparison: of the variant with the float32 baseline.
        champion: of the variant with the version that is champion today, if there is one.
        names: of the classes, where they have names.
        class_samples: how many samples of each class there are to be had; empty if all were seen. By that number it
            is decided whether a class must be proved to keep its limit: one that has hardly been seen yet is open,
            not exempt.

    Raises:
        ZeroDivisionError: a relative drop from a baseline of zero.
    """
    relative = policy.drop == "relative"
    found = [Claim("max_drop", policy.max_drop, {"": comparison.relative_drop() if relative else comparison.drop()})]
    if policy.max_drop_from_champion is not None and champion is not None:
        found.append(Claim("max_drop_from_champion", policy.max_drop_from_champion, {"": champion.drop()}))
    if policy.min_value is not None:
        found.append(Claim("min_value", 0.0, {"": comparison.shortfall(policy.min_value)}))
    if policy.max_class_drop is not None:
        parts, rare = _class_drops(comparison, policy.min_class_samples, names, class_samples)
        found.append(Claim("max_class_drop", policy.max_class_drop, parts, rare))
    if policy.max_prediction_shift is not None and comparison.second.prediction is not None:
        found.append(Claim("max_prediction_shift", policy.max_prediction_shift, dict(_shifts(comparison, names))))
    return found


def _class_drops(
    comparison: Comparison, least: int, names: tuple[str, ...], class_samples: Mapping[int, int]
) -> tuple[dict[str, Evidence], dict[str, Evidence]]:
    """The classes with samples enough to be proved to keep the limit, if there are any, and those that are rarer."""
    seen = class_counts(comparison.first.label)
    samples = samples_of_classes(comparison.first.label, class_samples)
    drops = {label: comparison.class_drop(label) if label in seen else Nothing() for label in samples}
    common = [label for label, count in samples.items() if count >= least]
    parts = {class_name(label, names): drops.pop(label) for label in common}
    return parts or {"": Nothing()}, {class_name(label, names): each for label, each in drops.items()}


def class_counts(labels: Array | None) -> dict[int, int]:
    """How often each class occurs."""
    if labels is None:
        return {}
    if len(labels) and labels.dtype.kind == "i" and labels.min() >= 0 and labels.max() < _FEW:
        every = np.bincount(labels)  # as below, and many times faster
        return {label: int(every[label]) for label in np.flatnonzero(every).tolist()}
    found, counts = np.unique(labels, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def samples_of_classes(labels: Array | None, class_samples: Mapping[int, int]) -> dict[int, int]:
    """How many samples of each class there are to be had.

    Args:
        labels: of the samples that were seen. `preprocess` may have changed them, and they are what counts.
        class_samples: how many the data have, as far as that is known.
    """
    seen = class_counts(labels)
    if sum(class_samples.values()) <= sum(seen.values()):
        return seen
    return {label: max(count, seen.get(label, 0)) for label, count in (seen | dict(class_samples)).items()}


def _shifts(comparison: Comparison, names: tuple[str, ...]) -> Iterator[tuple[str, Evidence]]:
    assert comparison.first.prediction is not None
    assert comparison.second.prediction is not None
    for label in sorted({*class_counts(comparison.first.prediction), *class_counts(comparison.second.prediction)}):
        yield class_name(label, names), comparison.shift(label)


@dataclass(frozen=True)
class Nothing:
    """No sample at all: it proves nothing, and more of the same would not either."""

    samples: int = 0
    estimate: float = 0.0
    host_samples: int | None = None
    clusters: int | None = None

    def p_within(self, limit: float) -> float:  # noqa: ARG002
        """Always 1."""
        return 1.0

    def p_beyond(self, limit: float) -> float:  # noqa: ARG002
        """Always 1."""
        return 1.0

    def bounds(self, confidence: float) -> tuple[float, float]:  # noqa: ARG002
        """Everything is possible."""
        return -math.inf, math.inf

    def scaled(self, factor: float) -> Nothing:  # noqa: ARG002
        """Still nothing."""
        return self


def class_name(label: int, names: Sequence[str]) -> str:
    """The name of a class, or its number where it has none."""
    return names[label] if 0 <= label < len(names) else str(label)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
