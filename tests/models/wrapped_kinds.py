"""Puts fake quantization into models of many kinds, and writes what came of it as JSON.

Run by the Python that has TensorFlow: `wrapped_kinds.py FOLDER DIGITS`, as `make_collapsing.py`.
"""

from __future__ import annotations

import json
import runpy
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import keras  # isort: skip
import tensorflow as tf  # isort: skip

from keras import layers

from litegate.errors import BadInput, ModelError
from litegate.fine_tuning.rounding import FakeQuantized, Rounded, rounded_kernel
from litegate.fine_tuning.training import find_ranges, not_finite, train
from litegate.fine_tuning.wrapping import fake_quantized
from litegate.source.keras_export import export

SHAPE = (8, 8, 3)
RANDOM = np.random.default_rng(3)
IMAGES = RANDOM.normal(size=(64, *SHAPE)).astype(np.float32)
EPOCHS, RATE = 10, 0.0003


def sequential() -> keras.Model:
    """Every layer with a kernel, a normalization that is folded, activations that are fused and others."""
    return keras.Sequential(
        [
            keras.Input(SHAPE, name="image"),
            layers.Conv2D(8, 3, padding="same", use_bias=False, name="first"),
            layers.BatchNormalization(name="folded"),
            layers.ReLU(6, name="fused"),
            layers.DepthwiseConv2D(3, name="depthwise"),
            layers.SeparableConv2D(8, 3, activation="relu", name="separable"),
            layers.Conv2DTranspose(4, 3, activation="tanh", name="transposed"),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(10, activation="softmax", name="digit"),
        ]
    )


def functional() -> keras.Model:
    """A model in the model, a layer that is called twice, an operation, and outputs by name."""
    image = keras.Input(SHAPE, name="image")
    inner = keras.Sequential([keras.Input(SHAPE), layers.Conv2D(8, 3, name="inside"), layers.BatchNormalization()])
    shared = layers.Dense(8, activation="relu", name="shared")
    pooled = layers.GlobalAveragePooling2D(name="pool")(layers.ReLU(name="after")(inner(image)))
    once = shared(pooled)
    both = layers.Add(name="sum")([once, shared(keras.ops.abs(once))])
    digit = layers.Dense(10, activation="softmax", name="digit")(both)
    return keras.Model(image, {"digit": digit, "score": layers.Dense(1, name="score")(both)})


def recurrent() -> keras.Model:
    image = keras.Input(SHAPE, name="image")
    rows = layers.LSTM(8, name="rows")(layers.Reshape((8, 24))(image))
    return keras.Model(image, layers.Dense(3, name="last")(rows))


def fixed_batch() -> keras.Model:
    image = keras.Input(batch_shape=(4, *SHAPE), name="image")
    return keras.Model(image, layers.Dense(3, name="last")(layers.Flatten()(image)))


class Own(keras.Model):
    """Which computes by its own code."""

    def call(self, inputs: Any) -> Any:
        return inputs


MODELS = {"sequential": sequential, "functional": functional, "recurrent": recurrent, "fixed batch": fixed_batch}


def wrapped(name: str) -> dict[str, Any]:
    keras.utils.set_random_seed(1)
    plain = MODELS[name]()
    if name == "sequential":
        plain.get_layer("folded").set_weights([RANDOM.uniform(0.3, 2, 8).astype(np.float32) for _ in range(4)])
    found = fake_quantized(plain, "the model")
    find_ranges(found.model, {"image": IMAGES})
    inner = [layer for layer in found.model._flatten_layers() if isinstance(layer, FakeQuantized)]
    return {
        "rounded": found.rounded,
        "left": found.left,
        "names": [layer.name for layer in found.model.layers],
        "outputs": list(found.model.output_names),
        "before": sorted(layer.name for layer in inner if layer.before is not None),
        "not after": sorted(layer.name for layer in inner if layer.after is None),
        "shares": _identities(plain) == _identities(found.model),
    }


def _identities(model: Any) -> list[int]:
    return sorted(id(variable) for variable in model.trainable_variables)


def shallow() -> Iterator[tuple[str, Any]]:
    """Models of one layer or block before the last layer."""
    blocks = {
        "nothing": (),
        "convolution": (layers.Conv2D(8, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU(6)),
        "depthwise": (layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu"),),
        "transposed": (layers.Conv2DTranspose(4, 3, activation="tanh"),),
        "average": (layers.Conv2D(8, 3, activation="relu"), layers.GlobalAveragePooling2D()),
    }
    for name, block in blocks.items():
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input(SHAPE, name="image"), *block, layers.Flatten(), layers.Dense(10)])
        model(IMAGES, training=True)  # which gives the normalization statistics
        yield name, model


def likeness(plain: Any, features: Any) -> dict[str, float]:
    """How far the file is from what was simulated, and from float32."""
    found = fake_quantized(plain, "the model")
    find_ranges(found.model, {"image": features})
    file, float32 = answers(int8(plain, features), features), plain.predict(features, verbose=0)
    simulated = found.model.predict(features, verbose=0)
    return {"to float32": _apart(file, float32), "to the simulation": _apart(file, simulated)}


