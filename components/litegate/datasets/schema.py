"""What a dataset holds, found without knowing which of its fields are what."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from litegate.datasets import Files, data_files, image_input, pinned_files, shard_format
from litegate.datasets.fields import Raw, Wanted
from litegate.datasets.images import ImageDataset
from litegate.datasets.npz import NpyDataset, NpzDataset
from litegate.datasets.pictures import decode_image
from litegate.datasets.shards import LabelIndex, RecordIndex, Shard
from litegate.errors import DataError
from litegate.records import DataField, DataRef, InferredSchema
from litegate.work.step_work import Work

__all__ = ["infer_schema"]

Array = np.ndarray[Any, np.dtype[Any]]
_LOOKED_AT, _LARGEST = 256, 1024
"""So many samples are looked at, and of each so many numbers at most."""
_EXACT = 2.0**53
"""Below it every whole number is a float64."""
_NO_LABEL = ""
"""No field has this name: whatever is there counts as a field."""


def infer_schema(ref: DataRef, work: Work, where: str, inputs: Mapping[str, Any]) -> InferredSchema:
    """Count the samples, and look at the first.

    Args:
        where, inputs: as for `open_dataset`.

    Raises:
        DataError: it cannot be read, or has no samples.
    """
    place = f"{where} {ref.uri}"
    files = pinned_files(ref, work, where)
    if ref.format == "images":
        return _images(files, place, inputs)
    if ref.format in ("npz", "npy"):
        arrays = (NpzDataset if ref.format == "npz" else NpyDataset).open(files, place, Wanted(_NO_LABEL))
        fields = {name: _of_array(arrays, name) for name in arrays.headers}
        return InferredSchema(samples=len(arrays.ids), fields=fields)
    return _records(files, ref.format, place)


def _of_array(arrays: NpzDataset | NpyDataset, name: str) -> DataField:
    """An array, with the range of its whole numbers as far as they are looked at."""
    header = arrays.headers[name]
    looked = header.dtype.kind in "biuf" and math.prod(header.shape[1:]) <= _LARGEST
    some = arrays.some(name, _spread(header.shape[0])) if looked else None
    return _field_of(header.dtype.name, header.shape[1:], some)


def _spread(samples: int) -> Array:
    """Samples from everywhere, in ascending order."""
    return np.unique(np.linspace(0, samples - 1, min(samples, _LOOKED_AT)).astype(np.int64))


def _field_of(dtype: str, shape: tuple[int, ...], some: Array | None) -> DataField:
    if some is None or not some.size or not _are_whole(some):
        return DataField(dtype=dtype, shape=shape)
    return DataField(dtype=dtype, shape=shape, low=int(some.min()), high=int(some.max()))


def _are_whole(values: Array) -> bool:
    if values.dtype.kind != "f":
        return values.dtype.kind in "biu"
    return bool(np.all(np.abs(values) < _EXACT) and np.array_equal(values, np.floor(values)))


def _images(files: Files, place: str, inputs: Mapping[str, Any]) -> InferredSchema:
    images = ImageDataset.open(files, place, *image_input(inputs, place))
    _, features, _ = next(iter(images.read([0])))
    fields = {name: DataField(dtype="image", shape=image.shape) for name, image in features.items()}
    return InferredSchema(samples=len(images.ids), fields=fields, classes=images.classes)


def _records(files: Mapping[str, Callable[[], Path]], form: str, place: str) -> InferredSchema:
    suffixes, open_shard = shard_format(form)
    named = data_files(files, suffixes)
    index = RecordIndex(LabelIndex(_NO_LABEL))
    shards = [open_shard(fetch, f"{place}: {name}", index) for name, fetch in sorted(named.items())]
    filled = [shard for shard in shards if len(shard)]
    if not filled:
        raise DataError(place, "at least one sample", f"{len(shards)} empty files")
    fields = {name: _field(filled[0], name) for name in filled[0].fields}
    return InferredSchema(samples=sum(map(len, filled)), fields=fields)


def _field(shard: Shard, name: str) -> DataField:
    """A field of the first record, with the range of its whole numbers in some records."""
    try:
        value = next(iter(shard.read(np.array([0]), [name]))).get(name)
    except DataError:  # a column of text, which no input takes
        value = None
    if value is None:
        return DataField(dtype="text", shape=())
    if isinstance(value, bytes):
        return _image(value)
    looked = value.dtype.kind in "biuf" and value.size <= _LARGEST
    return _field_of(value.dtype.name, value.shape, _some(shard, name) if looked else None)


def _some(shard: Shard, name: str) -> Array | None:
    """Numbers of some records; None where one of them has others."""
    try:
        found = [record.get(name) for record in shard.read(_spread(len(shard)), [name])]
    except DataError:
        return None
    numbers = [np.ravel(each) for each in found if isinstance(each, np.ndarray)]
    return np.concatenate(numbers) if numbers else None


def _image(value: Raw) -> DataField:
    assert isinstance(value, bytes)
    try:
        return DataField(dtype="image", shape=decode_image(value, 3, "").shape)
    except DataError:
        return DataField(dtype="text", shape=())
