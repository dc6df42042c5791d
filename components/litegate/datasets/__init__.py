"""Data sets that users bring, read without TensorFlow: one way in, one sample at a time.

A reader knows the identity and the class of every sample from an index, and reads the samples that it is
asked for, in any number, without holding more than one of them. What a sample should give is its label: a class,
or a target of any shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from litegate.datasets.images import ImageDataset
from litegate.datasets.npz import NpzDataset
from litegate.errors import DataError
from litegate.records import DataRef
from litegate.storage import Entry
from litegate.work import Work

__all__ = ["Dataset", "Label", "Sample", "open_dataset"]

Array = np.ndarray[Any, np.dtype[Any]]
Indices = Sequence[int] | Array
Label = int | Array | None
Sample = tuple[int, Mapping[str, Array], Label]


class Dataset(Protocol):
    """What every format offers; instances can be sent to other processes.

    Attributes:
        ids: identity of each sample, unique and independent of where the data lies.
        labels: integer class of each sample, or None where the labels are no classes.
        labelled: whether every sample has a label, a class or a target.
        classes: names of the classes where the format has names for them.
    """

    @property
    def ids(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def labels(self) -> Array | None: ...  # noqa: D102
    @property
    def labelled(self) -> bool: ...  # noqa: D102
    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102

    def read(self, indices: Indices) -> Iterator[Sample]:
        """Index, features and label of the samples at `indices`, in whatever order is cheap to read.

        A label is an int where it is a class, an array without the batch axis where it is a target, else None.
        """
        ...


def open_dataset(ref: DataRef, work: Work, where: str, inputs: Mapping[str, Any]) -> Dataset:
    """Index a pinned data set.

    Args:
        where: the spec key that names it, for messages.
        inputs: the signature's inputs by name; an image goes to the only one, in its number of channels.

    Raises:
        DataError: it cannot be read, or has no samples.
    """
    lines = work.path(ref.manifest).read_text().splitlines()
    entries = [Entry.model_validate_json(line) for line in lines]
    place = f"{where} {ref.uri}"
    files = {entry.name: partial(work.fetch, entry, where) for entry in entries}
    dataset: Dataset
    if ref.format == "npz":
        dataset = NpzDataset.open(files, place)
    else:
        dataset = ImageDataset.open(files, place, *_image_input(inputs, place))
    if not dataset.ids:
        raise DataError(place, "at least one sample", "none")
    return dataset


def _image_input(inputs: Mapping[str, Any], place: str) -> tuple[str, int]:
    if len(inputs) != 1:
        raise DataError(place, "format npz for a model with several inputs", f"images for {', '.join(inputs)}")
    name, tensor = next(iter(inputs.items()))
    return name, 1 if tensor.shape[-1] == 1 else 3
