"""Which samples belong together, by a field of the data: it is read in every format, and is no feature."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from litegate.datasets.fields import Wanted
from litegate.datasets.groups import GroupIndex
from litegate.datasets.images import ImageDataset
from litegate.datasets.npz import NpyDataset, NpzDataset
from litegate.errors import DataError
from tests.components.datasets.test_formats import FORMS, LABEL, X, opened
from tests.components.datasets.writers import files_of, npy, tar, write

SPEAKER = [f"s{place // 3}" for place in range(20)]
NUMBER = [place // 3 for place in range(20)]


@pytest.mark.parametrize("values", [SPEAKER, NUMBER], ids=["text", "integers"])
@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_every_format_of_records_names_groups(tmp_path: Path, form: str, suffix: str, values: list[Any]) -> None:
    halves = {"a": slice(0, 9), "b": slice(9, 20)}
    paths = [
        write(form, tmp_path / f"{name}{suffix}", X[part], LABEL[part], speaker=values[part])
        for name, part in halves.items()
    ]
    dataset = opened(form, *paths, group="speaker")
    assert dataset.groups is not None
    assert dataset.groups.tolist() == [str(value).encode() for value in values], "whatever file they are in"
    for index, features, label in dataset.read(range(20)):
        assert set(features) == {"x"}, "the group is no feature"
        np.testing.assert_array_equal(features["x"], X[index])
        assert label == LABEL[index]


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_without_a_name_there_are_no_groups_and_a_wrong_one_is_refused(tmp_path: Path, form: str, suffix: str) -> None:
    path = write(form, tmp_path / f"a{suffix}", X, LABEL)
    assert opened(form, path).groups is None
    with pytest.raises(
        DataError, match=r"evaluation\.uri: a.*'video', which `group` names: expected text or an integer"
    ):
        opened(form, path, group="video")


def test_a_text_file_of_a_webdataset_may_name_the_group(tmp_path: Path) -> None:
    members = [
        (f"{at}.{name}", data) for at in range(3) for name, data in (("x.npy", npy(X[at])), ("video.txt", b"v1\n"))
    ]
    dataset = opened("webdataset", tar(tmp_path / "a.tar", members), group="video")
    assert dataset.groups is not None
    assert dataset.groups.tolist() == [b"v1"] * 3
    assert [set(features) for _, features, _ in dataset.read([1])] == [{"x"}]


def arrays(form: str) -> Callable[..., NpzDataset | NpyDataset]:
    def make(folder: Path, group: np.ndarray) -> NpzDataset | NpyDataset:
        found = {"x": X, "label": LABEL, "patient": group}
        if form == "npz":
            np.savez(folder / "a.npz", **found)
            return NpzDataset.open(files_of(folder / "a.npz"), "evaluation.uri", Wanted(group="patient"))
        for name, array in found.items():
            np.save(folder / f"{name}.npy", array)
        return NpyDataset.open(files_of(*folder.glob("*.npy")), "evaluation.uri", Wanted(group="patient"))

    return make


@pytest.mark.parametrize("form", ["npz", "npy"])
@pytest.mark.parametrize("group", [np.array(SPEAKER), np.array(SPEAKER, "S"), np.array(NUMBER, np.uint8)], ids=str)
def test_an_array_names_groups(tmp_path: Path, form: str, group: np.ndarray) -> None:
    dataset = arrays(form)(tmp_path, group)
    assert dataset.groups is not None
    assert [name.decode() for name in dataset.groups.tolist()] == [str(value) for value in group.astype(str)]
    assert [set(features) for _, features, _ in dataset.read([3])] == [{"x"}]


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (np.zeros((20, 2), int), r"array 'patient': expected text or integers of shape \(samples,\), got int64"),
        (np.zeros(20), r"expected text or integers of shape \(samples,\), got float64"),
        (np.array([""] * 19 + ["a"]), r"expected a name of at most 200 bytes, got ''"),
    ],
)
def test_an_array_that_names_no_groups_is_refused(tmp_path: Path, group: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        arrays("npz")(tmp_path, group)


def test_an_array_that_is_not_there_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, label=LABEL)
    with pytest.raises(DataError, match=r"expected the array 'patient', which `group` names, got x, label"):
        NpzDataset.open(files_of(tmp_path / "a.npz"), "evaluation.uri", Wanted(group="patient"))


PATHS = {"cat/v1_001.png": b"v1", "cat/v1_002.png": b"v1", "dog/v1_003.png": b"v1", "dog/v22_001.png": b"v22"}


@pytest.mark.parametrize("pattern", [r"v\d+", r"/(v\d+)_\d+\.png$"])
def test_the_groups_of_images_are_found_in_their_paths(pattern: str) -> None:
    dataset = ImageDataset.open(dict.fromkeys(PATHS, Path), "w", "x", 3, pattern)
    assert dataset.groups is not None
    assert dict(zip(dataset.ids, dataset.groups.tolist(), strict=True)) == PATHS


def test_an_image_whose_path_names_no_group_is_refused() -> None:
    with pytest.raises(DataError, match=r"cat/other\.png: expected a path in which `group` finds 'v\\\\d\+'"):
        ImageDataset.open({"cat/other.png": Path}, "w", "x", 3, r"v\d+")


@pytest.mark.parametrize("value", [None, "", "  ", b"\xff\xfe", 1.5, [1, 2], "x" * 201, np.array([0.5]), "a\0b"])
def test_what_is_no_name_is_refused(value: object) -> None:
    with pytest.raises(DataError, match=r"here: field 'video', which `group` names: expected"):
        GroupIndex("video").add(value, "here")


def test_a_parquet_column_with_an_empty_cell_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1.0, 2.0], "video": ["a", None]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet: field 'video', which `group` names: expected .* got nothing"):
        opened("parquet", tmp_path / "a.parquet", group="video")
