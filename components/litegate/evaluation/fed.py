"""A digest of what each sample fed to the files, by which outcomes of different evaluations are paired.

The name of a sample says where it came from, not what became of it: `preprocess` may have read another file the next
time. XXH3 is fast enough to cost next to nothing beside the inference. It is no cryptographic hash, and need not be:
the process that computes it is the one that measures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xxhash

__all__ = ["answer_digests", "fed_digests"]

Array = np.ndarray[Any, np.dtype[Any]]


def fed_digests(features: Mapping[str, Array], labels: Array) -> Array:
    """A digest of each sample's inputs, after `preprocess`, and its label.

    Args:
        features: by input name, (n, ...).
        labels: (n,) classes or (n, ...) targets.

    Returns:
        (n,) bytes of length 16: XXH3, 128 bits, of names, types, shapes and values.
    """
    columns = [np.ascontiguousarray(features[name]) for name in sorted(features)]
    columns.append(np.ascontiguousarray(labels, np.float64))  # 1 is 1.0: the type follows from the rest of the batch
    return _digests(_names(features), columns)


def answer_digests(outputs: Mapping[str, Array]) -> Array:
    """The same of what a file gave for each sample: two runtimes give the same digest where they agree in every bit.

    Args:
        outputs: real values by output name, (n, ...).
    """
    names = sorted(outputs)
    return _digests([(name,) for name in names], [np.ascontiguousarray(outputs[name]) for name in names])


def _digests(names: Sequence[tuple[str, ...]], columns: Sequence[Array]) -> Array:
    layout = [(*each, column.dtype.str, column.shape[1:]) for each, column in zip(names, columns, strict=True)]
    seed = xxhash.xxh3_64_intdigest(repr(layout))
    rows = [column.reshape(len(column), -1).view(np.uint8) for column in columns]
    return np.array([_digest(seed, sample) for sample in zip(*rows, strict=True)], "S16")


def _names(features: Mapping[str, Array]) -> list[tuple[str, ...]]:
    """What each column is; a single input cannot be swapped, and Keras names it otherwise in every training."""
    inputs = [("input", name) for name in sorted(features)] if len(features) > 1 else [("input",)]
    return [*inputs, ("label",)]


def _digest(seed: int, parts: tuple[Array, ...]) -> bytes:
    digest = xxhash.xxh3_128(seed=seed)
    for part in parts:
        digest.update(part.data)
    return digest.digest()
