"""Operators that take many values to one: pools and means."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from litegate.runtimes.arithmetic.fixed_point import Factor
from litegate.runtimes.arithmetic.graph import Compute, Operator, Unsupported
from litegate.runtimes.arithmetic.rescaling import activation_range, kept
from litegate.runtimes.arithmetic.windows import Window

__all__ = ["average_pool", "max_pool", "mean"]

Array = np.ndarray[Any, np.dtype[Any]]
_WHOLE = np.dtype(np.int64)


def average_pool(operator: Operator) -> Compute:
    """`AVERAGE_POOL_2D`: of what lies within the image, rounded to the nearest and a half away from zero."""
    window, ends, dtype = _pool(operator)
    zero_point = window.zero_point
    ones = np.full((1, *operator.input().shape[1:3], 1), zero_point + 1, np.int64)
    counts = window.views(window.centred(ones, _WHOLE)).sum(axis=(4, 5))

    def compute(values: Array, *_: Array) -> Array:
        sums = sum(part for _, _, part in window.parts(values, _WHOLE)) + zero_point * counts
        return kept(_divided(sums, counts), ends, dtype)

    return compute


def max_pool(operator: Operator) -> Compute:
    """`MAX_POOL_2D`: of what lies within the image."""
    window, ends, dtype = _pool(operator)
    kind = np.dtype(np.int32)

    def compute(values: Array, *_: Array) -> Array:
        padded = window.centred(values, kind, np.iinfo(kind).min // 2)
        views = window.views(padded)
        parts = [views[..., row, column] for row in range(window.size[0]) for column in range(window.size[1])]
        found = np.maximum.reduce(parts) + window.zero_point
        return kept(found, ends, dtype)

    return compute


def mean(operator: Operator) -> Compute:
    """`MEAN` over any axes but that of the samples."""
    operator.check_types("int8", "int16")
    source, output = operator.input(), operator.output
    axes = tuple(sorted({int(axis) % len(source.shape) for axis in np.atleast_1d(operator.constant(1))}))
    if 0 in axes:
        raise Unsupported("MEAN over samples")
    count = math.prod(source.shape[axis] for axis in axes)
    factor = _shared(Factor.of(np.float64(source.scale) / np.float64(output.scale)), count)
    ends, dtype, shape = output.limits, output.dtype, output.shape[1:]

    def compute(values: Array, *_: Array) -> Array:
        sums = values.sum(axis=axes, dtype=np.int64) - source.zero_point * count
        found = factor.times(sums.reshape(len(values), -1)) + output.zero_point
        return kept(found, ends, dtype).reshape(len(values), *shape)

    return compute


def _shared(factor: Factor, count: int) -> Factor:
    """The factor divided by a count, with as many bits of the quotient as fit."""
    bits = np.minimum(np.minimum(count.bit_length() - 1, 32), 31 + factor.exponents)
    return Factor((factor.mantissas << bits) // count, factor.exponents - bits)


def _pool(operator: Operator) -> tuple[Window, tuple[int, int], np.dtype[Any]]:
    operator.check_types("int8", "int16")
    options, output = operator.options, operator.output
    window = Window.of(operator, (options.FilterHeight(), options.FilterWidth()))
    assert output.dtype is not None
    return window, activation_range(output, options.FusedActivationFunction()), output.dtype


def _divided(sums: Array, counts: Array) -> Array:
    """Rounded to the nearest, a half away from zero."""
    found: Array = np.sign(sums) * ((np.abs(sums) + counts // 2) // counts)
    return found
