"""The 8-bit quantization specification as tables.

Source: https://ai.google.dev/edge/litert/models/quantization_spec.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from litegate.inspection.flatbuffer import Operator, Tensor

__all__ = ["FIXED_OUTPUTS", "LAYERS", "SAME_SCALE", "ZERO_POINTS", "Layer", "layers_of"]

ZERO_POINTS = {
    "int8": (-128, 127),
    "uint8": (0, 255),
    "int16": (0, 0),
    "int32": (0, 0),
    "int64": (0, 0),
    "int4": (-8, 7),
}
"""Allowed zero points by type: 16-bit activations and biases are symmetric."""

_EIGHTH, _HALF = 1 / 256, 1 / 128
FIXED_OUTPUTS = {
    "LOGISTIC": {"int8": (_EIGHTH, -128), "uint8": (_EIGHTH, 0), "int16": (1 / 32768, 0)},
    "SOFTMAX": {"int8": (_EIGHTH, -128), "uint8": (_EIGHTH, 0), "int16": (1 / 32768, 0)},
    "TANH": {"int8": (_HALF, 0), "uint8": (_HALF, 128), "int16": (1 / 32768, 0)},
    "L2_NORMALIZATION": {"int8": (_HALF, 0), "uint8": (_HALF, 128)},
    "LOG_SOFTMAX": {"int8": (16 / 256, 127), "uint8": (16 / 256, 255)},
}
"""Scale and zero point of the output, whatever the data: the kernels assume them."""

SAME_SCALE = frozenset(
    {
        "AVERAGE_POOL_2D",
        "BATCH_TO_SPACE_ND",
        "BROADCAST_TO",
        "CONCATENATION",
        "DEPTH_TO_SPACE",
        "EXPAND_DIMS",
        "GATHER",
        "GATHER_ND",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MINIMUM",
        "MIRROR_PAD",
        "PACK",
        "PADV2",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "RESHAPE",
        "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR",
        "REVERSE_V2",
        "SELECT",
        "SELECT_V2",
        "SLICE",
        "SPACE_TO_BATCH_ND",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SPLIT_V",
        "SQUEEZE",
        "STRIDED_SLICE",
        "TILE",
        "TOPK_V2",
        "TRANSPOSE",
        "UNPACK",
    }
)
"""These only move or compare values, so all that they take and give is scaled alike."""


@dataclass(frozen=True)
class Layer:
    """Positions of an operator's inputs; `axis` is the weights' output channel, None if they are per tensor."""

    input: int
    weights: int
    bias: int | None
    axis: int | None


_LSTM = (*(Layer(0, 1 + gate, 12 + gate, None) for gate in range(4)), *(Layer(18, 5 + i, None, None) for i in range(4)))
LAYERS: dict[str, tuple[Layer, ...]] = {
    "CONV_2D": (Layer(0, 1, 2, 0),),
    "DEPTHWISE_CONV_2D": (Layer(0, 1, 2, 3),),
    "FULLY_CONNECTED": (Layer(0, 1, 2, 0),),
    "TRANSPOSE_CONV": (Layer(2, 1, 3, 0),),
    "CONV_3D": (Layer(0, 1, 2, 4),),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _LSTM,
}


def layers_of(operator: Operator) -> Iterator[tuple[Tensor | None, Tensor, Tensor | None, Layer]]:
    """Input, constant weights and bias of each layer that an operator computes."""
    for layer in LAYERS.get(operator.name, ()):
        weights = operator.input(layer.weights)
        if weights is not None and weights.constant:
            yield operator.input(layer.input), weights, operator.input(layer.bias), layer
