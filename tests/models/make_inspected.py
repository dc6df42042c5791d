"""Writes .tflite files of every variant of a model with many kinds of operators, and odd float32 ones.

Run by the Python that has TensorFlow: FOLDER [SOURCE.h5 SAMPLES.npz]. With a source only its own files are written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras

import keras  # isort: skip
import tensorflow as tf  # isort: skip

from litegate.variants import DOCUMENTED

Feed = Callable[[], Iterator[dict[str, Any]]]


def many_operators() -> object:
    layers = keras.layers
    image = keras.Input((12, 12, 4), name="image")
    x = layers.DepthwiseConv2D(3, activation="relu6", bias_initializer="random_normal")(image)
    x = layers.Conv2D(8, 3, padding="same", bias_initializer="random_normal")(x)
    x = layers.Concatenate()([layers.MaxPooling2D()(x), layers.AveragePooling2D(2)(x)])
    x = layers.Add()([x, layers.Conv2D(16, 1, bias_initializer="random_normal")(x)])
    x = layers.Conv2D(16, 1, activation="sigmoid")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(40, activation="tanh", bias_initializer="random_normal")(x)
    return keras.Model(image, layers.Dense(6, activation="softmax", bias_initializer="random_normal")(x))


class Loop(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        done = tf.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 1.5 + 1), (tf.constant(0), x))
        return {"y": done[1]}


class Branch(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2, lambda: tf.sin(x))}


class Memory(tf.Module):
    def __init__(self) -> None:
        self.seen = tf.Variable(tf.zeros((1, 4)))

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.seen.assign_add(x) * 2.0}


class Table(tf.Module):
    def __init__(self) -> None:
        table = tf.lookup.KeyValueTensorInitializer(["a", "b"], tf.constant([1, 2], tf.int64))
        self.table = tf.lookup.StaticHashTable(table, -1)

    @tf.function(input_signature=[tf.TensorSpec((1,), tf.string, name="word")])
    def serve(self, word: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.table.lookup(word)}


class FakeQuantized(tf.Module):
    """What quantization-aware training leaves in a model."""

    def __init__(self) -> None:
        self.weights = tf.Variable(np.random.default_rng(2).normal(size=(4, 3)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        weights = tf.quantization.fake_quant_with_min_max_vars(self.weights, -3.0, 3.0, narrow_range=True)
        inner = tf.quantization.fake_quant_with_min_max_vars(x, -4.0, 4.0)
        return {"y": tf.quantization.fake_quant_with_min_max_vars(inner @ weights, -9.0, 9.0)}


def convert(saved_model: Path, target: Path, feed: Feed | None, names: tuple[str, ...]) -> None:
    for name in names:
        variant = DOCUMENTED[name]
        converter = tf.lite.TFLiteConverter.from_saved_model(str(saved_model))
        if name != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if variant.recipe.float16:
            converter.target_spec.supported_types = [tf.float16]
        converter.target_spec.supported_ops = [getattr(tf.lite.OpsSet, each) for each in variant.recipe.ops]
        converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(variant.recipe.io)
        if variant.recipe.calibrated:
            converter.representative_dataset = feed
        target.with_name(f"{target.name}.{name}.tflite").write_bytes(converter.convert())


def exported(folder: Path, name: str, model: Any) -> Path:
    path = folder / f"{name}_saved_model"
    if isinstance(model, tf.Module) and not hasattr(model, "export"):
        tf.saved_model.save(model, str(path), {"serving_default": model.serve})
    else:
        model.export(path)
    return path


def real_model(folder: Path, source: str, samples: str) -> None:
    images = np.load(samples)["calibration"]
    saved_model = exported(folder, "real", tf_keras.models.load_model(source, compile=False))
    convert(saved_model, folder / "real", lambda: ({"input_1": image[None]} for image in images), tuple(DOCUMENTED))


def main(folder: Path) -> None:
    keras.utils.set_random_seed(4)
    rng = np.random.default_rng(3)
    images = rng.normal(size=(24, 1, 12, 12, 4)).astype(np.float32)
    saved_model = exported(folder, "many", many_operators())
    convert(saved_model, folder / "many", lambda: ({"image": image} for image in images), tuple(DOCUMENTED))
    layers = tf_keras.layers
    gru = tf_keras.Sequential([layers.Input((6, 5), batch_size=1, name="x"), layers.GRU(4), layers.Dense(3)])
    lstm = tf_keras.Sequential([layers.Input((6, 5), batch_size=1, name="x"), layers.LSTM(4), layers.Dense(3)])
    waves = rng.normal(size=(24, 1, 6, 5)).astype(np.float32)
    convert(
        exported(folder, "lstm", lstm), folder / "lstm", lambda: ({"x": wave} for wave in waves), ("float32", "int8")
    )
    odd = {
        "gru": gru,
        "loop": Loop(),
        "branch": Branch(),
        "memory": Memory(),
        "table": Table(),
        "fake": FakeQuantized(),
    }
    for name, model in odd.items():
        convert(exported(folder, name, model), folder / name, None, ("float32",))
    np.savez(folder / "samples.npz", image=images[:, 0], wave=waves[:, 0])


if __name__ == "__main__":
    if len(sys.argv) > 2:
        real_model(Path(sys.argv[1]), *sys.argv[2:4])
    else:
        main(Path(sys.argv[1]))
