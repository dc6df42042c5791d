"""Samples of two data sets that are nearly the same: a copy with a little noise is a copy.

The inputs of each sample, scaled by their range, are projected on a few random directions. Only pairs that are close
in all of these are compared value by value, so that the cost is that of the projections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from litegate.lint.evaluation import finding
from litegate.lint.samples import LEAKAGE_ERROR
from litegate.records import DataFinding

__all__ = ["NearCopies"]

Array = np.ndarray[Any, np.dtype[Any]]

_TOLERANCE = 1e-4
"""Of the range of an input: less than a step of 8 bits, and far more than any format loses."""
_DIRECTIONS = 4
_FEWEST = 8
"""Samples of fewer values are close to each other by chance."""


class NearCopies:
    """Looks for samples in batches that are nearly one of those that it was made with, and not the very same.

    Args:
        samples: by input name, (n, ...); only floating point inputs count.
    """

    def __init__(self, samples: Mapping[str, Array]) -> None:
        kinds = {name: value.reshape(len(value), -1) for name, value in samples.items() if value.dtype.kind == "f"}
        spans = {name: float(np.ptp(value)) for name, value in kinds.items() if value.size}
        self._known = {name: value for name, value in kinds.items() if spans.get(name, 0.0) > 0}
        self._spans = spans
        generator = np.random.default_rng(0)
        self._directions = {
            name: generator.standard_normal((value.shape[1], _DIRECTIONS)) / spans[name]
            for name, value in self._known.items()
        }
        size = sum(value.shape[1] for value in self._known.values())
        self.applies = size >= _FEWEST
        self._reach = 8 * _TOLERANCE * np.sqrt(max(size, 1))  # eight standard deviations of a projected difference
        self._projected = self._project(self._known) if self.applies else np.empty((0, _DIRECTIONS))
        self.found: set[int] = set()
        self.seen = 0

    def add(self, batch: Mapping[str, Array]) -> None:
        """Compare a batch of the other data set: arrays as those at the start."""
        size = len(next(iter(batch.values())))
        self.seen += size
        flat = {name: batch[name].reshape(size, -1) for name in self._known}
        if not self.applies or any(flat[name].shape[1] != each.shape[1] for name, each in self._known.items()):
            return
        near = np.abs(self._project(flat)[:, np.newaxis] - self._projected).max(axis=2) <= self._reach
        for row, known in np.argwhere(near).tolist():
            if known not in self.found and self._is_near(flat, row, known):
                self.found.add(known)

    def findings(self, available: int) -> Iterator[DataFinding]:
        """What was found; `available` is how many samples the other data set has."""
        if not self.found:
            return
        known = len(self._projected)
        share = min(1.0, len(self.found) / known * available / max(self.seen, 1))
        said = (
            f"{len(self.found)} of {known} calibration samples are nearly the same as an evaluation sample, of which "
            f"{self.seen:,} of {available:,} were compared: copies with a little noise"
        )
        severity = "error" if share > LEAKAGE_ERROR else "warning"
        yield finding(severity, "near_leakage", said, near=len(self.found), share=share, compared=self.seen)

    def _project(self, flat: Mapping[str, Array]) -> Array:
        parts = [flat[name].astype(np.float64) @ directions for name, directions in self._directions.items()]
        total: Array = np.sum(parts, axis=0)
        return total

    def _is_near(self, flat: Mapping[str, Array], row: int, known: int) -> bool:
        gaps = [
            float(np.abs(flat[name][row].astype(np.float64) - each[known]).max()) / self._spans[name]
            for name, each in self._known.items()
        ]
        return 0 < max(gaps) <= _TOLERANCE
