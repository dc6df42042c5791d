"""The SavedModels that stand for the user's model, the one most like it first.

Recurrent layers are loops over a list of tensors, whose shape the converter must know: a Keras LSTM or GRU with
a free batch is refused. With a batch of one it converts: that of Keras 2 to one fused operator, the others to a
loop, which cannot be calibrated. Unrolled, the same layer is a plain graph, which every variant can be made from.
Whether a form does what the model does is for the step `conversion_check` to say.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf
import tf_keras

from litegate.errors import ModelError
from litegate.records import ModelRef
from litegate.source.check import check_model
from litegate.source.loading import load_keras
from litegate.source.saved_model import check_saved_model

__all__ = ["MAX_UNROLLED_STEPS", "Form", "forms"]

MAX_UNROLLED_STEPS = 128
"""Unrolling longer sequences gives a graph that takes minutes to convert, once for every variant."""

_RECURRENT = {"LSTM", "GRU", "SimpleRNN"}


@dataclass(frozen=True)
class Form:
    """A SavedModel, and how it differs from the user's model: not at all if `change` is empty."""

    saved_model: Path
    change: str = ""


def forms(root: Path, model: ModelRef, folder: Path) -> Iterator[Form]:
    """Every form that there is, each made when it is asked for.

    Args:
        root: folder with the model's files.
        folder: where exported models go.

    Raises:
        ModelError: the model may not be loaded, or not even its first form can be made.
    """
    if model.format == "saved_model":
        check_model(root, model.format, model.uri)
        yield Form(root)
        yield from _others({"a batch of one": _pinned}, str(root), folder)
        return
    loaded = load_keras(root, model)
    yield Form(_exported(loaded, folder / "free", model))
    makers = {"a batch of one": _batch_of_one, "unrolled recurrent layers": _unrolled}
    yield from _others(makers, loaded, folder)


def _exported(loaded: Any, target: Path, model: ModelRef) -> Path:
    try:
        _quietly(loaded.export, str(target))
    except Exception as error:
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
        raise ModelError(f"model.uri {model.uri}", "a model that Keras can export", found) from error
    check_saved_model(target, f"model.uri {model.uri}")
    return target


def _others(makers: Mapping[str, Callable[[Any, str], None]], source: Any, folder: Path) -> Iterator[Form]:
    """What remains to be tried; that a model has no such form is no error of the user's."""
    for change, make in makers.items():
        target = folder / change.replace(" ", "_")
        try:
            make(source, str(target))
        except Exception:  # noqa: S112
            continue
        yield Form(target, change)


def _batch_of_one(model: Any, target: str) -> None:
    if isinstance(model, keras.Model):
        specs = [keras.layers.InputSpec(shape=(1, *t.shape[1:]), dtype=t.dtype, name=t.name) for t in model.inputs]
        several = len(specs) > 1 or not isinstance(model, keras.Sequential)
        _quietly(model.export, target, input_signature=[_like(model, specs)] if several else specs)
        return
    given = [tf.TensorSpec((1, *t.shape[1:]), t.dtype, t.name.split(":")[0]) for t in model.inputs]
    archive = tf_keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", model.__call__, [given] if len(given) > 1 else given)
    _quietly(archive.write_out, target)


def _like(model: Any, specs: list[Any]) -> Any:
    """Specs in the structure in which a functional model takes its inputs."""
    return keras.tree.pack_sequence_as(model._inputs_struct, specs)


def _unrolled(model: Any, target: str) -> None:
    if _steps(model) > MAX_UNROLLED_STEPS:
        raise ValueError("too many steps")
    config = model.get_config()
    _unroll(config)
    clone = type(model).from_config(config)
    clone.set_weights(model.get_weights())
    _quietly(clone.export, target)


def _steps(model: Any) -> int:
    """Steps of the longest sequence that a recurrent layer takes.

    Raises:
        TypeError: there is one of any length.
        ValueError: there is no recurrent layer.
    """
    wrapped = ("RNN", "Bidirectional")
    layers = [layer for layer in model._flatten_layers() if any(c.__name__ in wrapped for c in type(layer).__mro__)]
    steps = [tf.nest.flatten(layer.input)[0].shape[1] for layer in layers if getattr(layer, "_inbound_nodes", None)]
    longest: int = max(steps)
    return longest


def _unroll(config: Any) -> None:
    if isinstance(config, dict):
        if config.get("class_name") in _RECURRENT:
            config["config"]["unroll"] = True
        config = list(config.values())
    if isinstance(config, list | tuple):
        for item in config:
            _unroll(item)


def _pinned(root: str, target: str) -> None:
    """A SavedModel around another one, with the same signatures for a batch of one."""
    module = tf.Module()
    module.inner = tf.saved_model.load(root)
    signatures = {}
    for key, signature in module.inner.signatures.items():
        given = signature.structured_input_signature[1]
        specs = {name: tf.TensorSpec((1, *spec.shape[1:]), spec.dtype, name) for name, spec in given.items()}
        signatures[key] = _calling(signature).get_concrete_function(**specs)
    tf.saved_model.save(module, target, signatures)


def _calling(signature: Any) -> Any:
    return tf.function(lambda **features: signature(**features))


def _quietly(export: Callable[..., Any], *arguments: Any, **options: Any) -> None:
    with contextlib.redirect_stdout(io.StringIO()):  # Keras prints every captured variable
        export(*arguments, **options)
