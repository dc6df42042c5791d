"""Choosing samples: bottom-k of a keyed hash of their identities.

The choice depends on the seed and the identities alone, not on the order or place of the data; a smaller
choice is part of a larger one, and adding data changes few of the chosen (Cohen & Kaplan, "Summarizing data
using bottom-k sketches", PODC 2007).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

__all__ = ["choose", "choose_stratified"]

Array = np.ndarray[Any, np.dtype[Any]]


def choose(ids: Sequence[str], count: int | None, seed: int) -> list[int]:
    """Indices of `count` samples (all if None or too many), uniformly, in the order of their hashes."""
    ranks = _ranks(ids, seed)
    return sorted(range(len(ids)), key=ranks.__getitem__)[: len(ids) if count is None else count]


def choose_stratified(ids: Sequence[str], labels: Array | None, count: int, seed: int) -> list[int]:
    """The same, with each label in its own proportion; quotas by largest remainder."""
    order = choose(ids, None, seed)
    if labels is None or count >= len(ids):
        return order[:count]
    left = _quotas(labels, count)
    chosen = []
    for index in order:
        label = int(labels[index])
        if left[label]:
            left[label] -= 1
            chosen.append(index)
    return chosen


def _ranks(ids: Sequence[str], seed: int) -> list[bytes]:
    key = seed.to_bytes(16, "little")
    return [blake2b(name.encode(), digest_size=8, key=key).digest() for name in ids]


def _quotas(labels: Array, count: int) -> dict[int, int]:
    """How many of each label: its share of `count`, rounded down, then one more for the largest remainders."""
    values, sizes = np.unique(labels, return_counts=True)
    shares = sizes * count / len(labels)
    quotas = np.floor(shares).astype(int)
    largest = np.argsort(-(shares - quotas), kind="stable")[: count - int(quotas.sum())]
    quotas[largest] += 1
    return {int(value): int(quota) for value, quota in zip(values, quotas, strict=True)}
