"""Constants far beyond what a model computes with, such as those by which attention masks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from litegate.inspection.computing import FLOATS
from litegate.inspection.flatbuffer import File, Tensor

__all__ = ["large_constants"]

_MASK, _LARGE = -1e4, 1e6
"""Masks are from here down, other constants only from there up."""
_ADDING = frozenset({"ADD", "SUB", "MUL", "SELECT", "SELECT_V2"})


def large_constants(file: File) -> Iterator[tuple[str, float, bool]]:
    """Place and value of each in a float32 file, and whether other values are beside it.

    Of operators of one name that take the same only the first is given.
    """
    seen: set[tuple[str, float]] = set()
    for operator in file.operators():
        constants = operator.tensors if operator.name in _ADDING else ()
        for value, among in (_farthest(tensor) for tensor in constants if tensor.constant and tensor.type in FLOATS):
            if (value <= _MASK or value >= _LARGE) and (operator.name, value) not in seen:
                seen.add((operator.name, value))
                yield operator.place, value, among


def _farthest(tensor: Tensor) -> tuple[float, bool]:
    """The value that is farthest from zero, and whether there are others of several sizes."""
    values = tensor.values()
    if values is None or not values.size:
        return 0.0, False
    value = float(values.flat[int(np.argmax(np.abs(values)))])
    return value, len(np.unique(values[values != 0])) > 2
