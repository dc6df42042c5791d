"""Models on which integer quantization loses what a metric need not see, and whose cause litegate is to name."""

from __future__ import annotations

from typing import Any

import numpy as np

import keras  # isort: skip
import tensorflow as tf  # isort: skip

from tests.zoo.models import Family

__all__ = ["UNSOUND"]

Features = dict[str, np.ndarray[Any, np.dtype[Any]]]
_INCOMES = 200_000


class BoxesAndScores(tf.Module):
    """Boxes in pixels and scores from 0 to 1, which share a tensor before they part."""

    def __init__(self) -> None:
        self.weights = tf.Variable(0.12 * np.random.default_rng(0).normal(size=(64, 5)), dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((None, 64), tf.float32, name="x")])
    def serve(self, x: Any) -> Any:
        hidden = x @ self.weights
        both = tf.concat([320 + 320 * tf.tanh(hidden[:, :4]), tf.sigmoid(hidden[:, 4:])], axis=1)
        return {"boxes": both[:, :4], "scores": both[:, 4:]}

    def targets(self, features: Features) -> Any:
        return self.serve(features["x"])["boxes"].numpy()


class Spectrum(tf.Module):
    """A spectrum of complex numbers, whose conversion answers for one sample and misses the others of a batch."""

    def __init__(self) -> None:
        self.weights = tf.Variable(np.random.default_rng(0).normal(size=(16, 3)), dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((None, 16), tf.float32, name="x")])
    def serve(self, x: Any) -> Any:
        return {"y": tf.abs(tf.signal.fft(tf.cast(x, tf.complex64))) @ self.weights}

    def targets(self, features: Features) -> Any:
        return self.serve(features["x"])["y"].numpy()


def raw_table() -> Any:
    """A share, a count of years, and an income, which the model itself normalizes."""
    row = keras.Input((3,), name="row")
    scaled = keras.layers.Normalization(mean=[0.5, 45, _INCOMES / 2], variance=[0.1, 700, _INCOMES**2 / 12])(row)
    return keras.Model(row, keras.layers.Dense(16, activation="tanh")(scaled))


def masked_attention() -> Any:
    """Attention that is told by a mask of -1e9 what not to look at."""
    wave, mask = keras.Input((8, 4), name="wave"), keras.Input((8,), name="mask")
    hidden = keras.layers.Dense(16)(wave)
    scores = keras.layers.Add()([keras.layers.Flatten()(keras.layers.Dense(1)(hidden)), mask])
    weights = keras.layers.Reshape((8, 1))(keras.layers.Softmax()(scores))
    return keras.Model([wave, mask], keras.layers.Flatten()(keras.layers.Dot(1)([weights, hidden])))


def masking_attention() -> Any:
    """The same with a mask of booleans, from which Keras makes the large numbers."""
    wave, keep = keras.Input((8, 4), name="wave"), keras.Input((8,), dtype="bool", name="keep")
    hidden = keras.layers.MultiHeadAttention(2, 4)(wave, wave, attention_mask=keras.ops.expand_dims(keep, 1))
    return keras.Model([wave, keep], keras.layers.Flatten()(hidden))


def _rows(random: np.random.Generator, count: int) -> Features:
    return {"row": (random.uniform(0, 1, (count, 3)) * [1, 90, _INCOMES]).astype(np.float32)}


def _masked(random: np.random.Generator, count: int) -> Features:
    mask = np.where(random.uniform(size=(count, 8)) < 0.3, -1e9, 0).astype(np.float32)
    return {"wave": random.normal(size=(count, 8, 4)).astype(np.float32), "mask": mask}


def _kept(random: np.random.Generator, count: int) -> Features:
    masked = _masked(random, count)
    return {"wave": masked["wave"], "keep": masked["mask"] == 0}


def _vectors(random: np.random.Generator, count: int) -> Features:
    return {"x": random.normal(size=(count, 64)).astype(np.float32)}


def _waves(random: np.random.Generator, count: int) -> Features:
    return {"x": random.normal(size=(count, 16)).astype(np.float32)}


UNSOUND = {
    "dead_scores": Family(BoxesAndScores, _vectors, "zoo_metrics:Boxes", 5.0),
    "raw_table": Family(raw_table, _rows),
    "masked": Family(masked_attention, _masked),
    "masking": Family(masking_attention, _kept),
    "spectrum": Family(Spectrum, _waves, "mse", 5.0),
}
