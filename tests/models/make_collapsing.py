"""Writes a classifier of scikit-learn's digits that 8 bits ruin, and its data; run by the Python that has TensorFlow.

Two channels in its middle are 300 times as large as the others, and what follows makes up for that: float32
answers as before, and in 8 bits little is left of the other fourteen.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import keras  # isort: skip
import tensorflow as tf  # isort: skip

SPLITS = {"train": 800, "calibration": 200, "test": 797}
CHANNELS, FACTOR = 2, np.float32(300)


def data(folder: Path, digits: Path) -> None:
    rows = np.loadtxt(digits, delimiter=",", dtype=np.float32)
    rows = rows[np.random.default_rng(5).permutation(len(rows))]
    images, labels = rows[:, :-1].reshape(-1, 8, 8, 1) / 16, rows[:, -1].astype(np.int64)
    begin = 0
    for name, count in SPLITS.items():
        chosen = slice(begin, begin + count)
        np.savez(folder / f"{name}.npz", image=images[chosen], label=labels[chosen])
        begin += count


def trained(folder: Path) -> keras.Model:
    keras.utils.set_random_seed(3)
    convolution = {"padding": "same", "activation": "relu"}
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            keras.layers.Conv2D(8, 3, **convolution, name="first"),
            keras.layers.Conv2D(16, 3, **convolution, name="spread"),
            keras.layers.MaxPooling2D(name="pool"),
            keras.layers.Conv2D(16, 3, **convolution, name="gather"),
            keras.layers.Flatten(),
            keras.layers.Dense(32, activation="relu", name="hidden"),
            keras.layers.Dense(10, activation="softmax", name="digit"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    with np.load(folder / "train.npz") as arrays:
        model.fit(arrays["image"], arrays["label"], epochs=15, batch_size=32, verbose=0)
    return model


def collapse(model: keras.Model) -> None:
    kernel, bias = model.get_layer("spread").get_weights()
    kernel[..., :CHANNELS] *= FACTOR
    bias[:CHANNELS] *= FACTOR
    model.get_layer("spread").set_weights([kernel, bias])
    kernel, bias = model.get_layer("gather").get_weights()
    kernel[:, :, :CHANNELS] /= FACTOR
    model.get_layer("gather").set_weights([kernel, bias])


def main() -> None:
    folder, digits = map(Path, sys.argv[1:])
    data(folder, digits)
    model = trained(folder)
    for name in ("steady", "collapsing"):
        if name == "collapsing":
            collapse(model)
        model.save(folder / f"{name}.keras")
        model.export(folder / name, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / name))
        (folder / f"{name}.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
