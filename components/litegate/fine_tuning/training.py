"""The user's training, on a model with fake quantization in it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from litegate.errors import BadInput
from litegate.fine_tuning.rounding import Rounded
from litegate.runtimes.batches import batches, fixed_batch
from litegate.source.structures import input_name

__all__ = ["find_ranges", "not_finite", "train"]

Array = np.ndarray[Any, np.dtype[Any]]

_ROWS = 32
"""Samples at once where a model takes any number of them."""


def find_ranges(model: Any, features: Mapping[str, Array]) -> None:
    """Set all ranges to what samples give, so that training begins with nothing clipped.

    Args:
        model: one with fake quantization.
        features: samples by input name, of shape (samples, ...).
    """
    ranges = [layer for layer in model._flatten_layers() if isinstance(layer, Rounded)]
    for each in ranges:
        each.observes = True
    for batch in _batches(model, features):
        model(batch, training=False)
    for each in ranges:
        each.observes = False


def train(
    function: Callable[..., Any], model: Any, folder: Path, arguments: Mapping[str, Any], seed: int, where: str
) -> None:
    """Call the user's `function(model, folder, **arguments)`, with all that draws numbers seeded.

    Equal inputs then give equal weights on hosts of the same processor and number of cores: sums in another order, as
    other kernels or more threads make them, come to other weights.

    Args:
        where: the function's reference, for messages.

    Raises:
        BadInput: it does not take these arguments.
    """
    try:
        inspect.signature(function).bind(model, folder, **arguments)
    except TypeError as error:
        given = ", ".join(("a model", "a folder", *arguments))
        raise BadInput(f"{where}, called with {given}", "the arguments that it takes", str(error)) from None
    keras.utils.set_random_seed(seed % (1 << 32))
    tf.config.experimental.enable_op_determinism()
    function(model, folder, **arguments)


def not_finite(model: Any) -> str:
    """The first variable with a value that is not a number or not finite; empty if all are."""
    found = (variable.path for variable in model.weights if not np.isfinite(np.asarray(variable)).all())
    return next(found, "")


def _batches(model: Any, features: Mapping[str, Array]) -> Iterator[Any]:
    """Samples in the structure and the number that the model takes."""
    size = fixed_batch([tuple(tensor.shape) for tensor in model.inputs])
    for batch in batches(features, size or _ROWS, fill=size is not None):
        yield keras.tree.map_structure(lambda tensor, batch=batch: _named(batch, tensor), model._inputs_struct)


def _named(features: Mapping[str, Array], tensor: Any) -> Any:
    value = features[input_name(tensor.name)] if len(features) > 1 else next(iter(features.values()))
    return tf.constant(value, tensor.dtype)
