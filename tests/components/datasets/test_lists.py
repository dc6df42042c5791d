"""Labels that are lists of several lengths, such as the boxes of a picture, which formats of records can hold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from litegate.datasets import data_files, longest_label, shard_format
from litegate.datasets.features import FeatureReader
from litegate.datasets.fields import Wanted
from litegate.datasets.shards import ShardedDataset, open_shards
from litegate.errors import DataError
from litegate.runtimes.litert import Tensor
from tests.components.datasets.writers import example, files_of, npy, tar, tfrecord

Array = np.ndarray[Any, np.dtype[Any]]
INPUTS = {"x": Tensor((-1, 2), np.dtype(np.float32), 0.0, 0)}
BOXES = [np.arange(5.0 * count).reshape(count, 5) for count in (2, 0, 3, 1)]
SUFFIX = {"tfrecord": ".tfrecord", "parquet": ".parquet", "webdataset": ".tar"}


def written(form: str, path: Path, boxes: Sequence[Array]) -> Path:
    x = np.zeros((len(boxes), 2), np.float32)
    if form == "tfrecord":
        return tfrecord(path, [example({"x": one, "label": each}) for one, each in zip(x, boxes, strict=True)])
    if form == "parquet":
        label = pa.array([each.tolist() for each in boxes], pa.list_(pa.list_(pa.float32())))
        pq.write_table(pa.table({"x": x.tolist(), "label": label}), path)
        return path
    members = [
        (f"{at}.{name}", data)
        for at, each in enumerate(boxes)
        for name, data in (("x.npy", npy(x[at])), ("json", json.dumps({"label": each.tolist()}).encode()))
    ]
    return tar(path, members)


def opened(form: str, folder: Path, boxes: Sequence[Array] = BOXES) -> ShardedDataset:
    path = written(form, folder / f"a{SUFFIX[form]}", boxes)
    suffixes, open_shard = shard_format(form)
    return open_shards(data_files(files_of(path), suffixes), open_shard, INPUTS, Wanted(), "evaluation.uri")


def labels(dataset: ShardedDataset, longest: tuple[int, ...] | None, preprocess: Any = None) -> list[Array]:
    reader = FeatureReader(dataset, INPUTS, "serving_default", "evaluation.uri", longest=longest)
    return [np.asarray(label) for _, label, _ in reader.batches(range(len(dataset.ids)), preprocess, 2)]


@pytest.mark.parametrize("form", sorted(SUFFIX))
def test_shorter_ones_are_filled_up_by_minus_one(tmp_path: Path, form: str) -> None:
    dataset = opened(form, tmp_path)
    longest = (15,) if form == "tfrecord" else (3, 5)  # an Example holds flat lists
    assert longest_label(dataset) == longest
    first, second = (each.reshape(2, 3, 5) for each in labels(dataset, longest))
    np.testing.assert_array_equal(first[0], [*BOXES[0], [-1] * 5])
    assert (first[1] == -1).all()
    np.testing.assert_array_equal(second[0], BOXES[2])


@pytest.mark.parametrize("form", sorted(SUFFIX))
def test_lists_of_one_length_are_as_they_are(tmp_path: Path, form: str) -> None:
    assert longest_label(opened(form, tmp_path, [BOXES[0]] * 3)) is None


def test_a_preprocess_sees_them_as_they_are_and_may_make_one_shape_of_them(tmp_path: Path) -> None:
    dataset, seen = opened("webdataset", tmp_path), []

    def at_most_two(features: Any, label: Array) -> tuple[Any, Array]:
        seen.append(len(label))
        return features, label.reshape(-1, 5)[:2]

    first, _ = labels(dataset, (3, 5), at_most_two)
    assert seen == [2, 0, 3, 1]
    assert first.shape == (2, 3, 5)
    assert (first[:, 2] == -1).all()


def test_they_are_filled_only_where_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"targets of one shape, got \(0,\), \(2, 5\)"):
        labels(opened("webdataset", tmp_path), None)


def test_whole_numbers_without_a_sign_get_one(tmp_path: Path) -> None:
    dataset = opened("webdataset", tmp_path, [np.arange(1, 4), np.arange(2)])
    (found,) = labels(dataset, (3,))
    assert found.tolist() == [[1, 2, 3], [0, 1, -1]]
