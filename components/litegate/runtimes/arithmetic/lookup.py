"""Functions of 16 bits: tables of 513 values, and straight lines between them.

A table has a function at equal distances. Each of its values is moved by half of what the straight line to the next one
would be off in the middle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["looked_up", "rounded", "table_of"]

Array = np.ndarray[Any, np.dtype[Any]]
_STEPS = 512
_LEAST, _MOST = -(1 << 15), (1 << 15) - 1


def table_of(function: Callable[[Array], Array], begin: float, end: float) -> Array:
    """A function's values between two ends, as int64 in units of 2^-15; computed in single precision.

    Returns:
        (513,), from -2^15 to 2^15 - 1.
    """
    first, unit = np.float32(begin), np.float32(1 << 15)
    step = (np.float32(end) - first) / np.float32(_STEPS)
    places = first + np.arange(_STEPS + 1, dtype=np.float32) * step
    here, middle = function(places) * unit, rounded(function(places[:-1] + step / np.float32(2)) * unit)
    halfway = rounded((here[1:] + rounded(here[:-1])) / np.float32(2))
    found = rounded(here)
    found[:-1] -= rounded((halfway - middle) / np.float32(2))
    return np.clip(found, _LEAST, _MOST).astype(np.int64)


def looked_up(values: Array, table: Array) -> Array:
    """The function of int64 values from -2^15 to 2^15 - 1, which stand for what lies between the table's ends."""
    values = np.clip(values, _LEAST, _MOST)
    places = 256 + (values >> 7)
    base = table[places]
    found: Array = base + (((table[places + 1] - base) * (values & 0x7F) + 64) >> 7)
    return found


def rounded(values: Array) -> Array:
    """To the nearest, a half away from zero."""
    found: Array = np.trunc(values + np.copysign(np.float32(0.5), values))
    return found
