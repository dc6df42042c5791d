"""Loading the user's trained model as it was meant, and running it.

Files written by Keras 2 go to Keras 2 (`tf_keras`), all others to Keras 3; the other one is tried when the
first refuses. Importing `tf_keras` before anything is loaded also registers the classes that SavedModels
written by Keras 2 refer to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tf_keras

from litegate.errors import ModelError
from litegate.records import ModelRef
from litegate.source.check import check_model, keras_path
from litegate.source.keras_file import keras_version

__all__ = ["load_keras", "source_predictor"]

Array = np.ndarray[Any, np.dtype[Any]]
Predictor = Callable[[Mapping[str, Array]], list[Array]]


def source_predictor(root: Path, model: ModelRef, signature: str) -> Predictor:
    """The source model as a function from named features to its outputs, in the order of their names.

    Raises:
        ModelError: the model may not or cannot be loaded.
    """
    if model.format != "saved_model":
        return _keras_predictor(load_keras(root, model))
    check_model(root, model.format, model.uri)
    function = tf.saved_model.load(str(root)).signatures[signature]
    return lambda features: _flat(function(**{name: tf.constant(value) for name, value in features.items()}))


def load_keras(root: Path, model: ModelRef) -> Any:
    """The model that a `.keras` or `.h5` file holds, in the Keras that wrote it.

    Raises:
        ModelError: the file may not or cannot be loaded.
    """
    check_model(root, model.format, model.uri)
    path = keras_path(root, model)
    errors = []
    for library in [tf_keras, keras] if keras_version(path).startswith("2.") else [keras, tf_keras]:
        try:
            return library.models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:
            errors.append(f"{library.__name__}: {type(error).__name__}: {' '.join(str(error).split())[:400]}")
    raise ModelError(f"model.uri {model.uri}", "a model that Keras 3 or Keras 2 can load", "; ".join(errors))


def _keras_predictor(loaded: Any) -> Predictor:
    names = [tensor.name.split(":")[0] for tensor in loaded.inputs]

    def predict(features: Mapping[str, Array]) -> list[Array]:
        inputs = [features[name] for name in names] if len(names) > 1 else next(iter(features.values()))
        return _flat(loaded(inputs, training=False))

    return predict


def _flat(outputs: Any) -> list[Array]:
    if isinstance(outputs, dict):
        outputs = [outputs[name] for name in sorted(outputs)]
    elif not isinstance(outputs, list | tuple):
        outputs = [outputs]
    return [np.asarray(output) for output in outputs]
