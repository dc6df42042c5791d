"""Datasets of records in one or many files: indexed once, then read by position without holding them.

A format brings a `Shard`; identities, classes, targets and the choice of fields are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol, overload

import numpy as np

from litegate.datasets.fields import Fields, Raw, Wanted, choose_fields
from litegate.datasets.groups import GroupIndex
from litegate.datasets.pinned import want_together
from litegate.datasets.sampling import ranks_of, ranks_of_positions
from litegate.errors import DataError

__all__ = [
    "Identities",
    "LabelIndex",
    "RecordIndex",
    "Shard",
    "ShardedDataset",
    "open_shards",
    "open_sparsely",
    "prefetch",
]

Array = np.ndarray[Any, np.dtype[Any]]


class Shard(Protocol):
    """One indexed file.

    Attributes:
        fields: names of the fields of its first record.
        numbers: those that hold a single number in every record, if the format says so.
        positional: whether a record is called by its position alone.
    """

    @property
    def positional(self) -> bool: ...  # noqa: D102

    @property
    def fields(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def numbers(self) -> Sequence[str]: ...  # noqa: D102
    def __len__(self) -> int: ...

    def identity(self, position: int) -> str:
        """What the record is called within its file."""
        ...

    def read(self, positions: Array, names: Collection[str]) -> Iterator[Mapping[str, Raw]]:
        """Fields of the records at `positions`, which ascend; at least those of `names` that they have."""
        ...


OpenShard = Callable[[Callable[[], Path], str, "RecordIndex"], Shard]
"""Indexes the file that the function fetches; the text names it in messages."""


class LabelIndex:
    """Collects the labels of all records in their order: classes are kept, of targets only their shapes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._classes: list[Array] = []
        self._kind: str | None = None
        self._shapes: set[tuple[int, ...]] = set()

    def add(self, value: Raw | None, place: str) -> None:
        """The label of one record, None where it has none."""
        if value is None:
            self._is("none", place)
        elif isinstance(value, bytes) or value.size != 1 or value.dtype.kind not in "biu":
            self.targets(place, () if isinstance(value, bytes) else value.shape)
        else:
            self.extend(value.reshape(1), place)

    def extend(self, classes: Array, place: str) -> None:
        """The classes of many records."""
        self._is("class", place)
        self._classes.append(classes.astype(np.int64))

    def targets(self, place: str, *shapes: tuple[int, ...]) -> None:
        """Many records have targets, of these shapes."""
        self._is("target", place)
        self._shapes.update(shapes)

    @property
    def labelled(self) -> bool:
        """Whether every record has a label."""
        return self._kind in ("class", "target")

    @property
    def classes(self) -> Array | None:
        """The class of every record, int64; None where labels are no classes."""
        return np.concatenate(self._classes) if self._kind == "class" else None

    @property
    def longest(self) -> tuple[int, ...] | None:
        """The shape of the longest list, where targets are lists of several lengths and alike in all else."""
        filled = {shape for shape in self._shapes if shape and shape[0]}
        alike = len({shape[1:] for shape in filled}) == 1
        return max(filled) if alike and len(self._shapes) > 1 and () not in self._shapes else None

    def _is(self, kind: str, place: str) -> None:
        self._kind = self._kind or kind
        if kind != self._kind:
            words = {"none": "no label", "class": "an integer as label", "target": "a label that is no integer"}
            raise DataError(place, f"{words[self._kind]} in {self.name!r}, as in the records before", words[kind])


@dataclass(frozen=True)
class RecordIndex:
    """What is collected of all records while they are indexed."""

    labels: LabelIndex
    groups: GroupIndex = field(default_factory=GroupIndex)
    slices: tuple[GroupIndex, ...] = ()

    @property
    def named(self) -> dict[str, GroupIndex]:
        """Those of fields that the spec names, by their names, the labels apart."""
        return {each.name: each for each in (self.groups, *self.slices) if each.name is not None}


class Named(Protocol):
    """What knows the names of its samples.

    Attributes:
        positional: whether a name is nothing but the position.
    """

    @property
    def positional(self) -> bool: ...

    def identity(self, position: int) -> str:
        """What the sample at a position is called."""
        ...


@dataclass(frozen=True)
class Identities(Sequence[str]):
    """The shard's name and the record's, made when asked for; one shard alone needs no name."""

    names: tuple[str, ...]
    shards: tuple[Named, ...]
    starts: Array

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __iter__(self) -> Iterator[str]:
        """All of them, a shard after the other: looking each up by itself takes ten times as long."""
        sizes = np.diff(self.starts).tolist()
        for name, shard, size in zip(self.names, self.shards, sizes, strict=True):
            prefix, identity = "" if len(self.shards) == 1 else f"{name}:", shard.identity
            yield from (prefix + identity(position) for position in range(size))

    def ranks(self, seed: int) -> Array:
        """The keyed hash of each, by which samples are chosen."""
        if len(self.shards) == 1 or not all(shard.positional for shard in self.shards):
            return ranks_of(self, len(self), seed)
        sizes = np.diff(self.starts).tolist()
        return np.concatenate([ranks_of_positions(*each, seed) for each in zip(self.names, sizes, strict=True)])

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        at = int(np.searchsorted(self.starts, index, "right")) - 1
        identity = self.shards[at].identity(index - int(self.starts[at]))
        return identity if len(self.shards) == 1 else f"{self.names[at]}:{identity}"


