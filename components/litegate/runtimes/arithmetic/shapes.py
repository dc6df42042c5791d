"""Operators that move values and change none; the samples stay along the first axis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from litegate.runtimes.arithmetic.graph import Compute, Operator, Unsupported

__all__ = ["concatenate", "pad", "reshape", "transpose"]

Array = np.ndarray[Any, np.dtype[Any]]


def reshape(operator: Operator) -> Compute:
    """`RESHAPE`, `SQUEEZE` and `EXPAND_DIMS`, by the shape that the file says of the output.

    A sample may become several rows of the first axis, or the other way round: the rows of each stay together.

    Raises:
        Unsupported: the file says of the output another number of values.
    """
    shape = operator.output.shape
    if math.prod(operator.input().shape) != math.prod(shape):
        raise Unsupported(f"{operator.name} to another number of values")
    return lambda values, *_: values.reshape(-1, *shape[1:])


def transpose(operator: Operator) -> Compute:
    """`TRANSPOSE`."""
    axes = tuple(int(axis) for axis in operator.constant(1))
    if axes[0] != 0:
        raise Unsupported("TRANSPOSE of the axis of samples")
    return lambda values, *_: np.ascontiguousarray(values.transpose(axes))


def pad(operator: Operator) -> Compute:
    """`PAD` with the real 0, and `PADV2` with a constant."""
    widths = [(int(before), int(after)) for before, after in operator.constant(1)]
    if any(widths[0]):
        raise Unsupported(f"{operator.name} of the axis of samples")
    fill = operator.constant(2).item() if len(operator.inputs) > 2 else None
    zero = operator.output.zero_point if operator.output.bits else 0
    return lambda values, *_: np.pad(values, widths, constant_values=zero if fill is None else fill)


def concatenate(operator: Operator) -> Compute:
    """`CONCATENATION` of tensors with one quantization.

    Raises:
        Unsupported: they have several, or samples would be joined.
    """
    output = operator.output
    axis = operator.options.Axis() % len(output.shape)
    if axis == 0 or operator.options.FusedActivationFunction():
        raise Unsupported("CONCATENATION of samples, or with an activation")
    found = {(str(each.scales), str(each.zero_points)) for each in (*filter(None, operator.inputs), output)}
    if len(found) > 1:
        raise Unsupported("CONCATENATION of several quantizations")
    if any(each is not None and each.values is not None for each in operator.inputs):
        raise Unsupported("CONCATENATION with a constant")
    return lambda *values: np.concatenate(values, axis=axis)
