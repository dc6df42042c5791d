"""Samples of two datasets that are nearly the same: a copy with a little noise is a copy.

Every position of a sample is measured in standard deviations of that position, so that a column of large numbers does
not hide all others. The samples are projected on a few random directions and put into cells by their rounded
projections, twice, with two offsets; only samples in one cell are compared value by value. The cost is that of the
projections, whatever the number of samples (P. Indyk and R. Motwani, "Approximate nearest neighbors", STOC 1998).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from litegate.lint.evaluation import finding
from litegate.lint.samples import LEAKAGE_ERROR, named
from litegate.records import DataFinding

__all__ = ["NearCopies"]

Array = np.ndarray[Any, np.dtype[Any]]

_TOLERANCE = 2e-3
"""The root mean square of the differences of two copies, in standard deviations."""
_DIRECTIONS = 4
_CELL = 0.25
"""Width of a cell in standard deviations of a projection: copies are 0.002 apart."""
_FEWEST = 4
"""Samples of fewer values that differ at all are close to each other by chance."""
_RARE = 0.05
"""So likely may what was found be where no more are copies than a dataset may have."""


class NearCopies:
    """Looks in batches of another dataset for copies of the samples that it was made with.

    Args:
        samples: by input name, (n, ...).
    """

    def __init__(self, samples: Mapping[str, Array]) -> None:
        self._known = {name: value.reshape(len(value), -1) for name, value in samples.items()}
        self._moments = {name: _moments(value) for name, value in self._known.items()}
        self._moving = sum(int((scale > 0).sum()) for _, scale in self._moments.values())
        generator = np.random.default_rng(0)
        self._directions = {
            name: generator.standard_normal((value.shape[1], _DIRECTIONS), np.float32)
            for name, value in self._known.items()
        }
        self._cells: dict[tuple[int, ...], list[int]] = defaultdict(list)
        self._by_chance = 0
        self.found: set[int] = set()
        self.seen = 0
        if self._moving >= _FEWEST:
            self._index()

    def add(self, batch: Mapping[str, Array]) -> None:
        """Compare a batch of the other dataset: arrays as those at the start."""
        size = len(next(iter(batch.values())))
        self.seen += size
        flat = {name: batch[name].reshape(size, -1) for name in self._known}
        if not self._cells or any(flat[name].shape[1] != each.shape[1] for name, each in self._known.items()):
            return
        scaled = self._scaled(flat)
        for row, cells in enumerate(_cells(self._projected(scaled))):
            self.found |= self._near({name: value[row] for name, value in scaled.items()}, cells) - self.found

    def findings(self, available: int, exact: Collection[int] = (), ids: Sequence[str] = ()) -> Iterator[DataFinding]:
        """What was found.

        Args:
            available: how many samples the other dataset has.
            exact: numbers of samples that are known to be in both anyway.
            ids: identities of the samples, where messages are to name them.
        """
        near = self.found - set(exact)
        if not near:
            return
        known = len(next(iter(self._known.values())))
        part = min(1.0, self.seen / max(available, 1))
        twins = known * (1 - (1 - self._by_chance / max(1, known * (known - 1) / 2)) ** self.seen)
        said = (
            f"{len(near)} of {known} calibration samples {'is' if len(near) == 1 else 'are'} nearly the same as an "
            f"evaluation sample, of which {self.seen:,} of {available:,} were compared: copies with a little noise"
        )
        names = [ids[at] for at in sorted(near)] if ids else []
        said += f", such as {named(names)}" if names else ""
        surely = _surely_more(len(near), LEAKAGE_ERROR * known * part + twins, part == 1)
        numbers = {"near": len(near), "samples": known, "compared": self.seen}
        yield finding("error" if surely else "warning", "near_leakage", said, **numbers)

    def _index(self) -> None:
        """Put the samples into cells, and count which of them are nearly the same among themselves."""
        size = len(next(iter(self._known.values())))
        for start in range(0, size, 32):
            scaled = self._scaled({name: value[start : start + 32] for name, value in self._known.items()})
            for row, cells in enumerate(_cells(self._projected(scaled))):
                self._by_chance += len(self._near({name: value[row] for name, value in scaled.items()}, cells))
                for cell in cells:
                    self._cells[cell].append(start + row)

    def _near(self, sample: Mapping[str, Array], cells: tuple[tuple[int, ...], ...]) -> set[int]:
        candidates = {known for cell in cells for known in self._cells.get(cell, ())} - self.found
        return {known for known in candidates if self._distance(sample, known) <= _TOLERANCE}

    def _distance(self, sample: Mapping[str, Array], known: int) -> float:
        other = self._scaled({name: value[known : known + 1] for name, value in self._known.items()})
        squares = sum(float(np.square(sample[name] - other[name][0]).sum()) for name in sample)
        return math.sqrt(squares / self._moving)

    def _scaled(self, flat: Mapping[str, Array]) -> dict[str, Array]:
        """In standard deviations; a position at which no known sample differs says nothing."""
        found = {}
        for name, value in flat.items():
            mean, scale = self._moments[name]
            found[name] = ((value - mean) * scale).astype(np.float32)
        return found

    def _projected(self, scaled: Mapping[str, Array]) -> Array:
        parts = [value @ self._directions[name] for name, value in scaled.items()]
        total: Array = np.sum(parts, axis=0) / math.sqrt(self._moving)
        return total


def _moments(values: Array) -> tuple[Array, Array]:
    """Mean and inverse standard deviation of each position; 0 where all values are the same."""
    mean = values.mean(axis=0, dtype=np.float64)
    square = np.zeros_like(mean)
    for row in values:
        square += np.square(row - mean)
    deviation = np.sqrt(square / len(values))
    moves = deviation > 1e-9 * np.maximum(np.abs(mean), 1e-30)
    return mean, np.where(moves, 1 / np.where(moves, deviation, 1), 0.0)


def _cells(projected: Array) -> list[tuple[tuple[int, ...], ...]]:
    """Two cells of each sample, by two offsets; the offset is part of the cell's name."""
    rounded = [np.floor(projected / _CELL + offset).astype(np.int64).tolist() for offset in (0.0, 0.5)]
    return [((0, *one), (1, *other)) for one, other in zip(*rounded, strict=True)]


def _surely_more(found: int, expected: float, whole: bool) -> bool:
    """Whether so many are more than chance makes of the number that may be; exact where all was looked at."""
    if whole:
        return found > expected
    below = sum(
        math.exp(-expected + count * math.log(max(expected, 1e-300)) - math.lgamma(count + 1)) for count in range(found)
    )
    return 1 - below < _RARE
