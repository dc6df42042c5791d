"""Numbers and names as people read them: the same in verdicts, in MLflow's notes and in the table."""

from __future__ import annotations

import math
from dataclasses import dataclass

from litegate.spec.metric_facts import MetricFacts

__all__ = [
    "PERCENT",
    "POINTS",
    "RAW",
    "Unit",
    "about",
    "amount",
    "confidence",
    "is_percent",
    "milliseconds",
    "samples_in",
    "short_name",
    "unit_of",
    "value",
    "would_decide",
]


@dataclass(frozen=True)
class Unit:
    """How a number is written: `factor` times what it is, then `name`."""

    factor: float
    name: str

    def number(self, found: float, digits: int = 2, sign: str = "") -> str:
        """Without the name: `digits` after the point, or two more significant ones where nothing is in hundredths.

        Args:
            sign: "+" if gains and losses are to be told apart.
        """
        style = f"{digits + 2}g" if self.factor == 1 else f"{digits}f"
        return f"{self.factor * found:{sign}z.{style}}"

    def text(self, found: float, digits: int = 2) -> str:
        """With the name."""
        return self.number(found, digits) + self.name

    def apart(self, limit: float, *found: float) -> int:
        """Digits that tell all of `found` from `limit`: 1.004 must not read as the 1.00 that is allowed."""
        others = [value for value in found if value != limit]
        tries = (
            digits
            for digits in range(2, 9)
            if self.number(limit, digits) not in [self.number(value, digits) for value in others]
        )
        return next(tries, 9)


POINTS = Unit(100, " points")
PERCENT = Unit(100, " %")
RAW = Unit(1, "")


def is_percent(metric: MetricFacts) -> bool:
    """Whether people read the metric in percent and its differences in points: its values are shares."""
    return (metric.low, metric.high) == (0.0, 1.0)


def unit_of(percent: bool) -> Unit:
    """The unit of a metric's differences."""
    return POINTS if percent else RAW


def amount(found: float, percent: bool) -> str:
    """A difference of two values: `0.42 points`, or `0.0042` where they are no shares."""
    return unit_of(percent).text(found)


def value(found: float | None, percent: bool) -> str:
    """A metric's value: `92.00 %`, `0.0123` where it is no share, `-` where there is none."""
    if found is None or not math.isfinite(found):
        return "-"
    return (PERCENT if percent else RAW).text(found)


def short_name(metric: str) -> str:
    """The class of a user's `package.module:Class`; the name itself for all others."""
    return metric.rpartition(":")[2]


def confidence(level: float) -> str:
    """`95 %`, and `99.375 %` where eight variants share the error rate."""
    return f"{100 * level:.5g} %"


def milliseconds(found: float) -> str:
    """At least three significant digits, zeros included, so that `0.00890` stands below `0.00899`."""
    if not 0 < found < math.inf:  # no time at all; the gate refuses it, and people must see why
        return f"{found:g}"
    return f"{found:,.{max(2 - math.floor(math.log10(found)), 0)}f}"


def about(count: int) -> str:
    """A number of samples that nobody knows exactly: three significant digits, rounded up."""
    step = 10 ** max(len(str(count)) - 3, 0)
    return f"{-(-count // step) * step:,}"


def samples_in(samples: int, clusters: int | None, host_samples: int | None = None) -> str:
    """`10,000 samples in 100 clusters`, or without them where each sample is independent of the others.

    Args:
        host_samples: how many the host ran beside the target; None where there is one runtime alone.
    """
    found = f"{samples:,} samples" + ("" if clusters is None else f" in {clusters:,} clusters")
    return found if host_samples is None else f"{found} of the target and {host_samples:,} of the host"


def would_decide(needed: int | None, clusters: int | None) -> str:
    """How many would decide what is open: clusters where there are any, else samples."""
    many = "no number of" if needed is None else f"about {about(needed)}"
    return f"{many} {'samples' if clusters is None else 'clusters'} would decide it"
