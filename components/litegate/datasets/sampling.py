"""Choosing samples: bottom-k of a keyed hash of their identities.

The choice depends on the seed and the identities alone, not on the order or place of the data; a smaller
choice is part of a larger one, and adding data changes few of the chosen (Cohen & Kaplan, "Summarizing data
using bottom-k sketches", PODC 2007).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np

__all__ = ["choose", "choose_stratified", "in_random_order", "ranks_of", "ranks_of_positions"]

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
    ranked = labels[order]
    places = [np.flatnonzero(ranked == label)[:quota] for label, quota in _quotas(labels, count).items()]
    return order[np.sort(np.concatenate(places))]


def ranks_of(names: Iterable[str], size: int, seed: int) -> Array:
    """A keyed hash of each of `size` names, 64 bits."""
    key = seed.to_bytes(16, "little")
    digests = (blake2b(name.encode(), digest_size=8, key=key).digest() for name in names)
    return np.fromiter((int.from_bytes(digest) for digest in digests), np.uint64, size)


def ranks_of_positions(file: str, size: int, seed: int) -> Array:
    """The same for the positions in a file, of which there are too many to hash one by one in Python.

    The file's name begins a SplitMix64 sequence, whose elements are those of the positions (Steele, Lea & Flood, "Fast
    splittable pseudorandom number generators", OOPSLA 2014).
    """
    values: Array = ranks_of([file], 1, seed) + np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        values ^= values >> np.uint64(shift)
        values *= np.uint64(factor)
    values ^= values >> np.uint64(31)
    return values


def _in_hash_order(ids: Sequence[str], seed: int) -> Array:
    own = getattr(ids, "ranks", None)
    return np.argsort(ranks_of(ids, len(ids), seed) if own is None else own(seed), kind="stable")


def _quotas(labels: Array, count: int) -> dict[int, int]:
    """How many of each label: its share of `count`, rounded down, then one more for the largest remainders."""
    values, sizes = np.unique(labels, return_counts=True)
    shares = sizes * count / len(labels)
    quotas = np.floor(shares).astype(int)
    largest = np.argsort(-(shares - quotas), kind="stable")[: count - int(quotas.sum())]
    quotas[largest] += 1
    return {int(value): int(quota) for value, quota in zip(values, quotas, strict=True)}
