"""How far a chart reaches: what is near the limit is drawn to scale, what is far out must not squeeze it."""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["shown", "span"]

_FAR = 6.0
"""How many times the limit is still near."""


def span(found: Sequence[tuple[float, float | None, float | None]], limit: float) -> tuple[float, float]:
    """The ends of a scale with zero and the limit on it.

    Args:
        found: each value with the ends of its interval, None where there is no bound.
        limit: zero or below where nothing can be told to be far from it.
    """
    far = _FAR * limit if limit > 0 else math.inf
    near = [values for values in found if abs(values[0]) <= far]
    if not near:
        near, far = list(found), math.inf
    ends = [end for values in near for end in values if end is not None]
    return max(min(0.0, limit, *ends), -far), min(max(0.0, limit, *ends), far)


def shown(value: float, ends: tuple[float, float]) -> float:
    """Where a value is drawn on a scale: near its end if it is farther out."""
    room = 0.05 * (ends[1] - ends[0])
    return min(max(value, ends[0] + room), ends[1] - room)
