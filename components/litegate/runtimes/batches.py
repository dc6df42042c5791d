"""Samples in the batches that a model takes: any number at once, or one that is fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["batches", "fixed_batch", "in_batches"]

Array = np.ndarray[Any, np.dtype[Any]]


def fixed_batch(shapes: Iterable[Sequence[int | None]]) -> int | None:
    """How many samples a model takes at once, by the shapes of its inputs; None where any number will do.

    Args:
        shapes: None or a negative number where a dimension is free.
    """
    sizes = [shape[0] for shape in shapes if len(shape)]
    return max((size for size in sizes if size is not None and size >= 0), default=None)


def batches(features: Mapping[str, Array], size: int, fill: bool = True) -> Iterator[dict[str, Array]]:
    """Samples, `size` at a time.

    Args:
        fill: whether the last sample is repeated until the last batch is whole.
    """
    for start in range(0, len(next(iter(features.values()))), size):
        batch = {name: value[start : start + size] for name, value in features.items()}
        missing = size - len(next(iter(batch.values()))) if fill else 0
        yield {name: np.concatenate([value, value[-1:].repeat(missing, axis=0)]) for name, value in batch.items()}


def in_batches(
    run: Callable[[dict[str, Array]], dict[str, Array]], features: Mapping[str, Array], size: int, fill: bool = True
) -> dict[str, Array]:
    """What a function from batches to outputs of (batch, ...) gives for all samples, without what was filled in."""
    samples = len(next(iter(features.values())))
    found = [run(batch) for batch in batches(features, size, fill)]
    return {name: np.concatenate([each[name] for each in found])[:samples] for name in found[0]}
