"""The script that a user would write after the LiteRT documentation, and nothing more: what `make bench` compares with.

It converts each variant in turn in one process, and runs each file over the test data with the interpreter's own
loop, one sample at a time (https://ai.google.dev/edge/litert/models/post_training_integer_quant). Data are read once
and kept in memory. It registers nothing, tests nothing statistically and trusts what it gets: that is the point.

    .venv-tensorflow/bin/python tests/benchmarks/script.py MODEL CALIBRATION TEST OUT [--images N] [--samples N]

CALIBRATION and TEST are `.npz` with `image` and `label`, or a tar of `<class>/<file>.jpg`. OUT gets the files, and
`result.json`: of each variant its accuracy, whether it lost no more than `--max-drop`, and the seconds it took.
"""

from __future__ import annotations

import argparse
import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

VARIANTS = (
    "float32",
    "dynamic_range",
    "float16",
    "int8_float_fallback",
    "int8",
    "uint8",
    "int16x8",
    "int16x8_float_fallback",
)
CALIBRATED = VARIANTS[3:]
INT16X8 = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8


def main() -> None:
    """Convert, evaluate and write what came of it."""
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    model = keras.models.load_model(options.model, compile=False)
    samples, _ = read(options.calibration, options.samples)
    images, labels = read(options.test, options.images)
    result: dict[str, dict[str, Any]] = {}
    for variant in VARIANTS:
        begin = time.perf_counter()
        content = convert(model, variant, samples)
        (options.out / f"{variant}.tflite").write_bytes(content)
        converted = time.perf_counter()
        accuracy = evaluate(content, images, labels)
        ended = time.perf_counter()
        lost = result["float32"]["accuracy"] - accuracy if result else 0.0
        result[variant] = {
            "accuracy": accuracy,
            "passed": lost <= options.max_drop,
            "bytes": len(content),
            "convert_seconds": converted - begin,
            "evaluate_seconds": ended - converted,
        }
        print(variant, result[variant], flush=True)
    (options.out / "result.json").write_text(json.dumps(result, indent=2))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("model", "calibration", "test", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--images", type=int, default=None, help="how many of the test data (all)")
    parser.add_argument("--samples", type=int, default=200, help="how many to calibrate with")
    parser.add_argument("--max-drop", type=float, default=0.02)
    return parser.parse_args()


def read(path: Path, count: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Float32 images and classes, some of them at random."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            chosen = some(len(arrays["label"]), count)
            return arrays["image"][chosen].astype(np.float32), arrays["label"][chosen]
    with tarfile.open(path) as archive:
        members = sorted((each for each in archive.getmembers() if each.isfile()), key=lambda each: each.name)
        classes = sorted({Path(each.name).parent.name for each in members})
        chosen = [members[index] for index in some(len(members), count)]
        images = [
            np.asarray(Image.open(io.BytesIO(archive.extractfile(each).read())).convert("RGB")) for each in chosen
        ]
        labels = [classes.index(Path(each.name).parent.name) for each in chosen]
    return np.stack(images).astype(np.float32), np.array(labels)


def some(size: int, count: int | None) -> np.ndarray:
    """Indices of `count` of `size` samples, ascending; all if there are not as many."""
    if count is None or count >= size:
        return np.arange(size)
    return np.sort(np.random.default_rng(17).choice(size, count, replace=False))


def convert(model: keras.Model, variant: str, samples: np.ndarray) -> bytes:
    """The file, with the settings that the documentation has for the variant."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if variant == "float32":
        return converter.convert()
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if variant == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if variant in CALIBRATED:
        converter.representative_dataset = representative(samples)
    if variant in ("int8", "uint8"):
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.dtypes.as_dtype(variant)
    if variant == "int16x8":
        converter.target_spec.supported_ops = [INT16X8]
    if variant == "int16x8_float_fallback":
        converter.target_spec.supported_ops = [INT16X8, tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


def representative(samples: np.ndarray) -> Callable[[], Iterator[list[np.ndarray]]]:
    """The generator function that the converter wants."""

    def feed() -> Iterator[list[np.ndarray]]:
        for index in range(len(samples)):
            yield [samples[index : index + 1]]

    return feed


def evaluate(content: bytes, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of the images whose class the file gives."""
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    hits = 0
    for image, label in zip(images, labels, strict=True):
        if np.issubdtype(taken["dtype"], np.integer):
            scale, zero_point = taken["quantization"]
            limits = np.iinfo(taken["dtype"])
            image = np.clip(np.round(image / scale) + zero_point, limits.min, limits.max)
        interpreter.set_tensor(taken["index"], image[np.newaxis].astype(taken["dtype"]))
        interpreter.invoke()
        hits += int(np.argmax(interpreter.get_tensor(given["index"])[0]) == label)
    return hits / len(labels)


if __name__ == "__main__":
    main()
