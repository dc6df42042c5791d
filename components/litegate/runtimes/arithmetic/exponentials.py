"""exp, 1 / (1 + x) and what follows from them, on fixed-point numbers of 32 bits.

Polynomials, constants and steps are those of gemmlowp's fixed-point numbers. A number with n bits before its point has
31 - n behind it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from litegate.runtimes.arithmetic.fixed_point import BITS, high_product, rounded_shift, saturated_shift

__all__ = ["exp_of_negative", "logistic", "one_over_one_plus", "tanh"]

Array = np.ndarray[Any, np.dtype[Any]]

_ONE = (1 << BITS) - 1
"""The largest number without a bit before its point, which stands for 1."""
_ONE_OF_TWO = 1 << (BITS - 2)
"""1 with two bits before the point."""


def _constant(real: float, integer_bits: int = 0) -> int:
    return round(real * 2.0 ** (BITS - integer_bits))


_EIGHTH, _THIRD = _constant(math.exp(-1 / 8)), _constant(1 / 3)


def exp_of_negative(values: Array, integer_bits: int) -> Array:
    """exp, without a bit before the point, of numbers up to 0 with `integer_bits`.

    The part below a quarter goes through a polynomial; for each bit above, there is a factor.
    """
    fraction = BITS - integer_bits
    quarter = 1 << (fraction - 2)
    below = (values & (quarter - 1)) - quarter
    found, remainder = _near_zero(saturated_shift(below, integer_bits)), below - values
    for power in range(-2, min(integer_bits, 5)):
        reduced = high_product(found, _constant(math.exp(-(2.0**power))))
        found = np.where(remainder & (1 << (fraction + power)), reduced, found)
    return np.where(values == 0, _ONE, found)


def _near_zero(values: Array) -> Array:
    """exp between -1/4 and 0, around -1/8."""
    x = values + (1 << (BITS - 3))
    square = high_product(x, x)
    cube, fourth = high_product(square, x), high_product(square, square)
    higher = high_product(rounded_shift(fourth, 2) + cube, _THIRD)
    return _EIGHTH + high_product(x + rounded_shift(higher + square, 1), _EIGHTH)


def _reciprocal(values: Array) -> Array:
    """2 / (1 + x) of x in [0, 1], with two bits before the point: three of Newton's steps."""
    half = (values + _ONE + 1) >> 1
    found = _constant(48 / 17, 2) + high_product(half, _constant(-32 / 17, 2))
    for _ in range(3):
        missing = _ONE_OF_TWO - high_product(half, found)
        found = found + saturated_shift(high_product(found, missing), 2)
    return found


def one_over_one_plus(values: Array) -> Array:
    """1 / (1 + x) of x in [0, 1], none with a bit before the point."""
    return saturated_shift(_reciprocal(values), 1)


def logistic(values: Array) -> Array:
    """Of numbers with four bits before the point; the result has none."""
    positive = one_over_one_plus(exp_of_negative(-np.abs(values), 4))
    found = np.where(values > 0, positive, _ONE - positive)
    return np.where(values == 0, 1 << (BITS - 1), found)


def tanh(values: Array) -> Array:
    """Of numbers with four bits before the point; the result has none."""
    positive = saturated_shift(_reciprocal(exp_of_negative(-np.abs(values), 5)) - _ONE_OF_TWO, 2)
    return np.where(values == 0, 0, np.sign(values) * positive)
