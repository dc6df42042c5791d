"""Cross-layer equalization: channels of one tensor brought to like ranges, without a change of what is computed.

A tensor of activations has one scale for all its channels. Where one is a hundred times as large as the others, these
are left with two or three of 256 levels. A convolution whose output goes through nothing but what is positively
homogeneous (ReLU, pooling, padding with zeros) to one other layer can give channel i divided by s[i], if that layer
multiplies its weights for channel i by s[i] (M. Nagel, M. van Baalen, T. Blankevoort and M. Welling, "Data-Free
Quantization Through Weight Equalization and Bias Correction", ICCV 2019). Here s[i] balances the range of the channel
on the samples with that of the weights that take it, s[i] = sqrt(a[i] / w[i]) (G. Xiao et al., "SmoothQuant", ICML
2023), since weights have a scale for each channel and activations have not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from litegate.recovery.graph import CHANNEL_IN, CHANNEL_OUT, Graph, packed, unpacked

__all__ = ["Pair", "equalized", "pairs_of"]

Array = np.ndarray[Any, np.dtype[Any]]

_PASSES = 2
"""Over all pairs: a layer between two others belongs to two."""
_FURTHEST = 1e4
"""The largest scale, and the inverse of the smallest: float32 has digits to lose, too."""
_OF = schema.BuiltinOperator
_HOMOGENEOUS = frozenset({_OF.RELU, _OF.PAD, _OF.MAX_POOL_2D, _OF.AVERAGE_POOL_2D, _OF.MEAN})
_SCALED = (schema.ActivationFunctionType.NONE, schema.ActivationFunctionType.RELU)


@dataclass(frozen=True)
class Pair:
    """Two layers of a graph, by the numbers of their operators, and the name of what the first gives."""

    giving: int
    taking: int
    tensor: str


def pairs_of(float32: bytes, graph: int = 0) -> tuple[Pair, ...]:
    """The pairs of layers that can be equalized, in the order in which they run.

    Args:
        float32: bytes of a .tflite file.
        graph: its index in the file.
    """
    return tuple(_pairs(Graph(unpacked(float32), graph)))


def equalized(float32: bytes, ranges: Mapping[str, Array], graph: int = 0) -> bytes:
    """The file with the channels of all pairs balanced; what it computes is the same but for rounding in float32.

    Args:
        float32: bytes of a .tflite file.
        ranges: largest absolute value of each channel, (channels,), by the name of the tensor between two layers.
        graph: its index in the file.
    """
    model = unpacked(float32)
    found = Graph(model, graph)
    largest = {pair.tensor: ranges[pair.tensor].astype(np.float64) for pair in _pairs(found)}
    for pair in tuple(_pairs(found)) * _PASSES:
        _balance(found, pair, largest[pair.tensor])
    return packed(model)


def _balance(graph: Graph, pair: Pair, largest: Array) -> None:
    """Scale the channels between two layers; `largest` is changed with them."""
    given, taken = graph.constant(pair.giving, 1), graph.constant(pair.taking, 1)
    assert given is not None
    assert taken is not None
    out, into = CHANNEL_OUT[graph.kind(pair.giving)], CHANNEL_IN[graph.kind(pair.taking)]
    weights = np.abs(taken).max(axis=tuple(axis for axis in range(taken.ndim) if axis != into)).astype(np.float64)
    if graph.kind(pair.taking) == _OF.DEPTHWISE_CONV_2D:
        weights = np.ones_like(weights)  # each has a scale of its own, so only the activations matter
    alive = (largest > 0) & (weights > 0)
    scale = np.ones(len(largest))
    scale[alive] = np.sqrt(largest[alive] / weights[alive])
    if not alive.any():
        return
    scale[alive] /= np.exp(np.mean(np.log(scale[alive])))  # what all have in common is the quantizer's own business
    scale = np.clip(scale, 1 / _FURTHEST, _FURTHEST)
    graph.replace(pair.giving, 1, given / _along(scale, given.ndim, out))
    if (bias := graph.constant(pair.giving, 2)) is not None:
        graph.replace(pair.giving, 2, bias / scale)
    graph.replace(pair.taking, 1, taken * _along(scale, taken.ndim, into))
    largest /= scale


def _along(scale: Array, dimensions: int, axis: int) -> Array:
    return scale.reshape([-1 if each == axis else 1 for each in range(dimensions)])


def _pairs(graph: Graph) -> Iterator[Pair]:
    outputs = {int(tensor) for tensor in graph.graph.outputs}
    for number in range(len(graph.graph.operators)):
        if graph.kind(number) not in CHANNEL_OUT or graph.activation(number) not in _SCALED:
            continue
        given, between = graph.constant(number, 1), int(graph.graph.operators[number].outputs[0])
        taking = _next_layer(graph, between, outputs)
        if given is None or taking is None or not _bias_is_its_own(graph, number):
            continue
        taken, channels = graph.constant(taking, 1), given.shape[CHANNEL_OUT[graph.kind(number)]]
        if taken is not None and taken.shape[CHANNEL_IN[graph.kind(taking)]] == channels:
            yield Pair(number, taking, graph.output(number))


def _bias_is_its_own(graph: Graph, number: int) -> bool:
    inputs = graph.graph.operators[number].inputs
    return len(inputs) < 3 or inputs[2] < 0 or graph.constant(number, 2) is not None


def _next_layer(graph: Graph, tensor: int, outputs: set[int]) -> int | None:
    """The only layer that a tensor goes to, through what is positively homogeneous; None if there is another way."""
    while tensor not in outputs and len(graph.takers.get(tensor, ())) == 1:
        (number,) = graph.takers[tensor]
        operator, kind = graph.graph.operators[number], graph.kind(number)
        if kind in CHANNEL_IN:
            return number if int(operator.inputs[0]) == tensor else None
        if kind not in _HOMOGENEOUS or graph.activation(number) not in _SCALED:
            return None
        tensor = int(operator.outputs[0])
    return None