@dataclass(frozen=True)
class ShardedDataset:
    """Indexed records; see `litegate.datasets.Dataset`.

    Attributes:
        unknown: whether no label is known before its record is read: a class or a target, as each record has it.
        longest: shape of the longest target, where they are lists of several lengths.
    """

    chosen: Fields
    shards: tuple[Shard, ...]
    starts: Array
    ids: Sequence[str]
    labels: Array | None
    labelled: bool
    groups: Array | None = None
    slices: Mapping[str, Array] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    unknown: bool = False
    longest: tuple[int, ...] | None = None

    def read(self, indices: Sequence[int] | Array) -> Iterator[tuple[int, Mapping[str, Array], int | Array | None]]:
        """Samples in ascending order, without the batch axis."""
        wanted = np.sort(np.asarray(indices, np.int64))
        target = self.chosen.label if self.labelled and self.labels is None else None
        names = (*self.chosen.names, target) if target else self.chosen.names
        spans = zip(self.shards, self.starts[:-1], self.starts[1:], strict=True)
        found = ((shard, start, wanted[(wanted >= start) & (wanted < end)]) for shard, start, end in spans)
        pieces = [piece for piece in found if len(piece[2])]
        prefetch((shard, here - start) for shard, start, here in pieces)
        for shard, start, here in pieces:
            for index, record in zip(here.tolist(), shard.read(here - start, names), strict=True):
                place = f"sample {self.ids[index]}"
                features = self.chosen.features(record, place)
                label = None if self.labels is None else int(self.labels[index])
                yield index, features, label if target is None else self._label(record.get(target), place)

    def _label(self, value: Raw | None, place: str) -> int | Array:
        single = self.unknown and isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "biu"
        return int(value.item()) if single and isinstance(value, np.ndarray) else self.chosen.target(value, place)


def open_shards(
    files: Mapping[str, Callable[[], Path]],
    open_shard: OpenShard,
    inputs: Mapping[str, Any],
    wanted: Wanted,
    where: str,
) -> ShardedDataset:
    """Index the files of a dataset, in the order of their names.

    Raises:
        DataError: one is damaged, or the records do not belong together.
    """
    by_slice = tuple(GroupIndex(name, "slices") for name in wanted.slices)
    index = RecordIndex(LabelIndex(wanted.label), GroupIndex(wanted.group), by_slice)
    shards = {name: open_shard(fetch, f"{where}: {name}", index) for name, fetch in sorted(files.items())}
    shards = {name: shard for name, shard in shards.items() if len(shard)}
    if not shards:
        raise DataError(where, "at least one sample", f"{len(files)} empty files")
    labels = index.labels
    known = {
        "labels": labels.classes,
        "labelled": labels.labelled,
        "longest": labels.longest,
        "groups": index.groups.groups,
    }
    slices = {str(each.name): each.groups for each in by_slice}
    return _together(shards, inputs, wanted, where, **known, slices=slices)


def open_sparsely(shards: Mapping[str, Shard], inputs: Mapping[str, Any], wanted: Wanted, where: str) -> ShardedDataset:
    """Files that are indexed already, few records of which are going to be read; only the first knows its fields.

    Raises:
        DataError: there is no record, or it does not fit the inputs.
    """
    held = {name: shard for name, shard in sorted(shards.items()) if len(shard)}
    if not held:
        raise DataError(where, "at least one sample", f"{len(shards)} empty files")
    labelled = wanted.label in next(iter(held.values())).fields
    return _together(held, inputs, wanted, where, labels=None, labelled=labelled, groups=None, unknown=True)


def prefetch(pieces: Iterable[tuple[Any, Array]]) -> None:
    """Fetch what of each file is going to be read, all together, where only parts of it are fetched."""
    want_together(each.wanted(positions) for each, positions in pieces if hasattr(each, "wanted"))


def _together(
    shards: Mapping[str, Shard], inputs: Mapping[str, Any], wanted: Wanted, where: str, **known: Any
) -> ShardedDataset:
    first = next(iter(shards.values()))
    chosen = choose_fields(first.fields, inputs, wanted, where, first.numbers)
    for name, shard in shards.items():
        missing = sorted(set(chosen.names) - set(shard.fields)) if shard.fields else []
        if missing:
            raise DataError(
                f"{where}: {name}", f"the fields {', '.join(chosen.names)}", f"none of {', '.join(missing)}"
            )
    starts = np.array([0, *accumulate(map(len, shards.values()))], np.int64)
    ids = Identities(tuple(shards), tuple(shards.values()), starts)
    return ShardedDataset(chosen, tuple(shards.values()), starts, ids, **known)
