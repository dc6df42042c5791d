"""Datasets of records in one or many files: indexed once, then read by position without holding them.

A format brings a `Shard`; identities, classes, targets and the choice of fields are the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any, Protocol, overload

import numpy as np

from litegate.datasets.fields import Fields, Raw, Wanted, choose_fields
from litegate.datasets.groups import GroupIndex
from litegate.errors import DataError

__all__ = ["LabelIndex", "RecordIndex", "Shard", "ShardedDataset", "open_shards"]

Array = np.ndarray[Any, np.dtype[Any]]


class Shard(Protocol):
    """One indexed file.

    Attributes:
        fields: names of the fields of its first record.
        numbers: those that hold a single number in every record, if the format says so.
    """

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
    """Collects the labels of all records in their order: classes are kept, of targets only that there are some."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._classes: list[Array] = []
        self._kind: str | None = None

    def add(self, value: Raw | None, place: str) -> None:
        """The label of one record, None where it has none."""
        if value is None:
            self._is("none", place)
        elif isinstance(value, bytes) or value.size != 1 or value.dtype.kind not in "biu":
            self._is("target", place)
        else:
            self.extend(value.reshape(1), place)

    def extend(self, classes: Array, place: str) -> None:
        """The classes of many records."""
        self._is("class", place)
        self._classes.append(classes.astype(np.int64))

    def targets(self, place: str) -> None:
        """Many records have targets."""
        self._is("target", place)

    @property
    def labelled(self) -> bool:
        """Whether every record has a label."""
        return self._kind in ("class", "target")

    @property
    def classes(self) -> Array | None:
        """The class of every record, int64; None where labels are no classes."""
        return np.concatenate(self._classes) if self._kind == "class" else None

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


@dataclass(frozen=True)
class _Identities(Sequence[str]):
    """The shard's name and the record's, made when asked for; one shard alone needs no name."""

    names: tuple[str, ...]
    shards: tuple[Shard, ...]
    starts: Array

    def __len__(self) -> int:
        return int(self.starts[-1])

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
    """Indexed records; see `litegate.datasets.Dataset`."""

    chosen: Fields
    shards: tuple[Shard, ...]
    starts: Array
    ids: Sequence[str]
    labels: Array | None
    labelled: bool
    groups: Array | None = None
    classes: tuple[str, ...] = ()

    def read(self, indices: Sequence[int] | Array) -> Iterator[tuple[int, Mapping[str, Array], int | Array | None]]:
        """Samples in ascending order, without the batch axis."""
        wanted = np.sort(np.asarray(indices, np.int64))
        target = self.chosen.label if self.labelled and self.labels is None else None
        names = (*self.chosen.names, target) if target else self.chosen.names
        for shard, start, end in zip(self.shards, self.starts[:-1], self.starts[1:], strict=True):
            here = wanted[(wanted >= start) & (wanted < end)]
            for index, record in zip(here.tolist(), shard.read(here - start, names), strict=True):
                place = f"sample {self.ids[index]}"
                features = self.chosen.features(record, place)
                label = None if self.labels is None else int(self.labels[index])
                yield index, features, label if target is None else self.chosen.target(record.get(target), place)


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
    index = RecordIndex(LabelIndex(wanted.label), GroupIndex(wanted.group))
    shards = {name: open_shard(fetch, f"{where}: {name}", index) for name, fetch in sorted(files.items())}
    shards = {name: shard for name, shard in shards.items() if len(shard)}
    if not shards:
        raise DataError(where, "at least one sample", f"{len(files)} empty files")
    first = next(iter(shards.values()))
    chosen = choose_fields(first.fields, inputs, wanted, where, first.numbers)
    for name, shard in shards.items():
        missing = sorted(set(chosen.names) - set(shard.fields))
        if missing:
            raise DataError(
                f"{where}: {name}", f"the fields {', '.join(chosen.names)}", f"none of {', '.join(missing)}"
            )
    starts = np.array([0, *accumulate(map(len, shards.values()))], np.int64)
    ids = _Identities(tuple(shards), tuple(shards.values()), starts)
    labels, groups = index.labels, index.groups.groups
    return ShardedDataset(chosen, tuple(shards.values()), starts, ids, labels.classes, labels.labelled, groups)
