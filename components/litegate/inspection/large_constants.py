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


def large_constants(file: File) -> Iterator[tuple[str, float]]:
    """Place and value of each in a float32 file; of operators of one name that take the same only the first."""
    seen: set[tuple[str, float]] = set()
    for operator in file.operators():
        constants = operator.tensors if operator.name in _ADDING else ()
        for value in (_farthest(tensor) for tensor in constants if tensor.constant and tensor.type in FLOATS):
            if (value <= _MASK or value >= _LARGE) and (operator.name, value) not in seen:
                seen.add((operator.name, value))
                yield operator.place, value


def _farthest(tensor: Tensor) -> float:
    """The value that is farthest from zero."""
    values = tensor.values()
    return 0.0 if values is None or not values.size else float(values.flat[int(np.argmax(np.abs(values)))])
