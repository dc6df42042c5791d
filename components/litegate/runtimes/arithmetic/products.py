"""Operators that are sums of products: convolutions and fully connected layers, by exact matrix products.

A matrix product of whole numbers in float32 is exact, in whatever order it is summed, as long as the sum of all
absolute products is below 2^24; in float64 below 2^53. Which of the two it is, each layer's own weights decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from litegate.runtimes.arithmetic.graph import Compute, Operator, Unsupported
from litegate.runtimes.arithmetic.rescaling import Rescaling
from litegate.runtimes.arithmetic.windows import Window

__all__ = ["convolution", "depthwise_convolution", "fully_connected"]

Array = np.ndarray[Any, np.dtype[Any]]

_BLOCK = 1 << 19
"""Values of a matrix that is made of windows at once: what fits into a core's cache."""


def convolution(operator: Operator) -> Compute:
    """`CONV_2D` with weights of 8 bits, with scales of each output channel.

    Raises:
        Unsupported: of another type, or in groups.
    """
    weights = _weights(operator)
    channels, height, width, depth = weights.shape
    if operator.input().shape[-1] != depth:
        raise Unsupported("CONV_2D in groups")
    window = Window.of(operator, (height, width))
    matrix = np.ascontiguousarray(weights.reshape(channels, -1).T)
    matrix, bias, dtype = _exact(operator, matrix, matrix)
    rescaling = _rescaling(operator)
    shape = operator.output.shape[1:]

    def compute(values: Array, *_: Array) -> Array:
        found = np.empty((len(values), *shape), rescaling.dtype)
        for rows in _blocks(len(values), shape[0] * shape[1] * len(matrix)):
            sums = window.matrix(values[rows], dtype) @ matrix
            sums = sums.reshape(-1, *shape)
            if bias is not None:
                sums += np.ascontiguousarray(np.broadcast_to(bias, shape[1:]))
            found[rows] = rescaling.apply(sums)
        return found

    return compute


def depthwise_convolution(operator: Operator) -> Compute:
    """`DEPTHWISE_CONV_2D` with weights of 8 bits.

    Raises:
        Unsupported: of another type.
    """
    weights = _weights(operator)
    _, height, width, channels = weights.shape
    times = channels // operator.input().shape[-1]
    window = Window.of(operator, (height, width))
    rescaling, shape = _rescaling(operator), operator.output.shape[1:]
    weights, bias, dtype = _exact(operator, weights[0], weights[0].reshape(-1, channels))
    tiled = np.ascontiguousarray(np.broadcast_to(weights[:, :, None], (height, width, shape[1], channels)))
    begin = np.zeros(shape[1:], dtype)
    if bias is not None:
        begin += bias

    def compute(values: Array, *_: Array) -> Array:
        found = np.empty((len(values), *shape), rescaling.dtype)
        for rows in _blocks(len(values), 4 * shape[0] * shape[1] * channels):
            sums = np.empty((len(values[rows]), *shape), dtype)
            sums[...] = begin
            product = np.empty_like(sums)
            for row, column, part in window.parts(values[rows], dtype, times):
                sums += np.multiply(part, tiled[row, column], out=product)
            found[rows] = rescaling.apply(sums)
        return found

    return compute


def fully_connected(operator: Operator) -> Compute:
    """`FULLY_CONNECTED` with weights of 8 bits.

    Raises:
        Unsupported: of another type, or with weights that are computed.
    """
    weights = _weights(operator)
    matrix, bias, dtype = _exact(operator, weights.T, weights.T)
    rescaling = _rescaling(operator)
    zero_point, shape = operator.input().zero_point, operator.output.shape[1:]
    if operator.input().shape[0] != operator.output.shape[0]:
        raise Unsupported("FULLY_CONNECTED that joins samples")

    def compute(values: Array, *_: Array) -> Array:
        rows = np.subtract(values, zero_point, dtype=dtype).reshape(len(values), -1, len(matrix))
        sums = rows @ matrix
        if bias is not None:
            sums += bias
        return rescaling.apply(sums).reshape(len(values), *shape)

    return compute


def _weights(operator: Operator) -> Array:
    operator.check_types("int8", "int16")
    weights = operator.input(1)
    if str(weights.dtype) != "int8" or operator.input().dtype != operator.output.dtype:
        raise Unsupported(f"{operator.name} with weights of {weights.dtype or 'another type'}")
    if weights.zero_points.any():
        raise Unsupported(f"{operator.name} with weights whose zero point is not 0")
    if getattr(operator.options, "WeightsFormat", int)():
        raise Unsupported(f"{operator.name} with shuffled weights")
    return operator.constant(1)


def _bias(operator: Operator) -> Array | None:
    return operator.constant(2) if len(operator.inputs) > 2 and operator.inputs[2] is not None else None


def _exact(operator: Operator, weights: Array, columns: Array) -> tuple[Array, Array | None, np.dtype[Any]]:
    """Weights and bias in the smaller type in which no sum can be rounded.

    Args:
        columns: the weights, (products of a sum, sums).
    """
    low, high = operator.input().limits
    largest = max(high - operator.input().zero_point, operator.input().zero_point - low)
    bias = _bias(operator)
    sums = np.abs(columns.astype(np.int64)).sum(axis=0) * largest + (0 if bias is None else np.abs(bias))
    if int(sums.max()) >= 1 << 53:
        raise Unsupported(f"{operator.name} with sums beyond 2^53")
    dtype = np.dtype(np.float32 if int(sums.max()) < 1 << 24 else np.float64)
    return np.ascontiguousarray(weights, dtype), None if bias is None else bias.astype(dtype), dtype


def _rescaling(operator: Operator) -> Rescaling:
    """A convolution's factor is computed in double precision, that of a layer without channels in single first."""
    source, weights, output = operator.input(), operator.input(1), operator.output
    bias = operator.inputs[2] if len(operator.inputs) > 2 else None
    wide = source.bits == 16 and (bias is None or bias.dtype == np.dtype(np.int64))
    if operator.name == "FULLY_CONNECTED" and len(weights.scales) == 1:
        scales: Array = (source.scale * weights.scales).astype(np.float64)
    else:
        scales = np.float64(source.scale) * weights.scales.astype(np.float64)
    real = scales / np.float64(output.scale)
    return Rescaling.of(operator, real, operator.options.FusedActivationFunction(), wide)


def _blocks(samples: int, values: int) -> Iterator[slice]:
    """Samples of which each needs so many values."""
    size = max(1, _BLOCK // max(values, 1))
    yield from (slice(start, start + size) for start in range(0, samples, size))
