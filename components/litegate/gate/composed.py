"""Evidence that is made of other evidence, and answers the same questions; see `litegate.gate.evidence`."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from litegate.gate.evidence import Evidence, root

__all__ = ["EitherWay", "Relative", "Repeated", "Unanimous"]


class _Composed(ABC):
    """Is of as many samples as one part of it."""

    @property
    @abstractmethod
    def of_samples(self) -> Evidence:
        """That part."""

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self.of_samples.samples

    @property
    def host_samples(self) -> int | None:
        """Number of samples that the host ran."""
        return self.of_samples.host_samples

    @property
    def clusters(self) -> int | None:
        """Number of clusters."""
        return self.of_samples.clusters


@dataclass(frozen=True)
class Relative(_Composed):
    """A share of a baseline that is itself uncertain (E. Fieller, "Some problems in interval estimation", 1954).

    `contrast(share)` is the evidence of "the second value minus (1 - share) of the first", so that its being
    below zero is the claim that less than `share` was lost; no ratio is ever formed.
    """

    contrast: Callable[[float], Evidence]
    estimate: float

    @property
    def of_samples(self) -> Evidence:
        """See the base."""
        return self.contrast(0.0)

    def p_within(self, limit: float) -> float:
        """See `litegate.gate.evidence`."""
        return self.contrast(limit).p_within(0.0)

    def p_beyond(self, limit: float) -> float:
        """See `litegate.gate.evidence`."""
        return self.contrast(limit).p_beyond(0.0)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Inverts the two tests; infinite where no share within 1,000 times the baseline is excluded."""
        alpha = 1 - confidence
        return (
            self._bound(lambda share: self.p_beyond(share) - alpha, -1),
            self._bound(lambda share: self.p_within(share) - alpha, +1),
        )

    def scaled(self, factor: float) -> Relative:
        """See `litegate.gate.evidence`."""
        return Relative(lambda share: self.contrast(share).scaled(factor), self.estimate)

    def _bound(self, excess: Callable[[float], float], side: int) -> float:
        step = 1e-3
        while step < 1e3 and excess(self.estimate + side * step) > 0:
            step *= 4
        if step >= 1e3:
            return side * math.inf
        return root(lambda size: excess(self.estimate + side * size), 0.0, step, 30) * side + self.estimate


@dataclass(frozen=True)
class Repeated(_Composed):
    """Evidence that was tested up to `analyses` times before it decided: Bonferroni over the planned analyses."""

    last: Evidence
    analyses: int

    @property
    def of_samples(self) -> Evidence:
        """See the base."""
        return self.last

    @property
    def estimate(self) -> float:
        """The estimate at the last analysis."""
        return self.last.estimate

    def p_within(self, limit: float) -> float:
        """See `litegate.gate.evidence`."""
        return min(1.0, self.analyses * self.last.p_within(limit))

    def p_beyond(self, limit: float) -> float:
        """See `litegate.gate.evidence`."""
        return min(1.0, self.analyses * self.last.p_beyond(limit))

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Hold at every analysis at once."""
        return self.last.bounds(1 - (1 - confidence) / self.analyses)

    def scaled(self, factor: float) -> Repeated:
        """See `litegate.gate.evidence`."""
        return Repeated(self.last.scaled(factor), self.analyses)


@dataclass(frozen=True)
class EitherWay(_Composed):
    """The size of a change: `one` is the evidence of the change, `other` that of its opposite.

    The size is within a limit where both are; for its being beyond, the two are corrected for (Bonferroni).
    """

    one: Evidence
    other: Evidence

    @property
    def of_samples(self) -> Evidence:
        """See the base."""
        return self.one

    @property
    def estimate(self) -> float:
        """The size of the estimated change."""
        return abs(self.one.estimate)

    def p_within(self, limit: float) -> float:
        """See `litegate.gate.evidence`."""
        return max(self.one.p_within(limit), self.other.p_within(limit))

    def p_beyond(self, limit: float) -> float:
        """See `litegate.gate.evidence`."""
        return min(1.0, 2 * min(self.one.p_beyond(limit), self.other.p_beyond(limit)))

    def bounds(self, confidence: float) -> tuple[float, float]:
        """Inverts the two tests."""
        half = (1 + confidence) / 2
        low = max(self.one.bounds(half)[0], self.other.bounds(half)[0], 0.0)
        return low, max(self.one.bounds(confidence)[1], self.other.bounds(confidence)[1])

    def scaled(self, factor: float) -> EitherWay:
        """See `litegate.gate.evidence`."""
        return EitherWay(self.one.scaled(factor), self.other.scaled(factor))


@dataclass(frozen=True)
class Unanimous(_Composed):
    """Several tests of one claim, of which none may be wrong: the least definite counts.

    Attributes:
        parts: the first is of all samples.
    """

    parts: tuple[Evidence, ...]

    @property
    def of_samples(self) -> Evidence:
        """See the base."""
        return self.parts[0]

    @property
    def estimate(self) -> float:
        """Of all samples."""
        return self.parts[0].estimate

    def p_within(self, limit: float) -> float:
        """See `litegate.gate.evidence`."""
        return max(part.p_within(limit) for part in self.parts)

    def p_beyond(self, limit: float) -> float:
        """See `litegate.gate.evidence`."""
        return max(part.p_beyond(limit) for part in self.parts)

    def bounds(self, confidence: float) -> tuple[float, float]:
        """The widest."""
        found = [part.bounds(confidence) for part in self.parts]
        return min(low for low, _ in found), max(high for _, high in found)

    def scaled(self, factor: float) -> Unanimous:
        """See `litegate.gate.evidence`."""
        return Unanimous(tuple(part.scaled(factor) for part in self.parts))
