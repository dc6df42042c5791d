"""Trains classifiers of handwritten digits that 8 bits ruin, and one that nothing but floats can run.

.venv-tensorflow/bin/python tests/benchmarks/recovery_models.py FOLDER

FOLDER has train.npz and test.npz, with `image` and `label`. Channels that are four hundred times as large as the
others are made by hand, and taken back by the layer after them: in float nothing changes. Trained networks get such
channels by themselves, from batch normalization or from LayerNorm, if not so neatly.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

Array = np.ndarray[Any, np.dtype[Any]]
OUTLIERS, FACTOR = 2, 400.0
UNITS, LIFT = 64, np.float32(250)


def convolutions() -> keras.Model:
    """Three convolutions."""
    given = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="first")(given)
    x = layers.Conv2D(32, 3, activation="relu", name="second")(x)
    x = layers.Conv2D(32, 3, activation="relu", name="third")(x)
    return _classified(given, layers.GlobalAveragePooling2D()(x))


def depthwise() -> keras.Model:
    """Depthwise separable blocks, as MobileNet has them."""
    given = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(64, 3, padding="same", activation="relu", name="first")(given)
    for number, filters in enumerate((128, 128)):
        x = layers.DepthwiseConv2D(3, padding="same", activation="relu", name=f"depthwise{number}")(x)
        x = layers.Conv2D(filters, 1, activation="relu", name=f"pointwise{number}")(x)
    return _classified(given, layers.GlobalAveragePooling2D()(x))


def transformer() -> keras.Model:
    """The rows of an image as tokens through one block: attention, LayerNorm, two dense layers."""
    given = keras.Input((8, 8, 1), name="image")
    x = layers.Dense(64, name="embedding")(layers.Reshape((8, 8))(given))
    x = layers.Add()([x, layers.MultiHeadAttention(2, 32, name="attention")(x, x)])
    hidden = layers.Dense(256, activation="relu", name="hidden")(layers.LayerNormalization(name="norm")(x))
    x = layers.LayerNormalization(name="last")(layers.Add()([x, layers.Dense(64, name="out")(hidden)]))
    return _classified(given, layers.GlobalAveragePooling1D()(x))


def _classified(given: Any, x: Any) -> keras.Model:
    return keras.Model(given, layers.Dense(10, activation="softmax", name="digit")(x))


def with_outliers(model: keras.Model, giving: str, taking: str, random: np.random.Generator) -> None:
    """Make some channels between two layers larger, and take that back behind them.

    A normalization that is the first of the two has the channel as the only axis of its scale and its offset.
    """
    first, second = model.get_layer(giving), model.get_layer(taking)
    *given, bias = first.get_weights()
    scale = np.ones(len(bias), np.float32)
    scale[random.choice(len(scale), OUTLIERS, replace=False)] = FACTOR
    each = scale[:, np.newaxis] if isinstance(first, layers.DepthwiseConv2D) else scale
    first.set_weights([*(weights * each for weights in given), bias * scale])
    kernel, *rest = second.get_weights()
    second.set_weights([kernel / scale[:, np.newaxis], *rest])


def dense(units: int) -> keras.Model:
    """Two layers on all pixels."""
    given = keras.Input((8, 8, 1), name="image")
    lifted = layers.Dense(units, name="lifted")(layers.Flatten()(given))
    return _classified(given, layers.Dense(64, name="lowered", activation="relu")(lifted))


def cancelling(small: keras.Model) -> keras.Model:
    """The same model, by differences of large numbers: eight bits of a weight hold none of what is left of them."""
    model, units = dense(2 * UNITS), UNITS
    kernel, bias = small.get_layer("lifted").get_weights()
    common = np.full((len(kernel), 1), LIFT, np.float32)
    wide = np.concatenate([kernel + common, np.repeat(common, units, axis=1)], axis=1)
    model.get_layer("lifted").set_weights([wide, np.concatenate([bias, np.zeros_like(bias)])])
    kernel, bias = small.get_layer("lowered").get_weights()
    model.get_layer("lowered").set_weights([np.concatenate([kernel, -kernel]), bias])
    model.get_layer("digit").set_weights(small.get_layer("digit").get_weights())
    return model


BETWEEN = {
    "convolutions": (convolutions, (("first", "second"), ("second", "third"))),
    "depthwise": (depthwise, (("first", "depthwise0"), ("depthwise0", "pointwise0"), ("pointwise0", "depthwise1"))),
    "transformer": (transformer, (("norm", "hidden"),)),
}


def trained(model: keras.Model, folder: Path) -> keras.Model:
    """Trained on what the folder has."""
    data = np.load(folder / "train.npz")
    model.compile(optimizer=keras.optimizers.Adam(0.003), loss="sparse_categorical_crossentropy")
    model.fit(data["image"], data["label"], epochs=40, verbose=0)
    return model


def main(folder: Path) -> None:
    """Write `<name>.keras` for each model."""
    for name, (build, pairs) in BETWEEN.items():
        keras.utils.set_random_seed(0)
        model, random = trained(build(), folder), np.random.default_rng(1)
        for giving, taking in pairs:
            with_outliers(model, giving, taking, random)
        model.save(folder / f"{name}.keras")
    keras.utils.set_random_seed(0)
    cancelling(trained(dense(UNITS), folder)).save(folder / "beyond_integers.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
