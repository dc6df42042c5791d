"""Names for what a Keras model takes and gives, in whatever structure: a SavedModel's signature has names alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["input_name", "natural", "outputs_by_name"]


def input_name(tensor: str) -> str:
    """The name of an input in the signature, from that of Keras' tensor."""
    return re.sub(r"[^A-Za-z0-9_.\\/>-]", "_", tensor.partition(":")[0])


def outputs_by_name(outputs: Any) -> dict[str, Any]:
    """Outputs by their names in the signature.

    Those of a dict go by their keys. Others are numbered, as Keras and TensorFlow do it: `output_0`, `output_1`, ...
    in the order of the list, and lists in it. Below a key names are joined: `{"boxes": [a, b]}` has `boxes_0` and
    `boxes_1`.

    Args:
        outputs: a tensor, or lists, tuples and dicts of them at any depth.

    Raises:
        ValueError: two of them would have the same name.
    """
    leaves = [(path, leaf) for path, leaf in _leaves(outputs, ()) if leaf is not None]
    if not any(isinstance(part, str) for path, _ in leaves for part in path):
        return {f"output_{number}": leaf for number, (_, leaf) in enumerate(leaves)}
    names = ["_".join(map(str, path if isinstance(path[0], str) else ("output", *path))) for path, _ in leaves]
    if len(set(names)) != len(names):
        raise ValueError(f"two outputs would have the same name, of {', '.join(names)}")
    return {name: leaf for name, (_, leaf) in zip(names, leaves, strict=True)}


def natural(name: str) -> list[Any]:
    """A key that sorts `output_2` before `output_10`."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from _leaves(value[key], (*path, str(key)))
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _leaves(item, (*path, number))
    else:
        yield path, value
