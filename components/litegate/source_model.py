"""The user's trained model: loading it as it was meant, running it, exporting it as a SavedModel.

Files written by Keras 2 go to Keras 2 (`tf_keras`), all others to Keras 3; the other one is tried when the
first refuses. Importing `tf_keras` before anything is loaded also registers the classes that SavedModels
written by Keras 2 refer to.
"""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import tensorflow as tf
import tf_keras

from litegate.errors import ModelError
from litegate.records import ModelRef

__all__ = ["export_saved_model", "source_predictor"]

Array = np.ndarray[Any, np.dtype[Any]]
Predictor = Callable[[Mapping[str, Array]], list[Array]]

_FILES = {"keras": "model.keras", "h5": "model.h5"}


def export_saved_model(root: Path, model: ModelRef, target: Path) -> Path:
    """The model as a SavedModel directory: itself if it is one, else exported to `target`.

    Raises:
        ModelError: the file cannot be loaded or exported.
    """
    if model.format == "saved_model":
        return root
    loaded = _load_keras(root / _FILES[model.format], model.uri)
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Keras prints every captured variable
            loaded.export(str(target))
    except Exception as error:
        raise ModelError(f"model.uri {model.uri}", "a model that Keras can export", _short(error)) from error
    return target


def source_predictor(root: Path, model: ModelRef, signature: str) -> Predictor:
    """The source model as a function from named features to its outputs, in the order of their names.

    Raises:
        ModelError: the model cannot be loaded.
    """
    if model.format == "saved_model":
        function = tf.saved_model.load(str(root)).signatures[signature]
        return lambda features: _flat(function(**{name: tf.constant(value) for name, value in features.items()}))
    loaded = _load_keras(root / _FILES[model.format], model.uri)
    names = [tensor.name.split(":")[0] for tensor in loaded.inputs]

    def predict(features: Mapping[str, Array]) -> list[Array]:
        inputs = [features[name] for name in names] if len(names) > 1 else next(iter(features.values()))
        return _flat(loaded(inputs, training=False))

    return predict


def _load_keras(path: Path, uri: str) -> Any:
    config, keras_version = _read_config(path, uri)
    _refuse_lambda(config, uri)
    libraries = [tf_keras, keras] if keras_version.startswith("2.") else [keras, tf_keras]
    errors = []
    for library in libraries:
        try:
            return library.models.load_model(path, compile=False)
        except Exception as error:
            errors.append(f"{library.__name__}: {_short(error)}")
    raise ModelError(f"model.uri {uri}", "a model that Keras 3 or Keras 2 can load", "; ".join(errors))


def _read_config(path: Path, uri: str) -> tuple[Any, str]:
    """The architecture as JSON, and the version of the Keras that wrote it."""
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                version = json.loads(archive.read("metadata.json"))["keras_version"]
                return json.loads(archive.read("config.json")), version
        with h5py.File(path) as file:
            return json.loads(file.attrs["model_config"]), str(file.attrs.get("keras_version", "2.0"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ModelError(
            f"model.uri {uri}", "a whole Keras file with its architecture", f"an unreadable one ({_short(error)})"
        ) from None


def _refuse_lambda(config: Any, uri: str) -> None:
    """A Lambda layer is pickled code that runs as the file is loaded."""
    if isinstance(config, dict):
        if config.get("class_name") == "Lambda":
            name = config.get("config", {}).get("name", "without a name")
            raise ModelError(f"model.uri {uri}", "no code in the model file", f"the Lambda layer {name!r}")
        config = list(config.values())
    if isinstance(config, list):
        for item in config:
            _refuse_lambda(item, uri)


def _flat(outputs: Any) -> list[Array]:
    if isinstance(outputs, dict):
        outputs = [outputs[name] for name in sorted(outputs)]
    elif not isinstance(outputs, list | tuple):
        outputs = [outputs]
    return [np.asarray(output) for output in outputs]


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
