"""Student's distribution by way of the normal one, in closed form both ways.

D. Wallace, "Bounds on normal approximations to Student's and the chi-square distributions", Annals of Mathematical
Statistics 30 (1959) 1121-1130. With thirty clusters the quantiles are off by less than 0.1 %.
"""

from __future__ import annotations

import math

__all__ = ["from_normal", "to_normal"]


def to_normal(statistic: float, freedom: float) -> float:
    """The deviate that a normal variable exceeds as often as Student's exceeds `statistic`."""
    if math.isinf(statistic):
        return statistic
    deviate = math.sqrt(freedom * math.log1p(statistic**2 / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return math.copysign(deviate, statistic)


def from_normal(deviate: float, freedom: float) -> float:
    """The reverse."""
    power = (deviate * (8 * freedom + 3) / (8 * freedom + 1)) ** 2 / freedom
    return math.copysign(math.sqrt(freedom * math.expm1(min(power, 700.0))), deviate)
