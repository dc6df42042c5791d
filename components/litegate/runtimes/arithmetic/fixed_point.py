"""Fixed-point numbers: integers that stand for real ones, multiplied and divided with the rounding of the kernels.

All values are int64 arrays, or Python's integers, of a range that the kernels hold in 32 bits. A real factor is an
integer in units of 2^-31 and a power of two. Multiplying by it rounds twice in 32 bits, and once in 64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["BITS", "Factor", "high_product", "rounded_shift", "saturated_shift"]

Array = np.ndarray[Any, np.dtype[Any]]

BITS = 31
"""Behind the point, of a factor between 1/2 and 1."""
_LEAST, _MOST = -(1 << BITS), (1 << BITS) - 1


def high_product(one: Array, other: Array | int) -> Array:
    """The product in units of 2^-31, rounded to the nearest and a half upwards."""
    found: Array = np.right_shift(one * other + (1 << (BITS - 1)), BITS)
    return found


def rounded_shift(values: Array, bits: Array | int) -> Array:
    """Divided by 2^bits and rounded to the nearest, a half away from zero."""
    half: Array = np.left_shift(np.int64(1), bits)
    half = half >> 1
    found: Array = (values + half - ((values < 0) & (half > 0))) >> bits
    return found


def saturated_shift(values: Array, bits: int) -> Array:
    """Times 2^bits, kept within 32 bits."""
    found: Array = np.clip(values << bits, _LEAST, _MOST)
    return found


@dataclass(frozen=True, eq=False)
class Factor:
    """Real factors, one or one for each channel.

    Attributes:
        mantissas: int64, in units of 2^-31, between 2^30 and 2^31, or 0.
        exponents: int64, of two.
    """

    mantissas: Array
    exponents: Array

    @classmethod
    def of(cls, real: Any) -> Factor:
        """Of numbers that are not negative."""
        shares, exponents = np.frexp(np.atleast_1d(np.asarray(real, np.float64)))
        mantissas = np.floor(shares * (1 << BITS) + 0.5).astype(np.int64)
        whole = mantissas == 1 << BITS
        mantissas, exponents = np.where(whole, mantissas >> 1, mantissas), exponents.astype(np.int64) + whole
        lost = exponents < -BITS
        return cls(np.where(lost, 0, mantissas), np.where(lost, 0, exponents))

    def times(self, values: Array) -> Array:
        """The products with values of 32 bits, along their last axis where there are several factors."""
        product = high_product(values << np.maximum(self.exponents, 0), self.mantissas)
        return rounded_shift(product, np.maximum(-self.exponents, 0))

    def times_wide(self, values: Array) -> Array:
        """The products with values of 64 bits, for which the factor has 16 bits."""
        shift = 15 - self.exponents
        found: Array = (values * self.short + (np.int64(1) << (shift - 1))) >> shift
        return found

    @property
    def short(self) -> Array:
        """The mantissas in units of 2^-15."""
        return np.where(self.mantissas < 0x7FFF0000, (self.mantissas + (1 << 15)) >> 16, 0x7FFF)


def input_radius(integer_bits: int, exponent: int) -> int:
    """The largest difference of integers that a fixed-point number with so many bits before its point can hold.

    Args:
        exponent: of the factor that makes it such a number.
    """
    return math.floor(((1 << integer_bits) - 1) * 2.0 ** (BITS - integer_bits) / 2.0**exponent)
