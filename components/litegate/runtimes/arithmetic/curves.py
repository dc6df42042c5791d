"""Softmax, logistic function and hyperbolic tangent."""

from __future__ import annotations

from typing import Any

import numpy as np

from litegate.runtimes.arithmetic.elementwise import tabled
from litegate.runtimes.arithmetic.exponentials import exp_of_negative, logistic, one_over_one_plus, tanh
from litegate.runtimes.arithmetic.fixed_point import BITS, Factor, high_product, input_radius, rounded_shift
from litegate.runtimes.arithmetic.graph import Compute, Operator, Unsupported
from litegate.runtimes.arithmetic.lookup import looked_up, table_of
from litegate.runtimes.arithmetic.rescaling import kept

__all__ = ["hyperbolic_tangent", "logistic_function", "softmax"]

Array = np.ndarray[Any, np.dtype[Any]]
_INTEGER_BITS, _SUM_BITS = 5, 12
"""Before the point of a difference from the largest value, and of a sum of exponentials."""
_MOST_OF_16 = (1 << 15) - 1


def softmax(operator: Operator) -> Compute:
    """`SOFTMAX` along the last axis."""
    operator.check_types("int8", "int16")
    return _softmax_of_16(operator) if operator.output.bits == 16 else _softmax_of_8(operator)


def _softmax_of_8(operator: Operator) -> Compute:
    if operator.input().bits != 8:
        raise Unsupported("SOFTMAX from 16 to 8 bits")
    exponentials = _exponentials(operator)
    low, high = operator.output.limits

    def compute(values: Array) -> Array:
        differences = values.max(axis=-1, keepdims=True).astype(np.int64) - values
        terms = exponentials[differences]
        sums = rounded_shift(terms, _SUM_BITS).sum(axis=-1, keepdims=True)
        bits = 32 - np.frexp(sums.astype(np.float64))[1].astype(np.int64)  # that are 0 before the first 1
        scale = one_over_one_plus((sums << bits) - (1 << BITS))
        found = rounded_shift(high_product(terms, scale), _SUM_BITS - bits + BITS - 8) + low
        return kept(found, (low, high), np.dtype(np.int8))

    return compute


def _softmax_of_16(operator: Operator) -> Compute:
    """By tables of exp between -10 and 0, and of 1 / (1 + x) between 0 and 1."""
    if operator.input().bits != 16:
        raise Unsupported("SOFTMAX from 8 to 16 bits")
    exponential = table_of(np.exp, -10.0, 0.0)
    reciprocal = table_of(lambda x: np.float32(1) / (np.float32(1) + x), 0.0, 1.0)
    factor = Factor.of(float(operator.input().scale) * float(operator.options.Beta()) / (10.0 / 65535.0))

    def compute(values: Array) -> Array:
        differences = values.astype(np.int64) - values.max(axis=-1, keepdims=True)
        terms = looked_up(factor.times(differences) + _MOST_OF_16, exponential)
        sums = terms.sum(axis=-1, keepdims=True)
        bits = np.frexp(sums.astype(np.float64))[1].astype(np.int64)  # up to the first 1
        above = ((sums << (BITS - bits)) + (1 << 13)) >> 14
        scale = looked_up(above - (1 << 15) - (1 << 16), reciprocal)
        found = (terms * scale + (np.int64(1) << (bits - 2))) >> (bits - 1)
        return kept(found, (0, _MOST_OF_16), np.dtype(np.int16))

    return compute


def _exponentials(operator: Operator) -> Array:
    """exp of minus each difference that two values of 8 bits can have; 0 where it is beyond the fixed point's range."""
    beta, source = float(operator.options.Beta()), operator.input()
    real = min(beta * float(source.scale) * (1 << (BITS - _INTEGER_BITS)), (1 << BITS) - 1.0)
    factor, differences = Factor.of(real), np.arange(256, dtype=np.int64)
    most = input_radius(_INTEGER_BITS, int(factor.exponents[0]))
    scaled = factor.times(-np.minimum(differences, most))
    return np.where(differences > most, 0, exp_of_negative(scaled, _INTEGER_BITS))


def logistic_function(operator: Operator) -> Compute:
    """`LOGISTIC` of 8 bits."""
    return _curve(operator, logistic, 8)


def hyperbolic_tangent(operator: Operator) -> Compute:
    """`TANH` of 8 bits."""
    return _curve(operator, tanh, 7)


def _curve(operator: Operator, function: Any, output_bits: int) -> Compute:
    """A table of a function of fixed-point numbers with four bits before the point; beyond them it is at its end."""
    operator.check_types("int8")
    source, (low, high) = operator.input(), operator.output.limits
    factor = Factor.of(float(source.scale) * (1 << (BITS - 4)))
    radius = input_radius(4, int(factor.exponents[0]))
    zero_point = low if output_bits == 8 else 0

    def exact(values: Array) -> Array:
        centred = values - source.zero_point
        inside = function(factor.times(np.clip(centred, -radius, radius)))
        found = rounded_shift(inside, BITS - output_bits) + zero_point
        return np.where(centred <= -radius, low, np.where(centred >= radius, high, found))

    return tabled(operator, exact, (low, high))
