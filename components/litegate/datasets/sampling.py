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

__all__ = ["choose", "choose_stratified", "in_random_order"]

Array = np.ndarray[Any, np.dtype[Any]]


def choose(ids: Sequence[str], count: int | None, seed: int) -> Array:
    """Indices of `count` samples, uniformly, in the order of their hashes; of all, as they lie, if None or too many."""
    if count is None or count >= len(ids):
        return np.arange(len(ids))
    return _in_hash_order(ids, seed)[:count]


def in_random_order(ids: Sequence[str], count: int | None, seed: int, groups: Array | None = None) -> Array:
    """The same samples, always in the order of their hashes: what was seen at any time is a random sample of them.

    Args:
        groups: name of the group of each sample, UTF-8 bytes. What is then visited in random order are groups, one
            after the other, each in the random order of its samples; the last is cut where `count` is reached.
    """
    order = _in_hash_order(ids, seed)
    if groups is None:
        return order[:count]
    names, group = np.unique(groups, return_inverse=True)
    place = np.empty(len(names), np.int64)
    place[_in_hash_order([name.decode() for name in names.tolist()], seed)] = np.arange(len(names))
    return order[np.argsort(place[group[order]], kind="stable")][:count]


def choose_stratified(ids: Sequence[str], labels: Array | None, count: int, seed: int) -> Array:
    """The same, in the order of their hashes, with each label in its own proportion (largest remainder)."""
    order = _in_hash_order(ids, seed)
    if labels is None or count >= len(ids):
        return order[:count]
    quotas = _quotas(labels, count)
    chosen = np.zeros(len(ids), bool)
    for label, quota in quotas.items():
        chosen[order[labels[order] == label][:quota]] = True
    return order[chosen[order]]


def _in_hash_order(ids: Sequence[str], seed: int) -> Array:
    key = seed.to_bytes(16, "little")
    digests = (blake2b(name.encode(), digest_size=8, key=key).digest() for name in ids)
    ranks = np.fromiter((int.from_bytes(digest) for digest in digests), np.uint64, len(ids))
    return np.argsort(ranks, kind="stable")


def _quotas(labels: Array, count: int) -> dict[int, int]:
    """How many of each label: its share of `count`, rounded down, then one more for the largest remainders."""
    values, sizes = np.unique(labels, return_counts=True)
    shares = sizes * count / len(labels)
    quotas = np.floor(shares).astype(int)
    largest = np.argsort(-(shares - quotas), kind="stable")[: count - int(quotas.sum())]
    quotas[largest] += 1
    return {int(value): int(quota) for value, quota in zip(values, quotas, strict=True)}
