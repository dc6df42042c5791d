"""Writes int8 files of three MLPerf Tiny architectures, untrained: arena and placement follow from the shapes.

.venv-tensorflow/bin/python tests/benchmarks/tiny_models.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def block(x: Any, filters: int, size: Any, strides: Any = 1, depthwise: bool = False) -> Any:
    """A convolution and its activation; a normalization would be folded into it, but untrained shrinks all values."""
    options = {"strides": strides, "padding": "same", "activation": "relu"}
    if depthwise:
        spread = keras.initializers.RandomNormal(stddev=0.5)  # for nine values; Keras counts those of all channels
        return layers.DepthwiseConv2D(size, depthwise_initializer=spread, **options)(x)
    return layers.Conv2D(filters, size, kernel_initializer="he_normal", **options)(x)


def keyword_spotting() -> keras.Model:
    """A depthwise separable network over 49 frames of 10 coefficients, twelve classes."""
    given = keras.Input((49, 10, 1), batch_size=1)
    x = block(given, 64, (10, 4), (2, 2))
    for _ in range(4):
        x = block(block(x, 64, 3, depthwise=True), 64, 1)
    x = layers.Flatten()(layers.AveragePooling2D((25, 5))(x))
    return keras.Model(given, layers.Dense(12, activation="softmax")(x))


def visual_wake_words() -> keras.Model:
    """MobileNet with a quarter of the channels, on images of 96 by 96, two classes."""
    given = keras.Input((96, 96, 3), batch_size=1)
    x = block(given, 8, 3, 2)
    strides = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    for stride, filters in zip(strides, (16, 32, 32, 64, 64, *[128] * 6, 256, 256), strict=True):
        x = block(block(x, filters, 3, stride, depthwise=True), filters, 1)
    x = layers.Flatten()(layers.AveragePooling2D((3, 3))(x))
    return keras.Model(given, layers.Dense(2, activation="softmax")(x))


def anomaly_detection() -> keras.Model:
    """An autoencoder of 640 values through eight."""
    given = x = keras.Input((640,), batch_size=1)
    for units in (*[128] * 4, 8, *[128] * 4):
        x = layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
    return keras.Model(given, layers.Dense(640)(x))


def int8(model: keras.Model) -> bytes:
    """Integer only, calibrated on noise."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    noise = np.random.default_rng(7).normal(size=(10, *model.input_shape)).astype(np.float32)
    converter.representative_dataset = lambda: ([each] for each in noise)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    content: bytes = converter.convert()
    return content


if __name__ == "__main__":
    keras.utils.set_random_seed(7)
    for make in (keyword_spotting, visual_wake_words, anomaly_detection):
        Path(sys.argv[1], f"{make.__name__.replace('_', ' ')} int8.tflite").write_bytes(int8(make()))
