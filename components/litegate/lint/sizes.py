"""Values of very different size in one tensor: one scale holds the large ones, and rounds the small ones away.

Integer variants have one scale for all of an input: int8 has 255 steps from its least to its largest value, 16x8 has
65,535. Nothing here is an error: what is rounded away may not matter. It is said before it shows in a metric.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from litegate.lint.summary import Summary
from litegate.records import DataFinding

__all__ = ["large_constant", "uneven"]

Array = np.ndarray[Any, np.dtype[Any]]
INT8_STEPS, INT16_STEPS = 255, 65_535
_FEW_COLUMNS, _OF_FEW, _OF_MANY = 64, 8.0, 0.5
"""With so many columns each is a thing of its own, and needs a few steps; of more, pixels or bins, half a step."""
_MASK, _BESIDE, _SHARE, _TIMES = 1e4, 1e3, 0.01, 10
"""A mask's values are as large as this, so many times larger than all others, such a share of all, and come again."""
_SMALLER = "a few times the largest score, such as -50, masks as well"
_SCALED = "scale the columns alike in `preprocess`, before they enter the model"
_NAMED = 5


def uneven(name: str, found: Summary, shape: tuple[int, ...]) -> Iterator[DataFinding]:
    """Large values among small ones in a floating input: those of a mask, or of some columns.

    Args:
        shape: of a sample.
    """
    if not found.span:
        return
    mask = _mask(name, found)
    if mask is not None:
        yield mask
    elif found.size and shape:
        yield from _columns(name, found, shape)


def large_constant(place: str, value: float, among: bool = False) -> DataFinding:
    """The same inside of the float32 model.

    Args:
        place: of the operator that takes the constant.
        among: whether it is one of several values, as the means of columns are.
    """
    kind, cure = ("means and scales of raw columns", _SCALED) if among else ("masks of attention", _SMALLER)
    message = (
        f"{place} takes a constant of {value:.3g}, as {kind} are: what comes of it has one scale, whose"
        f" steps are up to {_steps(abs(value))}, and what is small beside it is lost; {cure}"
    )
    return _warning("large_constant", "", message, value=value)


def _mask(name: str, found: Summary) -> DataFinding | None:
    """One or two values far beyond all others, on many places."""
    size = np.abs(found.values)
    top = float(size.max())
    large = size > top / _BESIDE
    rest, values = found.values[~large], np.unique(found.values[large])
    if top < _MASK or not rest.size or len(values) > 2 or large.mean() < _SHARE or large.sum() < _TIMES * len(values):
        return None
    named = " and ".join(f"{value:.3g}" for value in values)
    message = (
        f"{large.mean():.0%} of its values are {named}, and all others within {rest.min():.3g} and {rest.max():.3g}: a"
        f" mask? All have one scale, and so has what it is added to; its steps are {_steps(found.span)}; {_SMALLER}"
    )
    return _warning("large_values", name, message, share=float(large.mean()), value=float(values[0]))


def _columns(name: str, found: Summary, shape: tuple[int, ...]) -> Iterator[DataFinding]:
    """Columns, along the last axis, that vary by hardly a step of the scale that all of them share."""
    axes = tuple(range(len(shape) - 1))
    low, high = found.least.reshape(shape).min(axis=axes), found.most.reshape(shape).max(axis=axes)
    steps = (high.astype(np.float64) - low.astype(np.float64)) / (found.span / INT8_STEPS)
    lost = (steps > 0) & (steps < (_OF_FEW if len(steps) <= _FEW_COLUMNS else _OF_MANY))
    if len(steps) < 2 or not lost.any():
        return
    which = np.flatnonzero(lost)[np.argsort(steps[lost], kind="stable")]
    named = ", ".join(f"column {at} ({low[at]:.4g} to {high[at]:.4g}) {steps[at]:.2g}" for at in which[:_NAMED])
    more = f" and {len(which) - _NAMED} more" * (len(which) > _NAMED)
    wide = int(np.argmax(steps))
    yield _warning(
        "uneven_columns",
        name,
        f"{len(which)} of {len(steps)} columns share their scale with far larger ones, such as column {wide}"
        f" ({low[wide]:.4g} to {high[wide]:.4g}): of the {INT8_STEPS} steps of int8 {named} remain{more}; scale the"
        " columns alike before they enter the model, or give the large ones an input of their own",
        columns=float(len(steps)),
        lost=float(len(which)),
        least_steps=float(steps[lost].min()),
    )


def _steps(span: float) -> str:
    return f"{span / INT8_STEPS:.3g} in int8 and {span / INT16_STEPS:.3g} in 16x8"


def _warning(code: str, name: str, message: str, **numbers: float) -> DataFinding:
    return DataFinding(severity="warning", code=code, input=name, message=message, numbers=numbers)
