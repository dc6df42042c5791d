"""Datasets that users bring, read without TensorFlow: one way in, one sample at a time.

A reader knows the identity and the class of every sample from an index, and reads the samples that it is
asked for, in any number, without holding more than one of them. What a sample should give is its label: a class,
or a target of any shape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from litegate.datasets.fields import Wanted
from litegate.datasets.groups import check_slices
from litegate.datasets.images import ImageDataset
from litegate.datasets.joined import open_npz
from litegate.datasets.npz import NpyDataset
from litegate.datasets.pinned import PinnedFile
from litegate.datasets.shards import OpenShard, ShardedDataset, open_shards, open_sparsely
from litegate.errors import DataError
from litegate.records import DataRef
from litegate.storage.manifests import Entry, entries_of
from litegate.work.step_work import Work

__all__ = [
    "Dataset",
    "Files",
    "InBlocks",
    "Label",
    "Sample",
    "data_files",
    "image_input",
    "in_reading_order",
    "longest_label",
    "open_dataset",
    "pinned_files",
    "shard_format",
    "size_of",
]

Array = np.ndarray[Any, np.dtype[Any]]
Indices = Sequence[int] | Array
Files = Mapping[str, Callable[[], Path]]
Label = int | Array | None
Sample = tuple[int, Mapping[str, Array], Label]


class Dataset(Protocol):
    """What every format offers; instances can be sent to other processes.

    Attributes:
        ids: identity of each sample, unique and independent of where the data lies.
        labels: integer class of each sample, or None where the labels are no classes.
        labelled: whether every sample has a label, a class or a target.
        classes: names of the classes where the format has names for them.
        groups: name of what each sample belongs to, UTF-8 bytes; None where the spec names no such field.
        slices: value of each sample, UTF-8 bytes, in each field that the spec names as slices.
    """

    @property
    def ids(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def labels(self) -> Array | None: ...  # noqa: D102
    @property
    def labelled(self) -> bool: ...  # noqa: D102
    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def groups(self) -> Array | None: ...  # noqa: D102
    @property
    def slices(self) -> Mapping[str, Array]: ...  # noqa: D102

    def read(self, indices: Indices) -> Iterator[Sample]:
        """Index, features and label of the samples at `indices`, in whatever order is cheap to read.

        A label is an int where it is a class, an array without the batch axis where it is a target, else None.
        """
        ...


@runtime_checkable
class InBlocks(Protocol):
    """What a format offers that reads many samples as fast as one."""

    def blocks(self, indices: Indices, size: int) -> Iterator[tuple[Array, Mapping[str, Array], Array | None]]:
        """Samples in ascending order, `size` at a time: indices, features and labels, with the batch axis."""
        ...


def open_dataset(ref: DataRef, work: Work, where: str, inputs: Mapping[str, Any], *, sparse: bool = False) -> Dataset:
    """Index a pinned dataset.

    Args:
        sparse: few of the samples are going to be read; where the format lets it, nothing else is fetched. The labels
            of TFRecord files with an index beside them are then not known before a sample is read.
        where: the spec key that names it, for messages.
        inputs: the signature's inputs by name, and those of other signatures as `<signature>/<name>`; an image
            goes to the only one, in its number of channels.

    Raises:
        DataError: it cannot be read, has no samples, or a field of slices has too many values.
    """
    place = f"{where} {ref.uri}"
    files = pinned_files(ref, work, where)
    wanted = Wanted(ref.label, ref.features, ref.group, ref.slices, ref.besides)
    dataset: Dataset
    if ref.format == "images":
        dataset = ImageDataset.open(files, place, *image_input(inputs, place), ref.group, ref.classes, ref.slices)
    elif ref.format == "npz":
        dataset = open_npz(files, place, wanted, inputs, sparse=sparse)
    elif ref.format == "npy":
        dataset = NpyDataset.open(files, place, wanted, inputs)
    else:
        dataset = _open_records(ref.format, wanted, files, place, inputs, sparse)
    if not dataset.ids:
        raise DataError(place, "at least one sample", "none")
    check_slices(dataset.slices, place)
    return dataset


def _open_records(
    form: str, wanted: Wanted, files: Files, place: str, inputs: Mapping[str, Any], sparse: bool
) -> Dataset:
    suffixes, open_shard = shard_format(form)
    indexes = {}
    if form == "tfrecord":
        from litegate.datasets.tfrecord_index import SUFFIXES, index_of, open_indexed

        indexes = {name: fetch for name, fetch in files.items() if name.endswith(SUFFIXES)}
        files = {name: fetch for name, fetch in files.items() if name not in indexes} or files
    data = data_files(files, suffixes)
    named = wanted.group is not None or wanted.slices
    if indexes and sparse and not named and all(index_of(name, indexes) for name in data):
        return open_sparsely(open_indexed(data, indexes, place), inputs, wanted, place)
    return open_shards(data, open_shard, inputs, wanted, place)


def in_reading_order(dataset: Dataset, indices: Array | range) -> Array | range:
    """Samples in the order in which `read` gives them, whatever of them it is asked for at once."""
    ascending = indices if isinstance(indices, range) else np.sort(indices)
    return dataset.in_reading_order(np.asarray(ascending)) if isinstance(dataset, ImageDataset) else ascending


def longest_label(dataset: Dataset) -> tuple[int, ...] | None:
    """Shape of the longest target, where targets are lists of several lengths."""
    return dataset.longest if isinstance(dataset, ShardedDataset) else None


def pinned_files(ref: DataRef, work: Work, where: str) -> Files:
    """What fetches each file of a pinned dataset, by name."""
    return {entry.name: PinnedFile(work, entry, where) for entry in _entries(ref, work)}


def size_of(ref: DataRef, work: Work) -> int:
    """Bytes of all files of a pinned dataset."""
    return sum(entry.size for entry in _entries(ref, work))


def _entries(ref: DataRef, work: Work) -> list[Entry]:
    return entries_of(work.path(ref.manifest))


def shard_format(form: str) -> tuple[str, OpenShard]:
    """What the names of a format's files have in them, and what indexes one; imported where it is needed."""
    if form == "tfrecord":
        from litegate.datasets.tfrecord import TFRecordShard

        return r"\.tfrec(ord)?s?\b", TFRecordShard.open
    if form == "parquet":
        from litegate.datasets.parquet import ParquetShard

        return r"\.(parquet|pq)$", ParquetShard.open
    if form == "webdataset":
        from litegate.datasets.webdataset import WebDatasetShard

        return r"\.tar$", WebDatasetShard.open
    from litegate.datasets.delimited import DelimitedShard

    return r"\.(csv|tsv)$", DelimitedShard.open


def data_files(files: Files, suffixes: str) -> Files:
    """The files of a format, where others lie beside them; all, where none has its suffix."""
    visible = {name: fetch for name, fetch in files.items() if not name.rpartition("/")[2].startswith((".", "_"))}
    return {name: fetch for name, fetch in visible.items() if re.search(suffixes, name)} or visible or files


def image_input(inputs: Mapping[str, Any], place: str) -> tuple[str, int]:
    """Name and channels of the only input, which takes the images."""
    own = {name: tensor for name, tensor in inputs.items() if "/" not in name}
    if len(own) != 1:
        raise DataError(place, "another format for a model with several inputs", f"images for {', '.join(own)}")
    name, tensor = next(iter(own.items()))
    return name, 1 if tensor.shape[-1] == 1 else 3
