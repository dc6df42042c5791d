"""Writes quantized files that hold, between them, every operator of `litegate.runtimes.arithmetic`.

Run by the Python that has TensorFlow, with the folder to write to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import keras  # isort: skip
import tensorflow as tf  # isort: skip

EIGHT, SIXTEEN = (
    [tf.lite.OpsSet.TFLITE_BUILTINS_INT8],
    [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8],
)
layers = keras.layers


def mobile() -> Any:
    """Convolutions of many strides, depthwise ones, pools and a residual."""
    image = keras.Input((17, 14, 3), batch_size=1, name="image")
    body = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu6")(image)
    wide = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(body)
    wide = layers.Conv2D(8, 1)(layers.ReLU(max_value=6.0)(wide))
    body = layers.Add()([body, wide])
    dilated = layers.Conv2D(5, 3, dilation_rate=2, padding="same", activation="relu")(body)
    body = layers.Concatenate()([layers.DepthwiseConv2D(3, padding="same", activation="relu")(body), dilated])
    body = layers.MaxPooling2D(3, strides=2, padding="same")(body)
    body = layers.AveragePooling2D(2, strides=1, padding="same")(body)
    body = layers.Conv2D(24, 3, activation="relu")(layers.ZeroPadding2D(((1, 0), (2, 1)))(body))
    body = layers.GlobalAveragePooling2D()(body)
    return keras.Model(image, layers.Dense(7, activation="softmax", name="scores")(body))


def logits() -> Any:
    """No softmax behind it."""
    image = keras.Input((9, 9, 2), name="image")
    body = layers.Conv2D(6, 3, strides=(2, 1), activation="relu")(image)
    body = layers.Flatten()(layers.MaxPooling2D(2)(body))
    return keras.Model(image, layers.Dense(5, name="scores")(layers.Dense(16, activation="relu")(body)))


def elements() -> Any:
    """Operators on single values, and those that move them."""
    vector = keras.Input((6, 4), batch_size=1, name="image")
    one, other = layers.Dense(4)(vector), layers.Dense(4, activation="relu")(vector)
    both = layers.Multiply()([one, other])
    both = layers.Subtract()([both, layers.ReLU()(one)])
    body = layers.Concatenate()([layers.Maximum()([both, other]), layers.Minimum()([both, one])])
    body = layers.Permute((2, 1))(body)
    body = layers.Reshape((6, 8))(body)
    body = keras.ops.squeeze(keras.ops.expand_dims(body, 2), 2)
    return keras.Model(vector, layers.Dense(3, name="scores")(layers.Flatten()(body)))


def curves() -> Any:
    """The two functions that are tables."""
    vector = keras.Input((12,), name="image")
    body = layers.Dense(8, activation="tanh")(vector)
    return keras.Model(vector, layers.Dense(4, activation="sigmoid", name="scores")(layers.Dense(9)(body)))


MODELS: dict[str, Callable[[], Any]] = {
    "mobile": mobile,
    "logits": logits,
    "elements": elements,
    "curves": curves,
}


def samples(shape: tuple[int, ...]) -> Iterator[list[np.ndarray]]:
    rng = np.random.default_rng(2)
    for _ in range(60):
        yield [rng.normal(size=(1, *shape)).astype(np.float32)]


def converted(model: Any, ops: list[Any], io: Any) -> bytes:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: samples(model.inputs[0].shape[1:])
    converter.target_spec.supported_ops = ops
    converter.inference_input_type = converter.inference_output_type = io
    return converter.convert()


def main(folder: Path) -> None:
    keras.utils.set_random_seed(4)
    for name, build in MODELS.items():
        model = build()
        model.set_weights([weight + 0.05 * np.random.randn(*weight.shape) for weight in model.get_weights()])
        (folder / f"{name}-int8.tflite").write_bytes(converted(model, EIGHT, tf.int8))
        (folder / f"{name}-uint8.tflite").write_bytes(converted(model, EIGHT, tf.uint8))
        (folder / f"{name}-int16x8.tflite").write_bytes(converted(model, SIXTEEN, tf.float32))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
