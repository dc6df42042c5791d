"""Operators on each value by itself, or on two: a function of 8 bits is a table of 256 values, of two of 65,536."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from litegate.runtimes.arithmetic.fixed_point import Factor
from litegate.runtimes.arithmetic.graph import Compute, Operator, Tensor, Unsupported
from litegate.runtimes.arithmetic.lookup import rounded
from litegate.runtimes.arithmetic.rescaling import activation_range, kept

__all__ = ["add", "dequantize", "maximum", "minimum", "multiply", "quantize", "relu", "relu6", "subtract", "tabled"]

Array = np.ndarray[Any, np.dtype[Any]]
_SHIFT = {8: 20, 16: 15}
"""Bits that sums are shifted to the left by, so that less is rounded away."""


def add(operator: Operator) -> Compute:
    """`ADD`."""
    return _sum(operator, 1)


def subtract(operator: Operator) -> Compute:
    """`SUB`."""
    return _sum(operator, -1)


def _sum(operator: Operator, sign: int) -> Compute:
    """Both are brought to twice the larger scale, added, and brought to that of the output."""
    one, other, output = operator.input(0), operator.input(1), operator.output
    operator.check_types("int8", "int16")
    shift, common = _SHIFT[output.bits], 2 * max(float(one.scale), float(other.scale))
    ours, theirs = (Factor.of(float(each.scale) / common) for each in (one, other))
    back = Factor.of(common / (float(1 << shift) * float(output.scale)))

    def compute(first: Array, second: Array) -> Array:
        left = ours.times((first - one.zero_point) << shift)
        right = theirs.times((second - other.zero_point) << shift)
        found: Array = back.times(left + sign * right)
        return found

    return _of_two(operator, compute)


def multiply(operator: Operator) -> Compute:
    """`MUL`."""
    operator.check_types("int8", "int16")
    one, other, output = operator.input(0), operator.input(1), operator.output
    factor = Factor.of(float(one.scale) * float(other.scale) / float(output.scale))
    return _of_two(operator, lambda a, b: factor.times((a - one.zero_point) * (b - other.zero_point)))


def maximum(operator: Operator) -> Compute:
    """`MAXIMUM`, of tensors with one quantization."""
    operator.check_types("int8", "int16")
    return lambda one, other: np.maximum(one, other)


def minimum(operator: Operator) -> Compute:
    """`MINIMUM`, as `maximum`."""
    operator.check_types("int8", "int16")
    return lambda one, other: np.minimum(one, other)


def relu(operator: Operator) -> Compute:
    """`RELU`, which may have another quantization behind it."""
    return _clipped(operator, 1)


def relu6(operator: Operator) -> Compute:
    """`RELU6`, which has the same quantization before and behind it."""
    operator.check_types("int8", "int16")
    low, high = activation_range(operator.output, 3)
    return lambda values: np.clip(values, low, high)


def _clipped(operator: Operator, activation: int) -> Compute:
    operator.check_types("int8", "int16")
    source, output = operator.input(), operator.output
    factor, ends = Factor.of(float(source.scale) / float(output.scale)), activation_range(output, activation)
    return tabled(operator, lambda values: factor.times(values - source.zero_point) + output.zero_point, ends)


def quantize(operator: Operator) -> Compute:
    """`QUANTIZE`: from real values, or from one quantization to another."""
    operator.check_types("float32", "int8", "uint8", "int16")
    source, output = operator.input(), operator.output
    low, high = output.limits
    if source.dtype == np.dtype(np.float32):
        return lambda values: kept(rounded(values / output.scale) + output.zero_point, (low, high), output.dtype)
    factor = Factor.of(float(source.scale) / float(output.scale))
    return tabled(operator, lambda values: factor.times(values - source.zero_point) + output.zero_point, (low, high))


def dequantize(operator: Operator) -> Compute:
    """`DEQUANTIZE`."""
    operator.check_types("float32", "int8", "uint8", "int16")
    source = operator.input()
    zero_point, scale = source.zero_point, source.scale
    return lambda values: (values.astype(np.int32) - zero_point).astype(np.float32) * scale


def tabled(operator: Operator, function: Callable[[Array], Array], ends: tuple[int, int]) -> Compute:
    """A function of integers, kept between two ends."""
    source, dtype = operator.input(), operator.output.dtype

    def exact(values: Array) -> Array:
        return kept(function(values.astype(np.int64)), ends, dtype)

    if source.dtype is None or source.dtype.itemsize > 1:
        return exact
    table = exact(_every(source))
    return lambda values: table[values.view(np.uint8)]


def _of_two(operator: Operator, function: Callable[[Array, Array], Array]) -> Compute:
    """A function of two integers, with the output's offset and ends."""
    one, other, output = operator.input(0), operator.input(1), operator.output
    if {one.dtype, other.dtype} != {output.dtype}:
        raise Unsupported(f"{operator.name} of {one.dtype} and {other.dtype}")
    low, high = activation_range(output, operator.options.FusedActivationFunction())

    def exact(first: Array, second: Array) -> Array:
        found = function(first.astype(np.int64), second.astype(np.int64)) + output.zero_point
        return kept(found, (low, high), output.dtype)

    if output.bits != 8:
        return exact
    table = exact(_every(one)[:, None], _every(other)[None, :]).reshape(-1)
    return lambda a, b: table[(a.view(np.uint8).astype(np.uint16) << 8) | b.view(np.uint8)]


def _every(tensor: Tensor) -> Array:
    """All values of a type of 8 bits, in the order of their bytes."""
    assert tensor.dtype is not None
    return np.arange(256, dtype=np.uint8).view(tensor.dtype)
