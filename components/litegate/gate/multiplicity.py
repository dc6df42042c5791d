"""Many claims at once: Holm's procedure.

S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979) 65-70.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["holm", "holm_levels"]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values, in the order given: at most alpha where the claim holds at alpha for all of them together."""
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def holm_levels(p_values: Sequence[float], alpha: float) -> list[float]:
    """The level at which each claim was tested: a claim holds if its p-value is at most that.

    The step that fails ends the procedure, and all that come after it share its level.
    """
    levels, level, open_ = [alpha] * len(p_values), alpha, True
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        if open_:
            level = alpha / (len(p_values) - rank)
        open_ = open_ and p_values[place] <= level
        levels[place] = level
    return levels
