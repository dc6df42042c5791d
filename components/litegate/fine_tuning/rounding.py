"""Fake quantization as Keras layers: values rounded as an 8-bit file rounds them, while all is computed in float.

The method is that of Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference" (https://arxiv.org/abs/1712.05877), section 3: rounded in the forward pass, and in
the backward pass passed through as if nothing were rounded (the straight-through estimator).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import keras
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FakeQuantized", "Kernels", "Layout", "Rounded", "rounded_kernel"]

Layout = Literal["last", "last_two", "last_but_one"]
"""Which axes of a kernel are its output channels."""

Kernels = Mapping[str, Layout]
"""The kernels of a layer, by attribute."""

_BITS = 8
_FORGETS = 0.01
"""How much of a range that has become too wide is given up with each batch."""
_NARROWEST = 1e-6


def rounded_kernel(kernel: Any, layout: Layout) -> Any:
    """A kernel rounded to 8 bits, symmetrically around zero, with a scale for each output channel.

    This commutes with what folds a batch normalization into the kernel: that multiplies whole channels, the scale of a
    channel is its largest absolute value / 127, and so both are multiplied alike. The kernel may therefore be rounded
    before the normalization, though the file has the folded one.

    Args:
        kernel: a tensor of two or more axes.
        layout: which of its axes are the output channels; of a depthwise kernel the last two.
    """
    if layout == "last_but_one":
        return tf.linalg.matrix_transpose(rounded_kernel(tf.linalg.matrix_transpose(kernel), "last"))
    channels = kernel.shape[-1] if layout == "last" else kernel.shape[-2] * kernel.shape[-1]
    flat = tf.reshape(kernel, (-1, channels))
    largest = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(flat), axis=0), _NARROWEST * _NARROWEST))
    rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
        flat, -largest, largest, num_bits=_BITS, narrow_range=True
    )
    return tf.reshape(rounded, kernel.shape)


class Rounded(keras.layers.Layer):  # type: ignore[misc]
    """A tensor rounded to 8 bits between two bounds, which follow its values while it is trained.

    A bound grows at once and shrinks slowly. Jacob et al. take a plain moving average; but the converter takes the
    extremes over all calibration samples, and those of the latest batches are nearer to them than an average.

    Attributes:
        observes: while it is true, values pass as they are, and the bounds become their extremes.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name)
        self.supports_masking, self.supports_jit, self.observes = True, False, False

    def build(self, _: Any = None) -> None:
        """Make both bounds, which are not trained."""
        self.low, self.high = (
            self.add_weight(shape=(), initializer="zeros", trainable=False, name=name) for name in ("low", "high")
        )
        self.built = True

    def call(self, values: Any, training: bool | None = None) -> Any:
        """The values, rounded."""
        if self.observes or training:
            self._follow(values)
        if self.observes:
            return values
        low = tf.stop_gradient(tf.convert_to_tensor(self.low))
        high = tf.maximum(tf.stop_gradient(tf.convert_to_tensor(self.high)), low + _NARROWEST)
        return tf.quantization.fake_quant_with_min_max_vars(values, low, high, num_bits=_BITS)

    def _follow(self, values: Any) -> None:
        """Both bounds have zero between them, which every scale of a file can say exactly."""
        kept = 1.0 if self.observes else 1.0 - _FORGETS
        low, high = (tf.stop_gradient(extreme(values)) for extreme in (tf.reduce_min, tf.reduce_max))
        low, high = tf.minimum(low, 0.0), tf.maximum(high, 0.0)
        self.low.assign(tf.minimum(low, kept * self.low + (1.0 - kept) * low))
        self.high.assign(tf.maximum(high, kept * self.high + (1.0 - kept) * high))


class FakeQuantized(keras.layers.Layer):  # type: ignore[misc]
    """A layer with rounded kernels and a rounded output. It has no trained variables but the layer's own.

    Args:
        layer: a built one, called with one tensor or one list of them.
        kernels: which of its variables are rounded.
        before: whether its activation is computed by itself, of values that are rounded too, as the converter does
            with all that it does not fuse.
        after: whether the output is rounded.
    """

    def __init__(self, layer: Any, kernels: Kernels, *, before: bool, after: bool, name: str) -> None:
        super().__init__(name=name)
        self.supports_masking, self.supports_jit = True, False
        self.layer, self.kernels = layer, MappingProxyType(dict(kernels))
        self.before = Rounded(f"{name}_before") if before else None
        self.after = Rounded(f"{name}_after") if after else None

    def build(self, _: Any = None) -> None:
        """Make the bounds; the layer is there already."""
        for rounded in filter(None, (self.before, self.after)):
            rounded.build()
        self.built = True

    def call(self, inputs: Any) -> Any:
        """What the layer gives, as an 8-bit file would."""
        variables = [(getattr(self.layer, name), layout) for name, layout in self.kernels.items()]
        values = [(each, rounded_kernel(tf.convert_to_tensor(each), layout)) for each, layout in variables]
        if self.before is None:
            outputs = self._given(inputs, values)
        else:
            with _without_activation(self.layer) as activation:
                outputs = self._given(inputs, values)
            outputs = activation(self.before(outputs))
        return outputs if self.after is None else self.after(outputs)

    def _given(self, inputs: Any, values: list[tuple[Any, Any]]) -> Any:
        """The layer with values in the place of some variables; without any, its own state may change as usual."""
        if not values:
            return self.layer(inputs)
        with keras.StatelessScope(state_mapping=values):
            return self.layer(inputs)


@contextmanager
def _without_activation(layer: Any) -> Iterator[Callable[..., Any]]:
    activation, layer.activation = layer.activation, None
    try:
        yield activation
    finally:
        layer.activation = activation
