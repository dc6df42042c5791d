"""Loading the user's trained model as it was meant, and running it.

Files written by Keras 2 go to Keras 2 (`tf_keras`), all others to Keras 3; the other one is tried when the
first refuses. Importing `tf_keras` before anything is loaded also registers the classes that SavedModels
written by Keras 2 refer to.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from litegate.records import ModelRef
from litegate.runtimes.batches import fixed_batch, in_batches
from litegate.source.causes import not_loaded
from litegate.source.check import check_model, keras_path
from litegate.source.keras_export import inference, input_specs
from litegate.source.keras_file import in_float32, keras_version

__all__ = ["load_keras", "source_predictor"]

Array = np.ndarray[Any, np.dtype[Any]]
Predictor = Callable[[Mapping[str, Array], Collection[str]], dict[str, Array]]

_ROWS = 32
"""Samples at once where a model takes any number of them."""


def source_predictor(root: Path, model: ModelRef, signature: str) -> Predictor:
    """The source model as a function from named features of (samples, ...) to the outputs asked for, by name.

    Raises:
        ModelError: the model may not or cannot be loaded.
    """
    if model.format == "saved_model":
        check_model(root, model.format, model.uri)
        return _batched(*_saved_model(root, signature))
    loaded, _ = load_keras(root, model)
    return _batched(inference(loaded), input_specs(loaded))


def load_keras(root: Path, model: ModelRef) -> tuple[Any, str]:
    """The model that a `.keras` or `.h5` file holds, in the Keras that wrote it, and how it was changed.

    Layers that compute in half precision do so in float32: see `litegate.source.precision`.

    Raises:
        ModelError: the file may not or cannot be loaded.
    """
    check_model(root, model.format, model.uri)
    path = keras_path(root, model)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        replaced = in_float32(path, copy)
        loaded = _loaded(copy if replaced else path, f"model.uri {model.uri}")
    return loaded, f"float32 in place of {', '.join(replaced)}" if replaced else ""


def _loaded(path: Path, where: str) -> Any:
    errors: dict[str, Exception] = {}
    for library in [tf_keras, keras] if keras_version(path).startswith("2.") else [keras, tf_keras]:
        try:
            return library.models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:
            errors[library.__name__] = error
    raise not_loaded(errors, where)


def _saved_model(root: Path, signature: str) -> tuple[Callable[[Sequence[Any]], dict[str, Any]], list[Any]]:
    """A signature as a function of its inputs in order, and what they are."""
    loaded = tf.saved_model.load(str(root))
    function = loaded.signatures[signature]
    given = function.structured_input_signature[1]
    arguments = list(given)

    def run(values: Sequence[Any]) -> dict[str, Any]:
        _ = loaded  # its variables live as long as it does
        outputs: dict[str, Any] = function(**dict(zip(arguments, values, strict=True)))
        return outputs

    # An argument is named as Python allows it, and its input as the signature has it.
    return run, [tf.TensorSpec(spec.shape, spec.dtype, spec.name or name) for name, spec in given.items()]


def _batched(run: Callable[[Sequence[Any]], dict[str, Any]], specs: list[Any]) -> Predictor:
    """Run in the model's own batches, whatever the number of samples."""
    fixed = fixed_batch([tuple(spec.shape) if spec.shape.rank else () for spec in specs])

    def one(features: Mapping[str, Array], wanted: Collection[str]) -> dict[str, Array]:
        outputs = run([tf.constant(_named(features, spec.name), spec.dtype) for spec in specs])
        return {name: np.asarray(outputs[name]) for name in wanted}

    def predict(features: Mapping[str, Array], wanted: Collection[str]) -> dict[str, Array]:
        if fixed is not None:
            return in_batches(lambda batch: one(batch, wanted), features, fixed)
        try:
            return in_batches(lambda batch: one(batch, wanted), features, _ROWS, fill=False)
        except tf.errors.InvalidArgumentError:  # one sample at a time is built into the graph
            return in_batches(lambda batch: one(batch, wanted), features, 1)

    return predict


def _named(features: Mapping[str, Array], name: str) -> Array:
    return features[name] if len(features) > 1 else next(iter(features.values()))
