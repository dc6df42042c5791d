"""Outputs that say nothing any more: a few values in place of many, no nearer to float32's than a constant would be.

It happens where small values share a tensor with large ones, such as scores from 0 to 1 with boxes in pixels: one
scale cannot hold both. A metric of the large ones passes all the same. Why it is asked as it is asked is in
`docs/adr/0041-dead-outputs-fail.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from litegate.inspection.behaviour import FEW
from litegate.records import DeadOutput

__all__ = ["dead_in_both", "dead_outputs"]

Array = np.ndarray[Any, np.dtype[Any]]
Answers = Mapping[str, Array]

_NOISE = 1e-3
"""Share of the largest value of a column: float32's values that vary by less are a constant in all but name."""
_QUIET = 1 / 128
"""Shares and probabilities, from 0 to 1, that vary by less may well be the same in 8 bits: two steps."""
_CHANNELS, _COLUMNS = 256, 16
"""More columns are positions, pixels or bins: some of them may hardly vary without harm."""
_FEWER = 8
"""So many times fewer different values than float32 gives are steps of a far too coarse scale. What gives as many has
changed its order, as detections do that are sorted by their scores: the metric judges that."""
_NAMED = 8


def dead_outputs(found: Answers, float32: Answers, distinct: int) -> tuple[DeadOutput, ...]:
    """What varies in float32 and says nothing of that in a variant; a whole output, or columns of one.

    Args:
        found: of the variant, by output name, (n, ...) each, in real values.
        float32: of the baseline on the same samples; it may have run fewer of them.
        distinct: how many of the samples differ.
    """
    return tuple(each for name in found for each in _dead(name, found[name], float32[name], distinct))


def dead_in_both(found: Answers, float32: Answers, trained: Answers, distinct: int) -> tuple[DeadOutput, ...]:
    """The dead outputs of a file for which the model was trained on: dead by both, or not at all.

    Training makes a classifier surer of itself. A column of small scores that float32 tells apart may then be 0
    throughout, as it is in the trained model too; and the trained model in float32 may be far from its file, which is
    what was trained, where float32 is near. A scale that is too coarse is dead by both.

    Args:
        trained: as `float32`, of the trained model before it was quantized.
    """
    also = {each.output for each in dead_outputs(found, trained, distinct)}
    return tuple(each for each in dead_outputs(found, float32, distinct) if each.output in also)


@dataclass(frozen=True)
class _Facts:
    """What is known of each position in a sample; folded, of each column.

    Attributes:
        varies: variance of float32's values over the samples.
        missed: variance of the variant's difference from them: as large, and a constant is as near.
        spread: from the least to the largest of float32's values.
        size: the largest absolute one.
        constant: whether the variant's values are all the same.
    """

    varies: Array
    missed: Array
    spread: Array
    size: Array
    constant: Array

    @classmethod
    def of(cls, value: Array, reference: Array) -> _Facts:
        ours, theirs = value.astype(np.float64), reference.astype(np.float64)
        size = np.abs(theirs).max(axis=0)
        return cls(
            theirs.var(axis=0), (ours - theirs).var(axis=0), np.ptp(theirs, axis=0), size, np.ptp(ours, axis=0) == 0
        )

    def columns(self, axis: int | None) -> _Facts:
        """Along an axis of the sample; all of it is one column if None."""
        others = tuple(each for each in range(self.size.ndim) if each != axis)
        folds: tuple[Any, ...] = (np.sum, np.sum, np.max, np.max, np.all)
        values = (self.varies, self.missed, self.spread, self.size, self.constant)
        return _Facts(*(np.atleast_1d(fold(each, axis=others)) for fold, each in zip(folds, values, strict=True)))

    def dead(self, bounded: bool) -> Array:
        """Which columns are, (n,)."""
        counts = self.spread > (_QUIET if bounded else _NOISE * self.size)
        found: Array = counts & (self.missed >= (1 - 1e-6) * self.varies)
        return found


def _dead(name: str, value: Array, reference: Array, distinct: int) -> Iterator[DeadOutput]:
    """The whole output, or else the columns along one of its axes."""
    value = value[: len(reference)]
    if not reference.size or not np.isfinite(reference).all():
        return
    positions = _Facts.of(value, reference)
    bounded = bool(reference.min() >= 0 and reference.max() <= 1)
    for axis in (None, *_axes(positions.size.ndim)):
        columns = positions.columns(axis)
        dead = columns.dead(bounded)
        for column in np.flatnonzero(dead).tolist():
            dead[column] = _is_coarse(_column(value, axis, column), _column(reference, axis, column))
        if not dead.any():
            continue
        which = np.flatnonzero(dead)
        yield DeadOutput(
            output=name,
            axis=0 if axis is None else axis + 1,
            columns=() if axis is None else tuple(which[:_NAMED].tolist()),
            dead=len(which),
            of=len(dead),
            constant=bool(columns.constant[dead].all()),
            samples=distinct,
            spread=float(columns.spread[dead].max()),
            largest=float(columns.size.max()),
            certain=distinct >= FEW and len(dead) <= (_CHANNELS if value.ndim > 2 else _COLUMNS),
        )
        return


def _column(values: Array, axis: int | None, column: int) -> Array:
    found: Array = values if axis is None else values.take(column, axis=axis + 1)
    return found


def _is_coarse(ours: Array, theirs: Array) -> bool:
    return len(np.unique(ours)) <= max(1, len(np.unique(theirs)) // _FEWER)


def _axes(dimensions: int) -> tuple[int, ...]:
    """Of a sample: where the channels may be, last, or first of two."""
    return {0: (), 1: (0,), 2: (1, 0)}.get(dimensions, (dimensions - 1,))
