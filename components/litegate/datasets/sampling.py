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
_LOOKED_AT = 4
"""Times as many samples as are chosen, at first, for those of each label."""


def choose(ids: Sequence[str], count: int | None, seed: int) -> Array:
    """Indices of `count` samples, uniformly, in the order of their hashes; of all, as they lie, if None or too many."""
    if count is None or count >= len(ids):
        return np.arange(len(ids))
    return _in_hash_order(ids, seed, count)


def in_random_order(ids: Sequence[str], count: int | None, seed: int, groups: Array | None = None) -> Array:
    """The same samples, always in the order of their hashes: what was seen at any time is a random sample of them.

    Args:
        groups: name of the group of each sample, UTF-8 bytes. What is then visited in random order are groups, one
            after the other, each in the random order of its samples; the last is cut where `count` is reached.
    """
    if groups is None:
        return _in_hash_order(ids, seed, count)
    order = _in_hash_order(ids, seed)
    names, group = np.unique(groups, return_inverse=True)
    place = np.empty(len(names), np.int64)
    place[_in_hash_order([name.decode() for name in names.tolist()], seed)] = np.arange(len(names))
    return order[np.argsort(place[group[order]], kind="stable")][:count]


def choose_stratified(ids: Sequence[str], labels: Array | None, count: int, seed: int) -> Array:
    """The same, in the order of their hashes, with each label in its own proportion (largest remainder)."""
    if labels is None or count >= len(ids):
        return _in_hash_order(ids, seed, count)
    ranks, quotas, first = _ranks(ids, seed), _quotas(labels, count), count
    while True:  # rare labels may begin late
        first = min(_LOOKED_AT * first, len(ids))
        order = _lowest(ranks, first)
        ranked = labels[order]
        places = np.concatenate([np.flatnonzero(ranked == label)[:quota] for label, quota in quotas.items()])
        if len(places) == count or first == len(ids):
            chosen: Array = order[np.sort(places)]
            return chosen


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


def _in_hash_order(ids: Sequence[str], seed: int, count: int | None = None) -> Array:
    """Indices of all, or of the first `count`."""
    return _lowest(_ranks(ids, seed), len(ids) if count is None else count)


def _ranks(ids: Sequence[str], seed: int) -> Array:
    own = getattr(ids, "ranks", None)
    found: Array = ranks_of(ids, len(ids), seed) if own is None else own(seed)
    return found


def _lowest(ranks: Array, count: int) -> Array:
    """Indices of the `count` lowest, in their order. Sorting a million for the sake of some takes 140 ms."""
    if not 0 < count < len(ranks):
        return np.argsort(ranks, kind="stable")[:count]
    found = np.flatnonzero(ranks <= np.partition(ranks, count - 1)[count - 1])
    return found[np.argsort(ranks[found], kind="stable")][:count]


def _quotas(labels: Array, count: int) -> dict[int, int]:
    """How many of each label: its share of `count`, rounded down, then one more for the largest remainders."""
    values, sizes = _counted(labels)
    shares = sizes * count / len(labels)
    quotas = np.floor(shares).astype(int)
    largest = np.argsort(-(shares - quotas), kind="stable")[: count - int(quotas.sum())]
    quotas[largest] += 1
    return {int(value): int(quota) for value, quota in zip(values, quotas, strict=True)}


def _counted(labels: Array) -> tuple[Array, Array]:
    """The labels that there are, ascending, and how often. Counting takes a fifth of what sorting does."""
    lowest = int(labels.min())
    if int(labels.max()) - lowest >= len(labels):
        return np.unique(labels, return_counts=True)
    counts = np.bincount(labels.astype(np.int64) - lowest)
    there = np.flatnonzero(counts)
    return there + lowest, counts[there]
