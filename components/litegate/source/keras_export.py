"""A Keras model as a SavedModel for inference: `training=False` whatever layers it holds, a name for each tensor.

Keras' own `export()` leaves `training` to the layers, of which those that augment images take True if nobody says
otherwise. It frees a fixed batch, whose size may be built into the graph, and refuses outputs in nested dicts.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf
import tf_keras

from litegate.source.structures import input_name, outputs_by_name

__all__ = ["export", "inference", "input_specs"]


def export(model: Any, target: str, batch: int | None = None) -> None:
    """Write a SavedModel with one signature.

    Args:
        batch: the number of samples that it takes; None for what the model itself says, which may be any number.
    """
    archive = keras.export.ExportArchive() if isinstance(model, keras.Model) else tf_keras.export.ExportArchive()
    archive.track(model)
    run = inference(model)
    serve = tf.autograph.experimental.do_not_convert(lambda *given: run(given))
    archive.add_endpoint("serve", serve, input_specs(model, batch))
    with contextlib.redirect_stdout(io.StringIO()):  # it prints every captured variable
        archive.write_out(target)


def inference(model: Any) -> Callable[[Sequence[Any]], dict[str, Any]]:
    """The model as a function from its inputs, in the order of `input_specs`, to its outputs by name."""
    _without_seeds(model)
    _under_own_names(model)
    structure = getattr(model, "_inputs_struct", getattr(model, "_nested_inputs", None))
    names = [spec.name for spec in input_specs(model)]

    def run(given: Sequence[Any]) -> dict[str, Any]:
        if structure is None:
            return outputs_by_name(model(given[0], training=False))
        by_name = dict(zip(names, given, strict=True))
        inputs = tf.nest.map_structure(lambda tensor: by_name[input_name(tensor.name)], structure)
        return outputs_by_name(model(inputs, training=False))

    return run


def _without_seeds(model: Any) -> None:
    """Keep layers from counting their seeds on: some draw a transformation that they use in training alone.

    What they draw is then a constant that nothing uses, and the graph has no state.
    """
    for layer in model._flatten_layers() if isinstance(model, keras.Model) else ():
        for generator in getattr(layer, "_seed_generators", ()):
            generator.next = lambda ordered=True: tf.zeros(2, tf.uint32)  # noqa: ARG005 (Keras' own signature)


def _under_own_names(model: Any) -> None:
    """Have the nodes of each layer bear its name.

    Keras 3 enters a layer's scope twice, of which TensorFlow makes `dense` and `dense_1`: another layer's name.
    """
    for layer in model._flatten_layers() if isinstance(model, keras.Model) else ():
        layer._open_name_scope = partial(_own_scope, layer.name)


def _own_scope(name: str) -> Any:
    """The scope itself, inside of the one at hand: that is what the slash at its end means to TensorFlow."""
    around = tf.get_current_name_scope()
    return tf.name_scope(f"{around}/{name}/" if around else f"{name}/")


def input_specs(model: Any, batch: int | None = None) -> list[tf.TensorSpec]:
    """What the model takes, by the names of the signature.

    Args:
        batch: see `export`.
    """

    def spec(tensor: Any) -> tf.TensorSpec:
        first = tensor.shape[0] if batch is None else batch
        return tf.TensorSpec((first, *tensor.shape[1:]), tensor.dtype, input_name(tensor.name))

    return [spec(tensor) for tensor in model.inputs]
