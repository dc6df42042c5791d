"""The SavedModels that stand for the user's model, the one most like it first.

Recurrent layers are loops over a list of tensors, whose shape the converter must know: a Keras LSTM or GRU with
a free batch is refused. With a batch of one it converts: that of Keras 2 to one fused operator, the others to a
loop, which cannot be calibrated. Unrolled, the same layer is a plain graph, which every variant can be made from.
Of a Keras 3 model in a `tf.Module` the converter does not find the values of the variables, which TensorFlow does: what
it has loaded and saved again has them.
Whether a form does what the model does is for the step `conversion_check` to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import tensorflow as tf

from litegate.records import ModelRef
from litegate.source.causes import not_exported
from litegate.source.check import check_model
from litegate.source.keras_export import export
from litegate.source.loading import load_keras
from litegate.source.saved_model import check_saved_model
from litegate.source.signatures import signatures_of

__all__ = ["MAX_UNROLLED_STEPS", "Form", "forms"]

MAX_UNROLLED_STEPS = 128
"""Unrolling longer sequences gives a graph that takes minutes to convert, once for every variant."""

Makers = Mapping[str, Callable[[Any, str], None]]
"""What writes a form of a model to a folder, by how the form differs."""

_RECURRENT = {"LSTM", "GRU", "SimpleRNN"}


@dataclass(frozen=True)
class Form:
    """A SavedModel, and how it differs from the user's model: not at all if `change` is empty."""

    saved_model: Path
    change: str = ""


def forms(root: Path, model: ModelRef, folder: Path, fixed_batch: bool = False) -> Iterator[Form]:
    """Every form that there is, each made when it is asked for.

    Args:
        root: folder with the model's files.
        folder: where exported models go.
        fixed_batch: whether forms of any batch are of no use.

    Raises:
        ModelError: the model may not be loaded, or not even its first form can be made.
    """
    if model.format == "saved_model":
        check_model(root, model.format, model.uri)
        yield Form(root)
        makers: Makers = {"its variables saved again": _saved_again, "a batch of one": partial(_saved_again, batch=1)}
        yield from _others(makers, str(root), folder)
        return
    loaded, change = load_keras(root, model)
    yield Form(_exported(loaded, folder / "as_it_is", model), change)
    makers = {"a batch of one": partial(export, batch=1), "unrolled recurrent layers": _unrolled}
    if fixed_batch:
        makers["unrolled recurrent layers and a batch of one"] = partial(_unrolled, batch=1)
    for form in _others(makers, loaded, folder):
        yield Form(form.saved_model, ", ".join(filter(None, (change, form.change))))


def _exported(loaded: Any, target: Path, model: ModelRef) -> Path:
    try:
        export(loaded, str(target))
    except Exception as error:
        raise not_exported(error, f"model.uri {model.uri}") from error
    check_saved_model(target, f"model.uri {model.uri}")
    return target


def _others(makers: Makers, source: Any, folder: Path) -> Iterator[Form]:
    """What remains to be tried; that a model has no such form is no error of the user's."""
    for change, make in makers.items():
        target = folder / change.replace(" ", "_")
        try:
            make(source, str(target))
        except Exception:  # noqa: S112
            continue
        yield Form(target, change)


def _unrolled(model: Any, target: str, batch: int | None = None) -> None:
    if _steps(model) > MAX_UNROLLED_STEPS:
        raise ValueError("too many steps")
    config = model.get_config()
    _unroll(config)
    clone = type(model).from_config(config)
    clone.set_weights(model.get_weights())
    export(clone, target, batch)


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


def _saved_again(root: str, target: str, batch: int | None = None) -> None:
    """A SavedModel around another one, with the signatures that are converted, as they are or for a batch."""
    module = tf.Module()
    module.inner = tf.saved_model.load(root)
    signatures = {}
    for key in signatures_of(Path(root), root):
        signature = module.inner.signatures[key]
        given = signature.structured_input_signature[1]
        shapes = {name: spec.shape if batch is None else (batch, *spec.shape[1:]) for name, spec in given.items()}
        specs = {name: tf.TensorSpec(shapes[name], spec.dtype, name) for name, spec in given.items()}
        signatures[key] = _calling(signature).get_concrete_function(**specs)
    tf.saved_model.save(module, target, signatures)


def _calling(signature: Any) -> Any:
    return tf.function(lambda **features: signature(**features))
