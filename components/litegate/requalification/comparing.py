"""Fresh samples against those that a version was calibrated and judged on."""

from __future__ import annotations

from collections.abc import Mapping

from litegate.lint.summary import Summary
from litegate.records import InputDrift, InputStatistics
from litegate.requalification.measures import outside, psi, shift
from litegate.requalification.statistics import statistics_of

__all__ = ["compared", "predictions_psi", "shares_of_classes"]


def compared(
    name: str, then: InputStatistics, now: Summary, clipped: tuple[float, float] | None, identifiers: bool
) -> InputDrift:
    """How far an input is from what it was.

    Args:
        clipped: the range beyond which the file clips; None if it does not.
        identifiers: whether its values are integers.
    """
    low, high = clipped or (then.low, then.high)
    found = statistics_of(now, then.edges)
    return InputDrift(
        input=name,
        now=found,
        low=low,
        high=high,
        clips=clipped is not None,
        outside=outside(now.values, low, high),
        shift=shift(then.mean, then.std, now.mean),
        psi=psi(then.shares, found.shares, (then.samples, found.samples)),
        identifiers=identifiers,
    )


def predictions_psi(then: Mapping[int, int], now: Mapping[int, int]) -> float | None:
    """The population stability index of the predicted classes; None where there are none."""
    if not then or not now:
        return None
    return psi(*shares_of_classes(then, now), (sum(then.values()), sum(now.values())))


def shares_of_classes(then: Mapping[int, int], now: Mapping[int, int]) -> tuple[list[float], list[float]]:
    """The shares of each class that was predicted at all."""
    classes = sorted({*then, *now})
    totals = sum(then.values()), sum(now.values())
    first = [then.get(label, 0) / totals[0] for label in classes]
    return first, [now.get(label, 0) / totals[1] for label in classes]
