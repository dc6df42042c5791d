"""What of each of Keras' layers an 8-bit file rounds: its kernels, what it gives, and both or none."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import keras
from keras import layers

from litegate.fine_tuning.rounding import Kernels

__all__ = ["called_with_values", "fuses", "is_exact", "is_normalization", "kernels_of", "rounds", "splits"]

_LAST: Kernels = MappingProxyType({"kernel": "last"})
_LAST_TWO: Kernels = MappingProxyType({"kernel": "last_two"})
_LAST_BUT_ONE: Kernels = MappingProxyType({"kernel": "last_but_one"})
_SEPARABLE: Kernels = MappingProxyType({"depthwise_kernel": "last_two", "pointwise_kernel": "last"})
_KERNELS: tuple[tuple[tuple[type[Any], ...], Kernels], ...] = (
    ((layers.SeparableConv1D, layers.SeparableConv2D), _SEPARABLE),
    ((layers.DepthwiseConv1D, layers.DepthwiseConv2D), _LAST_TWO),
    ((layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose), _LAST_BUT_ONE),
    ((layers.Dense, layers.Conv1D, layers.Conv2D, layers.Conv3D), _LAST),
)
_ACTIVATIONS = (layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Softmax)
_ROUNDING = (
    *_ACTIVATIONS,
    layers.Add,
    layers.Subtract,
    layers.Multiply,
    layers.Average,
    layers.Maximum,
    layers.Minimum,
    layers.Concatenate,
    layers.BatchNormalization,
    layers.LayerNormalization,
    layers.Rescaling,
    layers.AveragePooling1D,
    layers.AveragePooling2D,
    layers.GlobalAveragePooling1D,
    layers.GlobalAveragePooling2D,
    layers.UpSampling1D,
    layers.UpSampling2D,
)
_EXACT = (
    layers.InputLayer,
    layers.Identity,
    layers.Reshape,
    layers.Flatten,
    layers.Permute,
    layers.RepeatVector,
    layers.ZeroPadding1D,
    layers.ZeroPadding2D,
    layers.Cropping1D,
    layers.Cropping2D,
    layers.MaxPooling1D,
    layers.MaxPooling2D,
    layers.GlobalMaxPooling1D,
    layers.GlobalMaxPooling2D,
    layers.Dropout,
    layers.SpatialDropout1D,
    layers.SpatialDropout2D,
    layers.GaussianNoise,
    layers.GaussianDropout,
)
_FUSED = (None, keras.activations.linear, keras.activations.relu, keras.activations.relu6)


def kernels_of(layer: Any) -> Kernels:
    """The kernels that are rounded; none of a layer that has none, or holds them in another form."""
    for kinds, kernels in _KERNELS:
        if type(layer) in kinds:
            plain = all(isinstance(getattr(layer, name, None), keras.Variable) for name in kernels)
            return kernels if plain else {}
    return {}


def rounds(layer: Any) -> bool:
    """Whether a layer without kernels gives values that a file rounds anew."""
    return type(layer) in _ROUNDING


def is_exact(layer: Any) -> bool:
    """Whether a layer hands on values that are rounded already, or does nothing when the model is used."""
    return type(layer) in _EXACT


def is_normalization(layer: Any) -> bool:
    """Whether the converter folds it into the kernel before it."""
    return type(layer) is layers.BatchNormalization


def fuses(layer: Any) -> bool:
    """Whether it is an activation that the converter computes with the operator before it."""
    if type(layer) is layers.ReLU:
        return layer.max_value in (None, 6) and not layer.negative_slope and not layer.threshold
    return type(layer) is layers.Activation and layer.activation in _FUSED


def splits(layer: Any) -> bool:
    """Whether it has an activation that an operator of its own computes."""
    if type(layer) in _ACTIVATIONS:
        return not fuses(layer)
    return getattr(layer, "activation", None) not in _FUSED


def called_with_values(arguments: Any) -> bool:
    """Whether a layer was called with one tensor, or a list of them, and nothing else that a wrapper would drop.

    Keras itself has the phase of the whole model decide in place of a `training` that a layer was called with.
    """
    given = {name for name, value in arguments.kwargs.items() if value is not None}
    return len(arguments.args) == 1 and given <= {"training"}
