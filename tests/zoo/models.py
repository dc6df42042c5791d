"""One small model of each architecture family that people ship, with its data and its spec.

Nothing is trained: the weights are random, the labels are what the float model itself says, and the samples are those
on which it is sure. Float32 is then right about all of them, and what a variant loses is lost to quantization alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import keras  # isort: skip
import tensorflow as tf  # isort: skip

Array = np.ndarray[Any, np.dtype[Any]]
Features = dict[str, Array]
CALIBRATION, EVALUATION, CLASSES = 100, 300, 4
LAYERS = keras.layers
__all__ = ["FAMILIES", "Family"]


def images(random: np.random.Generator, count: int, size: int = 16, channels: int = 3) -> Array:
    """Smooth pictures with values from 0 to 1."""
    small = random.uniform(0, 1, (count, 4, 4, channels))
    return np.kron(small, np.ones((1, size // 4, size // 4, 1))).astype(np.float32)


def sequences(random: np.random.Generator, count: int, steps: int = 16, channels: int = 4) -> Array:
    """Waves with as many steps, each sample with frequencies of its own."""
    rate, phase = random.uniform(0.2, 1.5, (2, count, 1, channels))
    return np.sin(np.arange(steps)[np.newaxis, :, np.newaxis] * rate + 6 * phase).astype(np.float32)


@dataclass(frozen=True)
class Family:
    """A model, what it is fed, and how it is judged.

    Attributes:
        build: makes the model; of one that tells classes apart the part before its last layer.
        feed: makes so many samples.
        metric: of the evaluation; `top1` for models that tell classes apart.
        max_drop: of the gate.
    """

    build: Callable[[], Any]
    feed: Callable[[np.random.Generator, int], Features]
    metric: str = "top1"
    max_drop: float = 0.05

    def write(self, folder: Path) -> dict[str, Any]:
        """A SavedModel or Keras file, and its data; gives the spec."""
        keras.utils.set_random_seed(5)
        random, model = np.random.default_rng(11), self.build()
        if self.metric == "top1":
            model, features, labels = _classifier(model, self.feed(random, 4 * (CALIBRATION + EVALUATION)))
        else:
            features = self.feed(random, CALIBRATION + EVALUATION)
            labels = model.targets(features) if hasattr(model, "targets") else model.predict(features, verbose=0)
        for name, rows in (("calibration", slice(CALIBRATION)), ("evaluation", slice(CALIBRATION, None))):
            np.savez(
                folder / f"{name}.npz", **{key: value[rows] for key, value in features.items()}, label=labels[rows]
            )
        return {
            "model": {"name": "zoo", "uri": str(_saved(model, folder))},
            "calibration": {"uri": str(folder / "calibration.npz"), "format": "npz", "samples": CALIBRATION},
            "evaluation": {"uri": str(folder / "evaluation.npz"), "format": "npz", "metric": self.metric},
            "gate": {"max_drop": self.max_drop},
        }


def _saved(model: Any, folder: Path) -> Path:
    if isinstance(model, keras.Model):
        model.save(folder / "model.keras")
        return folder / "model.keras"
    tf.saved_model.save(model, str(folder / "model"), {"serving_default": model.serve})
    return folder / "model"


def _classifier(body: Any, features: Features) -> tuple[Any, Features, Array]:
    """The model with a last layer that finds all classes equally often, on the samples about which it is sure."""
    found = body.predict(features, batch_size=256, verbose=0)
    kernel = np.random.default_rng(3).normal(size=(found.shape[1], CLASSES)).astype(np.float32)
    logits = found @ kernel
    scale = 3 / logits.std(axis=0)
    last = LAYERS.Dense(CLASSES, activation="softmax", name="scores")
    model = keras.Model(body.inputs, last(body.output))
    last.set_weights([kernel * scale, -logits.mean(axis=0) * scale])
    logits = (logits - logits.mean(axis=0)) * scale
    labels, ordered = logits.argmax(axis=1), np.sort(logits, axis=1)
    margin = ordered[:, -1] - ordered[:, -2]
    each = (CALIBRATION + EVALUATION) // CLASSES
    chosen = [np.flatnonzero(labels == label)[np.argsort(-margin[labels == label])][:each] for label in range(CLASSES)]
    rows = np.random.default_rng(1).permutation(np.concatenate(chosen))
    return model, {name: value[rows] for name, value in features.items()}, labels[rows]


def mobilenet() -> Any:
    """Depthwise and pointwise convolutions with ReLU6, as in MobileNet."""
    image = keras.Input((16, 16, 3), name="image")
    hidden = LAYERS.ReLU(6.0)(LAYERS.BatchNormalization()(LAYERS.Conv2D(8, 3, 2, "same", use_bias=False)(image)))
    for filters, stride in ((16, 1), (32, 2)):
        hidden = LAYERS.DepthwiseConv2D(3, stride, "same", use_bias=False)(hidden)
        hidden = LAYERS.ReLU(6.0)(LAYERS.BatchNormalization()(hidden))
        hidden = LAYERS.BatchNormalization()(LAYERS.Conv2D(filters, 1, use_bias=False)(hidden))
    return keras.Model(image, LAYERS.GlobalAveragePooling2D()(LAYERS.ReLU(6.0)(hidden)))


def resnet() -> Any:
    """Residual blocks."""
    image = keras.Input((16, 16, 3), name="image")
    hidden = LAYERS.Conv2D(16, 3, padding="same", activation="relu")(image)
    for _ in range(2):
        inner = LAYERS.ReLU()(LAYERS.BatchNormalization()(LAYERS.Conv2D(16, 3, padding="same")(hidden)))
        hidden = LAYERS.ReLU()(LAYERS.Add()([hidden, LAYERS.Conv2D(16, 3, padding="same")(inner)]))
    return keras.Model(image, LAYERS.GlobalAveragePooling2D()(hidden))


def unet() -> Any:
    """Down and up again by transposed convolutions, with skip connections; a mask comes out."""
    image = keras.Input((16, 16, 1), name="image")
    first = LAYERS.Conv2D(8, 3, padding="same", activation="relu")(image)
    deep = LAYERS.Conv2D(16, 3, padding="same", activation="relu")(LAYERS.MaxPooling2D()(first))
    up = LAYERS.Conv2DTranspose(8, 2, 2, activation="relu")(deep)
    joined = LAYERS.Conv2D(8, 3, padding="same", activation="relu")(LAYERS.Concatenate()([first, up]))
    return keras.Model(image, LAYERS.Conv2D(1, 1, activation="sigmoid", name="mask")(joined))


def tcn() -> Any:
    """Dilated causal convolutions in time."""
    wave = keras.Input((16, 4), name="wave")
    hidden = wave
    for dilation in (1, 2, 4):
        hidden = LAYERS.Conv1D(16, 3, padding="causal", dilation_rate=dilation, activation="relu")(hidden)
    return keras.Model(wave, LAYERS.GlobalAveragePooling1D()(hidden))


def recurrent(kind: str) -> Callable[[], Any]:
    """An LSTM or a GRU."""

    def build() -> Any:
        wave = keras.Input((8, 4), name="wave")
        return keras.Model(wave, getattr(LAYERS, kind)(16)(wave))

    return build


def transformer() -> Any:
    """A block of attention with layer normalization and softmax."""
    wave = keras.Input((16, 4), name="wave")
    hidden = LAYERS.Dense(16)(wave)
    hidden = LAYERS.LayerNormalization()(hidden + LAYERS.MultiHeadAttention(2, 8)(hidden, hidden))
    inner = LAYERS.Dense(16)(LAYERS.Dense(32, activation="gelu")(hidden))
    return keras.Model(wave, LAYERS.GlobalAveragePooling1D()(LAYERS.LayerNormalization()(hidden + inner)))


def embedding() -> Any:
    """Integer ids of words, looked up and averaged."""
    ids = keras.Input((12,), dtype="int32", name="ids")
    return keras.Model(ids, LAYERS.GlobalAveragePooling1D()(LAYERS.Embedding(100, 16)(ids)))


def autoencoder() -> Any:
    """Dense layers with a narrow one in the middle; the picture comes out again."""
    pixels = keras.Input((64,), name="pixels")
    hidden = LAYERS.Dense(8, activation="relu")(LAYERS.Dense(32, activation="relu")(pixels))
    return keras.Model(pixels, LAYERS.Dense(64, activation="sigmoid")(LAYERS.Dense(32, activation="relu")(hidden)))


def siamese() -> Any:
    """Two pictures through one network, and how they differ."""
    left, right = keras.Input((16, 16, 1), name="left"), keras.Input((16, 16, 1), name="right")
    layers = [LAYERS.Conv2D(8, 3, 2, activation="relu"), LAYERS.Conv2D(16, 3, activation="relu"), LAYERS.Flatten()]
    tower = keras.Sequential([keras.Input((16, 16, 1)), *layers])
    return keras.Model([left, right], LAYERS.Subtract()([tower(left), tower(right)]))


def stft() -> Any:
    """Sound to a spectrogram inside the model, and convolutions over it."""
    sound = keras.Input((256,), name="sound")
    real, imaginary = keras.ops.stft(sound, 64, 32, 64, window=None, center=False)
    hidden = LAYERS.Conv1D(16, 3, activation="relu")(keras.ops.sqrt(real**2 + imaginary**2 + 1e-6))
    return keras.Model(sound, LAYERS.GlobalAveragePooling1D()(hidden))


def conv3d() -> Any:
    """Convolutions over height, width and time."""
    video = keras.Input((8, 8, 8, 1), name="video")
    hidden = LAYERS.Conv3D(16, 3, activation="relu")(LAYERS.Conv3D(8, 3, activation="relu")(video))
    return keras.Model(video, LAYERS.GlobalAveragePooling3D()(hidden))


def grouped() -> Any:
    """Grouped convolutions, as in ResNeXt."""
    image = keras.Input((16, 16, 4), name="image")
    hidden = LAYERS.Conv2D(16, 3, groups=4, activation="relu")(image)
    return keras.Model(
        image, LAYERS.GlobalAveragePooling2D()(LAYERS.Conv2D(16, 3, groups=4, activation="relu")(hidden))
    )


_POST = {
    "max_detections": "i: 5",
    "max_classes_per_detection": "i: 1",
    "num_classes": "i: 2",
    "use_regular_nms": "b: false",
    "nms_score_threshold": "f: 0.0",
    "nms_iou_threshold": "f: 0.5",
    **dict.fromkeys(("y_scale", "x_scale"), "f: 10.0"),
    **dict.fromkeys(("h_scale", "w_scale"), "f: 5.0"),
}


@tf.function(
    experimental_implements='name: "TFLite_Detection_PostProcess" '
    + " ".join(f'attr {{ key: "{name}" value {{ {value} }} }}' for name, value in _POST.items())
)
def _post_process(boxes: Any, scores: Any, anchors: Any) -> Any:
    """The converter puts an operator of LiteRT in its place."""
    nothing = tf.constant(0.0)
    return nothing, nothing, nothing, nothing


class Detector(tf.Module):
    """An SSD head with the post-processing operator of LiteRT; one picture at a time."""

    def __init__(self) -> None:
        random = np.random.default_rng(4)
        corners = np.stack(np.meshgrid(np.arange(4), np.arange(4)), axis=-1).reshape(16, 2) / 4 + 0.125
        self.anchors = tf.constant(np.concatenate([corners, np.full((16, 2), 0.25)], axis=1), tf.float32)
        self.kernel = tf.Variable(random.normal(0, 0.3, (4, 4, 3, 16)), dtype=tf.float32)
        self.boxes = tf.Variable(random.normal(0, 0.3, (16, 4)), dtype=tf.float32)
        self.classes = tf.Variable(random.normal(0, 1.0, (16, 3)), dtype=tf.float32)

    @tf.function(input_signature=[tf.TensorSpec((1, 16, 16, 3), tf.float32, name="image")])
    def serve(self, image: Any) -> Any:
        hidden = self._hidden(image)
        found = _post_process(hidden @ self.boxes, tf.sigmoid(hidden @ self.classes), self.anchors)
        return dict(zip(("boxes", "classes", "scores", "count"), found, strict=True))

    def targets(self, features: Features) -> Array:
        """The best score of each picture, which the operator picks."""
        found = [self._hidden(image[np.newaxis]) @ self.classes for image in features["image"]]
        return np.array([[tf.reduce_max(tf.sigmoid(each)[..., 1:])] for each in found], np.float32)

    def _hidden(self, image: Any) -> Any:
        return tf.reshape(tf.nn.relu(tf.nn.conv2d(image, self.kernel, 4, "SAME")), (1, 16, 16))


def _sounds(random: np.random.Generator, count: int) -> Features:
    return {"sound": sequences(random, count, 256, 1)[..., 0]}


def _pictures(channels: int = 3) -> Callable[[np.random.Generator, int], Features]:
    return lambda random, count: {"image": images(random, count, channels=channels)}


def _waves(steps: int = 16) -> Callable[[np.random.Generator, int], Features]:
    return lambda random, count: {"wave": sequences(random, count, steps)}


def _pixels(random: np.random.Generator, count: int) -> Features:
    return {"pixels": images(random, count, 8, 1).reshape(count, 64)}


def _pairs(random: np.random.Generator, count: int) -> Features:
    return {name: images(random, count, channels=1) for name in ("left", "right")}


def _videos(random: np.random.Generator, count: int) -> Features:
    return {"video": np.repeat(images(random, count, 8, 1)[:, np.newaxis], 8, axis=1)}


def _ids(random: np.random.Generator, count: int) -> Features:
    return {"ids": random.integers(0, 100, (count, 12), np.int32)}


FAMILIES = {
    "mobilenet": Family(mobilenet, _pictures()),
    "resnet": Family(resnet, _pictures()),
    "grouped": Family(grouped, _pictures(4)),
    "unet": Family(unet, _pictures(1), "mae"),
    "autoencoder": Family(autoencoder, _pixels, "mae"),
    "siamese": Family(siamese, _pairs),
    "conv3d": Family(conv3d, _videos),
    "ssd": Family(Detector, _pictures(), "zoo_metrics:BestScore"),
    "tcn": Family(tcn, _waves()),
    "lstm": Family(recurrent("LSTM"), _waves(8)),
    "gru": Family(recurrent("GRU"), _waves(8)),
    "transformer": Family(transformer, _waves()),
    "embedding": Family(embedding, _ids),
    "stft": Family(stft, _sounds),
}