def _apart(ours: Any, theirs: Any) -> float:
    return float(np.abs(ours - theirs).mean())


def int8(model: Any, features: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        export(model, folder)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([sample[np.newaxis]] for sample in features)
        content: bytes = converter.convert()
    return content


def answers(content: bytes, features: Any) -> Any:
    interpreter = tf.lite.Interpreter(model_content=content)
    (given,) = interpreter.get_input_details()
    interpreter.resize_tensor_input(given["index"], features.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], features)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def kernels() -> Iterator[tuple[str, dict[str, float]]]:
    """Of a kernel of two channels, in which one is much larger: by layout."""
    plain = RANDOM.normal(size=(5, 5, 2, 2)).astype(np.float32) * np.float32([[1, 100], [10, 1000]])
    for layout, axes in (("last", (0, 1, 2)), ("last_two", (0, 1)), ("last_but_one", (0, 1, 3))):
        step = np.abs(plain).max(axis=axes, keepdims=True) / 127
        factor = RANDOM.uniform(-3, 3, step.shape).astype(np.float32)
        rounded = rounded_kernel(tf.constant(plain), layout).numpy()
        folded = rounded_kernel(tf.constant(plain * factor), layout).numpy()
        with tf.GradientTape() as tape:
            variable = tf.Variable(plain)
            total = tf.reduce_sum(rounded_kernel(tf.convert_to_tensor(variable), layout) * 3.0)
        yield (
            layout,
            {
                "error in steps": float((np.abs(rounded - plain) / step).max()),
                "off the grid": float(np.abs(rounded / step - np.round(rounded / step)).max()),
                "folded differs": float((np.abs(folded - rounded * factor) / np.abs(step * factor)).max()),
                "gradient": float(np.abs(tape.gradient(total, variable) - 3.0).max()),
            },
        )


def bounds() -> dict[str, list[float]]:
    """Low and high of a range, as values come."""
    range_ = Rounded("range")
    range_.observes = True
    range_(tf.constant([1.0, 2.0]))
    seen = {"observed": _bounds(range_)}
    range_.observes = False
    range_(tf.constant([-1.0, 8.0]), training=False)
    seen["used"] = _bounds(range_)
    range_(tf.constant([-1.0, 8.0]), training=True)
    seen["grown"] = _bounds(range_)
    range_(tf.constant([0.0, 0.0]), training=True)
    seen["shrunk"] = _bounds(range_)
    seen["rounded"] = range_(tf.constant([0.0, 0.01, 20.0]), training=False).numpy().tolist()
    return seen


def _bounds(range_: Rounded) -> list[float]:
    return [float(range_.low), float(range_.high)]


def _fit(model: Any, folder: Path, epochs: int) -> None:
    with np.load(folder / "train.npz") as arrays:
        images, labels = arrays["image"], arrays["label"]
    model.compile(keras.optimizers.Adam(RATE), "sparse_categorical_crossentropy")
    model.fit(images, labels, epochs=epochs, verbose=0)


def trained(folder: Path) -> dict[str, Any]:
    """Accuracy in 8 bits: as it was, trained as it is, trained with 8 bits simulated, and that again."""
    samples, test = np.load(folder / "calibration.npz")["image"], np.load(folder / "test.npz")
    found, weights = {}, {}
    for name in ("as it was", "plain", "simulated", "again"):
        model = keras.models.load_model(folder / "collapsing.keras")
        wrapping = fake_quantized(model, "the model").model
        find_ranges(wrapping, {"image": samples})
        if name != "as it was":
            train(_fit, model if name == "plain" else wrapping, folder, {"epochs": EPOCHS}, 17, "here:_fit")
        weights[name] = model.get_weights()
        fresh = keras.models.load_model(folder / "collapsing.keras")
        fresh.set_weights(weights[name])
        found[name] = float((answers(int8(fresh, samples), test["image"]).argmax(axis=1) == test["label"]).mean())
    same = all(np.array_equal(*pair) for pair in zip(weights["simulated"], weights["again"], strict=True))
    return found | {"the same again": same}


def refusals() -> dict[str, str]:
    model = recurrent()
    said = {"finite": not_finite(model)}
    model.get_layer("last").bias.assign([np.nan, 0, 0])
    said["not finite"] = not_finite(model)
    try:
        fake_quantized(Own(), "model.uri m.keras")
    except ModelError as error:
        said["own code"] = str(error)
    try:
        train(_fit, model, Path(), {"epoch": 3}, 0, "tuning:fit")
    except BadInput as error:
        said["arguments"] = str(error)
    return said


def main() -> None:
    collapsing = folder = Path(sys.argv[1])
    runpy.run_path(str(Path(__file__).with_name("make_collapsing.py")), run_name="__main__")  # with our arguments
    found: dict[str, Any] = {name: wrapped(name) for name in MODELS}
    images = np.load(collapsing / "calibration.npz")["image"]
    found["likeness"] = {name: likeness(model, IMAGES) for name, model in shallow()}
    found["likeness"]["collapsing"] = likeness(keras.models.load_model(collapsing / "collapsing.keras"), images)
    found |= {"kernels": dict(kernels()), "bounds": bounds(), "refusals": refusals(), "trained": trained(collapsing)}
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main()
