"""Writes small real models and their data below a folder; run by the Python that has TensorFlow."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tf_keras

import keras  # isort: skip
import tensorflow as tf  # isort: skip


def data(folder: Path) -> None:
    """Eight by eight images of four classes: a bright quarter says which."""
    rng = np.random.default_rng(7)
    for name, count in (("train", 400), ("calibration", 160), ("test", 600)):
        label = np.arange(count) % 4
        image = rng.uniform(0, 0.5, (count, 8, 8, 1)).astype(np.float32)
        for index, quarter in enumerate(label):
            row, column = 4 * (quarter // 2), 4 * (quarter % 2)
            image[index, row : row + 4, column : column + 4] += 0.5
        np.savez(folder / f"{name}.npz", image=image, label=label)


def classifier(library: object) -> object:
    layers = library.layers
    model = library.Sequential(
        [
            layers.Input((8, 8, 1), name="image"),
            layers.Conv2D(4, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(32, activation="relu"),  # large enough for dynamic range quantization to touch
            layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def trained(library: object, folder: Path) -> object:
    library.utils.set_random_seed(3)
    model = classifier(library)
    with np.load(folder / "train.npz") as arrays:
        model.fit(arrays["image"], arrays["label"], epochs=8, verbose=0)
    return model


def sine(folder: Path) -> object:
    """The classifier with an operator that the 16x8 quantizer does not know."""
    model = trained(keras, folder)
    return keras.Model(model.inputs, model(keras.ops.sin(model.inputs[0])))


def beyond_float16(model: object) -> object:
    """The classifier with values on the way that are beyond 65,504, and the same answers."""
    weights = model.get_weights()
    scales = (3e4, 3e4, 1, 3e4, 1 / 3e4, 1)
    large = keras.models.clone_model(model)
    large.set_weights([weight * np.float32(scale) for weight, scale in zip(weights, scales, strict=True)])
    return large


def two_inputs() -> object:
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    joined = keras.layers.Concatenate()([left, keras.layers.Rescaling(3.0)(right)])
    return keras.Model([left, right], keras.layers.Dense(3, activation="softmax")(joined))


def denoiser(folder: Path) -> object:
    """Takes the noise off waves of 16 values; the targets are vectors."""
    rng = np.random.default_rng(11)
    for name, count in (("waves_train", 800), ("waves", 600)):
        phase = rng.uniform(0, 6, (count, 1))
        clean = np.sin(phase + np.arange(16) / 2).astype(np.float32)
        noisy = clean + rng.normal(0, 0.3, clean.shape).astype(np.float32)
        np.savez(folder / f"{name}.npz", wave=noisy, label=clean)
    keras.utils.set_random_seed(5)
    layers = [keras.Input((16,), name="wave"), keras.layers.Dense(64, activation="tanh"), keras.layers.Dense(16)]
    model = keras.Sequential(layers)
    model.compile("adam", "mse")
    with np.load(folder / "waves_train.npz") as arrays:
        model.fit(arrays["wave"], arrays["label"], epochs=20, verbose=0)
    return model


def segmenter(folder: Path) -> object:
    """Finds the bright pixels of eight by eight images; the targets are masks."""
    rng = np.random.default_rng(13)
    for name, count in (("masks_train", 400), ("masks", 600)):
        mask = rng.uniform(0, 1, (count, 8, 8)) < rng.uniform(0, 0.6, (count, 1, 1))
        image = (rng.uniform(0, 0.6, mask.shape) + 0.5 * mask).astype(np.float32)[..., np.newaxis]
        np.savez(folder / f"{name}.npz", image=image, label=mask.astype(np.uint8))
    keras.utils.set_random_seed(6)
    layers = [keras.Input((8, 8, 1), name="image"), keras.layers.Conv2D(16, 1, activation="relu")]
    model = keras.Sequential([*layers, keras.layers.Conv2D(1, 1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy")
    with np.load(folder / "masks_train.npz") as arrays:
        model.fit(arrays["image"], arrays["label"][..., np.newaxis].astype(np.float32), epochs=8, verbose=0)
    return model


def tagger(folder: Path) -> object:
    """Twelve independent labels that it is sure of: many of its sigmoids are one but for rounding."""
    rng = np.random.default_rng(19)
    weights = rng.normal(0, 6, (8, 12)).astype(np.float32)
    x = rng.normal(0, 1, (300, 8)).astype(np.float32)
    np.savez(folder / "tags.npz", x=x, label=(x @ weights > 0).astype(np.float32))
    model = keras.Sequential([keras.Input((8,), name="x"), keras.layers.Dense(12, activation="sigmoid")])
    model.layers[0].set_weights([weights, np.zeros(12, np.float32)])
    return model


def sequences(folder: Path) -> None:
    """Recurrent models of twelve steps: which of three waves it is, and which of three words is said most."""
    rng = np.random.default_rng(17)
    label = np.arange(300) % 3
    steps = np.arange(12)[np.newaxis, :, np.newaxis] * (0.3 + 0.5 * label[:, np.newaxis, np.newaxis])
    wave = (np.sin(steps + rng.uniform(0, 6, (300, 1, 4))) + rng.normal(0, 0.05, (300, 12, 4))).astype(np.float32)
    np.savez(folder / "steps.npz", x=wave, label=label)
    ids = rng.integers(1, 20, (300, 12))
    ids = np.where(rng.uniform(0, 1, ids.shape) < 0.5, label[:, np.newaxis] + 1, ids).astype(np.int32)
    np.savez(folder / "tokens.npz", ids=ids, label=label)
    for name, library, kind in (("lstm3", keras, "LSTM"), ("gru3", keras, "GRU"), ("lstm2", tf_keras, "LSTM")):
        library.utils.set_random_seed(9)
        layers = [library.Input((12, 4), name="x"), getattr(library.layers, kind)(12)]
        model = library.Sequential([*layers, library.layers.Dense(3, activation="softmax")])
        _fitted(model, wave, label).save(folder / f"{name}.{'keras' if library is keras else 'h5'}")
    keras.utils.set_random_seed(9)
    words = keras.Input((12,), dtype="int32", name="ids")
    hidden = keras.layers.Embedding(20, 8, mask_zero=True)(words)
    hidden = keras.layers.Bidirectional(keras.layers.GRU(6))(hidden)
    _fitted(keras.Model(words, keras.layers.Dense(3, activation="softmax")(hidden)), ids, label).save(
        folder / "tokens.keras"
    )
    any_length = keras.Sequential([keras.Input((None, 4), name="x"), keras.layers.GRU(12), keras.layers.Dense(3)])
    any_length.save(folder / "any_length.keras")
    any_length.export(folder / "free_recurrent", verbose=False)


def _fitted(model: object, x: np.ndarray, label: np.ndarray) -> object:
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, label, epochs=12, verbose=0)
    return model


def any_size() -> object:
    """Takes images of any height and width."""
    layers = [keras.Input((None, None, 1), name="image"), keras.layers.Conv2D(16, 3, activation="relu")]
    layers += [keras.layers.Conv2D(16, 3, activation="relu"), keras.layers.GlobalMaxPooling2D()]
    return keras.Sequential([*layers, keras.layers.Dense(4, activation="softmax")])


class Wrapped(tf.Module):
    """Keras 3 in a `tf.Module`: in its SavedModel the converter does not find the values of the variables."""

    def __init__(self) -> None:
        self.inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])

    @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.inner(x)}


class TwoSignatures(tf.Module):
    def __init__(self) -> None:
        self.weights = tf.Variable(tf.random.stateless_normal((6, 3), (1, 2)))

    @tf.function(input_signature=[tf.TensorSpec((None, 6), tf.float32, name="x")])
    def encode(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"code": tf.nn.relu(x @ self.weights)}

    @tf.function(input_signature=[tf.TensorSpec((None, 3), tf.float32, name="code")])
    def decode(self, code: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"x": tf.nn.softmax(code @ tf.transpose(self.weights))}


class ManyOutputs(tf.Module):
    """Says of a picture of quarters, each in an output of its own, what the metrics of single outputs judge."""

    def __init__(self) -> None:
        self.kernel = tf.Variable(np.full((4, 4, 1, 1), 1 / 16, np.float32))

    @tf.function(input_signature=[tf.TensorSpec((None, 8, 8, 1), tf.float32, name="image")])
    def serve(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        bright = tf.nn.conv2d(image, self.kernel, strides=4, padding="VALID")
        quarters = tf.reshape(bright, (-1, 4))
        row, column = np.divmod(np.arange(4), 2) / np.float32(2)
        boxes = np.stack([row, column, row + 0.5, column + 0.5], axis=1).astype(np.float32)
        wide = tf.image.resize(bright, (8, 8), "nearest")
        none = quarters * 0.0
        return {
            "probability": tf.sigmoid(20 * tf.reduce_sum(quarters * [-1.0, -1.0, 1.0, 1.0], axis=1, keepdims=True)),
            "boxes": boxes + none[..., tf.newaxis],
            "classes": np.arange(4, dtype=np.float32) + none,
            "scores": tf.sigmoid(20 * (quarters - 0.5)),
            "map": tf.argmax(tf.concat([0.5 + 0.0 * wide, wide], axis=-1), axis=-1),
            "picture": wide,
            "tokens": tf.stack([quarters, quarters], axis=1),
        }


class Implementing(tf.Module):
    """Calls a function that names what it implements, which no converter knows; takes four samples at a time."""

    def __init__(self) -> None:
        self.weights = tf.Variable(tf.random.stateless_normal((6, 3), (1, 2)))
        self.doubled = tf.function(lambda x: 2 * tf.nn.relu(x), experimental_implements='name: "doubled"')

    @tf.function(input_signature=[tf.TensorSpec((4, 6), tf.float32, name="x")])
    def serve(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": self.doubled(x) @ self.weights}


def main(folder: Path) -> None:
    data(folder)
    three = trained(keras, folder)
    three.save(folder / "keras3.keras")
    three.save(folder / "keras3.h5")
    three.export(folder / "keras3_saved_model", verbose=False)
    beyond_float16(three).save(folder / "beyond_float16.keras")
    sine(folder).save(folder / "sine.keras")
    two = trained(tf_keras, folder)
    two.save(folder / "keras2.h5")
    two.save(folder / "keras2.keras")
    two.save(folder / "keras2_saved_model")
    two_inputs().save(folder / "two_inputs.keras")
    denoiser(folder).save(folder / "denoiser.keras")
    segmenter(folder).save(folder / "segmenter.keras")
    tagger(folder).save(folder / "tagger.keras")
    sequences(folder)
    any_size().save(folder / "any_size.keras")
    wrapped = Wrapped()
    tf.saved_model.save(wrapped, str(folder / "wrapped"), {"serving_default": wrapped.serve})
    many = ManyOutputs()
    tf.saved_model.save(many, str(folder / "many_outputs"), {"serving_default": many.serve})
    implementing = Implementing()
    tf.saved_model.save(implementing, str(folder / "implementing"), {"serving_default": implementing.serve})
    module = TwoSignatures()
    signatures = {"encode": module.encode, "decode": module.decode}
    tf.saved_model.save(module, str(folder / "two_signatures"), signatures)
    broken = classifier(keras)
    broken.layers[-1].set_weights([np.full_like(weight, np.nan) for weight in broken.layers[-1].get_weights()])
    broken.save(folder / "nan_weights.keras")
    keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 2)]).save(folder / "lambda.keras")
    rng = np.random.default_rng(1)
    pair = {name: rng.uniform(0, 1, (300, 4)).astype(np.float32) for name in ("left", "right")}
    np.savez(folder / "pair.npz", **pair, label=np.arange(300) % 3)
    x, code = (rng.normal(0, 1, (120, size)).astype(np.float32) for size in (6, 3))
    np.savez(folder / "fours.npz", x=x, label=np.arange(120) % 3)
    np.savez(folder / "signatures.npz", **{"encode/x": x, "decode/code": np.abs(code)}, label=np.arange(120) % 3)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
