"""Handwritten digits: scikit-learn's 1,797 images of 8x8 pixels, and a small convolutional classifier of them.

`prepare` needs scikit-learn, `train` needs Keras: each is imported in the environment that has it.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np

from litegate.errors import BadInput
from litegate.storage.user_objects import fetch, list_entries

__all__ = ["SPLITS", "prepare", "train"]

SPLITS = {"train": 900, "calibration": 200, "test": 697}


def prepare(folder: Path, split: str, seed: int = 17) -> Path:
    """Write one of the disjoint `SPLITS` as npz: `image`, float32 from 0 to 1, and `label`."""
    from sklearn.datasets import load_digits

    if split not in SPLITS:
        raise BadInput("split", f"one of {', '.join(SPLITS)}", repr(split))
    digits = load_digits()
    order = np.random.default_rng(seed).permutation(len(digits.target))
    bounds = np.cumsum([0, *SPLITS.values()])
    chosen = order[slice(*dict(zip(SPLITS, pairwise(bounds), strict=True))[split])]
    path = folder / f"{split}.npz"
    image = (digits.images[chosen] / 16).astype(np.float32)[..., np.newaxis]
    np.savez(path, image=image, label=digits.target[chosen].astype(np.int64))
    return path


def train(folder: Path, data: str, epochs: int = 30, seed: int = 17) -> Path:
    """Train on the npz at `data` and write a `.keras` file; the same data and seed give the same weights."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    (entry,) = list_entries(data, "data")
    with np.load(fetch(entry, folder, "data"), allow_pickle=False) as arrays:
        image, label = arrays["image"], arrays["label"]
    model = keras.Sequential(
        [
            keras.Input(image.shape[1:], name="image"),
            keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(10, activation="softmax", name="digit"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(2e-3), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(image, label, batch_size=32, epochs=epochs, verbose=2)
    path = folder / "model.keras"
    model.save(path)
    return path
