"""Several files of arrays as one dataset, in the order of their names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from litegate.datasets.fields import Wanted
from litegate.datasets.npz import NpzDataset
from litegate.datasets.npz_spans import SpanNpz
from litegate.datasets.pinned import PinnedFile, at_once
from litegate.datasets.shards import Identities, prefetch
from litegate.errors import DataError

__all__ = ["JoinedArrays", "open_npz"]

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class JoinedArrays:
    """Indexed files of arrays; see `litegate.datasets.Dataset`."""

    parts: tuple[NpzDataset, ...]
    starts: Array
    ids: Sequence[str]
    labels: Array | None
    groups: Array | None
    slices: Mapping[str, Array]
    classes: tuple[str, ...] = ()

    @classmethod
    def of(cls, parts: Mapping[str, NpzDataset], where: str) -> JoinedArrays:
        """Join files.

        Raises:
            DataError: they do not hold the same arrays.
        """
        name, first = next(iter(parts.items()))
        for other, part in parts.items():
            if _kind(part) != _kind(first):
                raise DataError(f"{where}: {other}", f"the arrays of {name}: {_kind(first)}", _kind(part))
        starts = np.array([0, *accumulate(len(part.ids) for part in parts.values())], np.int64)
        held = tuple(parts.values())
        labels, groups = _concatenated([each.labels for each in held]), _concatenated([each.groups for each in held])
        slices = {field: np.concatenate([each.slices[field] for each in held]) for field in first.slices}
        return cls(held, starts, Identities(tuple(parts), held, starts), labels, groups, slices)

    @property
    def labelled(self) -> bool:
        """Whether every sample has a label."""
        return self.parts[0].labelled

    def read(self, indices: Sequence[int] | Array) -> Iterator[tuple[int, Mapping[str, Array], int | Array | None]]:
        """Samples in ascending order, without the batch axis."""
        wanted = np.sort(np.asarray(indices, np.int64))
        pieces = []
        for part, start, end in zip(self.parts, self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            here = wanted[(wanted >= start) & (wanted < end)] - start
            if len(here):
                pieces.append((part, start, here))
        prefetch((part, here) for part, _, here in pieces)
        for part, start, here in pieces:
            for index, features, label in part.read(here):
                yield start + index, features, label


def open_npz(
    files: Mapping[str, Callable[[], Any]], where: str, wanted: Wanted, inputs: Collection[str], *, sparse: bool
) -> NpzDataset | JoinedArrays:
    """Index one npz file, or many.

    Args:
        sparse: few of the samples are going to be read.

    Raises:
        DataError: one is no npz file, or their arrays do not belong together.
    """
    found = {name: fetch for name, fetch in sorted(files.items()) if name.endswith(".npz")}
    if len(files) == 1 or not found:
        found = dict(files)

    def open_one(item: tuple[str, Callable[[], Any]]) -> NpzDataset:
        return NpzDataset.open({"": item[1]}, item[0], wanted, inputs)

    places = {where if len(found) == 1 else f"{where}: {name}": fetch for name, fetch in found.items()}
    pinned = {place: fetch for place, fetch in places.items() if isinstance(fetch, PinnedFile)}
    if sparse and len(pinned) == len(places):
        parts = list(SpanNpz.open_together(pinned, wanted, inputs))
    else:
        parts = list(at_once(open_one, places.items()))
    return parts[0] if len(parts) == 1 else JoinedArrays.of(dict(zip(found, parts, strict=True)), where)


def _concatenated(arrays: Sequence[Array | None]) -> Array | None:
    held = [each for each in arrays if each is not None]
    return np.concatenate(held) if held else None


def _kind(part: NpzDataset) -> str:
    """What the arrays of a file are, but for the number of their samples."""
    arrays = {name: f"{header.dtype} {header.shape[1:]}" for name, header in sorted(part.headers.items())}
    labels = "classes" if part.labels is not None else "targets" if part.labelled else "no labels"
    return f"{arrays}, {labels}"
