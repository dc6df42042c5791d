"""Which samples are not independent of each other, and how much of the data single clusters are.

Samples of one group (frames of a video, utterances of a speaker) and exact duplicates are one cluster, and so are
groups that have a duplicate in common. What is drawn at random are clusters; of the samples within one nothing is
assumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from litegate.outcomes.columns import Outcomes

__all__ = ["Clusters", "Sizes", "all_distinct"]

Array = np.ndarray[Any, np.dtype[Any]]
_ODD = np.uint64(0x9E3779B97F4A7C15)
"""Mixes the words of a digest into one."""
_WORD = 8
"""Bytes that are sorted as one number, many times faster than as text."""


@dataclass(frozen=True)
class Sizes:
    """How many samples clusters have.

    Attributes:
        distinct: the different sizes, the largest first.
        numbers: how many clusters there are of each.
    """

    distinct: Array
    numbers: Array

    @classmethod
    def of(cls, sizes: Array) -> Sizes:
        """From the size of each cluster."""
        distinct, numbers = np.unique(sizes, return_counts=True)
        return cls(distinct[::-1].astype(float), numbers[::-1].astype(float))

    @cached_property
    def samples(self) -> float:
        """Of all clusters together."""
        return float(np.sum(self.distinct * self.numbers))

    @cached_property
    def squares(self) -> float:
        """Sum of the squared sizes."""
        return float(np.sum(self.distinct**2 * self.numbers))

    @cached_property
    def effective(self) -> float:
        """So many clusters of equal size say as much of a mean (L. Kish, Survey Sampling, 1965)."""
        return self.samples**2 / self.squares

    @cached_property
    def clusters(self) -> float:
        """How many there are."""
        return float(self.numbers.sum())

    def scaled(self, factor: float) -> Sizes:
        """`factor` times as many of each size."""
        return Sizes(self.distinct, self.numbers * factor)

    @property
    def largest(self) -> float:
        """Samples in the largest cluster."""
        return float(self.distinct[0])

    def share(self, number: float) -> float:
        """The share of all samples that is in the `number` largest clusters."""
        return float(np.interp(number, *self._from_the_largest)) / self.samples

    def mean_of_largest(self, share: float) -> float:
        """The mean size of the largest clusters, of as many as hold this share of all samples."""
        held = share * self.samples
        if held <= self.largest:
            return self.largest
        numbers, samples = self._from_the_largest
        return held / float(np.interp(held, samples, numbers))

    @cached_property
    def _from_the_largest(self) -> tuple[Array, Array]:
        """Numbers of clusters, the largest first, and the samples that they have together."""
        return (
            np.concatenate([[0.0], np.cumsum(self.numbers)]),
            np.concatenate([[0.0], np.cumsum(self.distinct * self.numbers)]),
        )


@dataclass(frozen=True)
class Clusters:
    """The clusters of some samples.

    Attributes:
        number: of the cluster that each sample is in, 0, 1, ...
        visit: number of the group that each sample is in, or of itself where the data names no groups: what was
            known to belong together before anything was evaluated, and was visited at once.
    """

    number: Array
    visit: Array

    @classmethod
    def of(cls, outcomes: Outcomes) -> Clusters | None:
        """By the group and by what was fed; None where every sample is a cluster of its own."""
        return cls.by(outcomes.group, outcomes.fed)

    @classmethod
    def by(cls, group: Array | None, fed: Array | None) -> Clusters | None:
        """The same, of two columns."""
        groups = None if group is None else _codes(group)
        copies = None if fed is None or all_distinct([fed], len(fed)) else _codes(fed)
        if groups is None and copies is None:
            return None
        visit = np.arange(len(copies)) if groups is None else groups  # type: ignore[arg-type]
        number = visit if copies is None else _joined(visit, copies)
        return cls(number, visit).or_none()

    def __len__(self) -> int:
        return len(self.sizes)

    def or_none(self) -> Clusters | None:
        """None where every sample is a cluster of its own."""
        return None if len(self) == len(self.number) else self

    @cached_property
    def sizes(self) -> Array:
        """Samples in each cluster."""
        return np.bincount(self.number)

    @cached_property
    def distribution(self) -> Sizes:
        """How many clusters there are of each size."""
        return Sizes.of(self.sizes)

    def take(self, rows: Array) -> Clusters | None:
        """The clusters as far as they are among the rows; None where each has one sample there."""
        return Clusters(_codes(self.number[rows]), _codes(self.visit[rows])).or_none()

    def sums(self, values: Array) -> Array:
        """The sum of the values in each cluster."""
        return np.bincount(self.number, values)

    def rows(self, clusters: Array) -> Array:
        """The rows of the given clusters, one cluster after the other; a cluster may be given several times."""
        order, starts = self._by_cluster
        sizes = self.sizes[clusters]
        ends = np.cumsum(sizes)
        shifts = np.repeat(starts[clusters] - (ends - sizes), sizes)
        found: Array = order[np.arange(len(shifts)) + shifts]
        return found

    @cached_property
    def _by_cluster(self) -> tuple[Array, Array]:
        """The rows in the order of their clusters, and where each cluster starts among them."""
        return np.argsort(self.number, kind="stable"), np.cumsum(self.sizes) - self.sizes

    @cached_property
    def first_visits(self) -> Array:
        """Rows of the first visit to each cluster, in their order: what was found to belong to it later is not new."""
        first = np.empty(len(self), np.int64)
        first[self.number[::-1]] = np.arange(len(self.number))[::-1]  # of several rows of a cluster the first is last
        found: Array = np.flatnonzero(self.visit == self.visit[first][self.number])
        return found


def _codes(values: Array) -> Array:
    """The place of each value among the distinct ones; of small numbers without sorting them, which takes longest."""
    if values.dtype.kind == "i" and len(values) and values.min() >= 0 and values.max() < 4 * len(values) + 1_000:
        there = np.zeros(int(values.max()) + 1, bool)
        there[values] = True
        found: Array = (np.cumsum(there) - 1)[values]
        return found
    if values.dtype.kind == "S" and values.dtype.itemsize <= _WORD:
        values = np.ascontiguousarray(values, f"S{_WORD}").view(">u8").astype(np.uint64)  # in the same order
    codes: Array = np.unique(values, return_inverse=True)[1]
    return codes


def all_distinct(parts: Iterable[Array], size: int) -> bool:
    """Whether it is certain that no two of `size` digests are equal; by a number for each, five times as fast."""
    if not size:
        return True
    mixed, at = np.zeros(size, np.uint64), 0
    for digests in parts:
        if digests.dtype.itemsize % 8:
            return False
        words = np.ascontiguousarray(digests).view(np.uint64).reshape(len(digests), -1)
        factors = _ODD ** np.arange(words.shape[1], dtype=np.uint64)
        mixed[at : at + len(words)] = np.sum(words * factors, axis=1)
        at += len(words)
    mixed.sort()
    return bool(np.all(mixed[1:] != mixed[:-1]))


def _joined(groups: Array, copies: Array) -> Array:
    """Numbers of the connected parts of the graph in which groups with a copy of one sample are neighbours."""
    order = np.argsort(copies, kind="stable")
    equal = copies[order[1:]] == copies[order[:-1]]
    one, other = groups[order[:-1]][equal], groups[order[1:]][equal]
    root = np.arange(int(groups.max()) + 1)
    while not np.array_equal(root[one], root[other]):
        low = np.minimum(root[one], root[other])
        for end in (one, other):
            np.minimum.at(root, root[end], low)
        while not np.array_equal(root, root[root]):
            root = root[root]
    return _codes(root[groups])
