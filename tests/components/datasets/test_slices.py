"""Fields by whose values the gate's clause of slices divides the data: read in every format, and no features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.datasets.fields import Wanted
from litegate.datasets.groups import check_slices
from litegate.datasets.images import ImageDataset
from litegate.datasets.joined import open_npz
from litegate.datasets.npz import NpyDataset, NpzDataset
from litegate.errors import DataError
from tests.components.datasets.test_formats import FORMS, LABEL, X, opened
from tests.components.datasets.writers import files_of, write

SITE = [f"s{place % 3}" for place in range(20)]
DARK = [place % 2 for place in range(20)]
NAMES = {"site": [name.encode() for name in SITE], "dark": [str(number).encode() for number in DARK]}


def read(slices: Any) -> dict[str, list[bytes]]:
    return {name: values.tolist() for name, values in slices.items()}


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_every_format_of_records_has_slices(tmp_path: Path, form: str, suffix: str) -> None:
    halves = {"a": slice(0, 9), "b": slice(9, 20)}
    paths = [
        write(form, tmp_path / f"{name}{suffix}", X[part], LABEL[part], site=SITE[part], dark=DARK[part])
        for name, part in halves.items()
    ]
    dataset = opened(form, *paths, slices=("site", "dark"))
    assert read(dataset.slices) == NAMES
    for index, features, label in dataset.read(range(20)):
        assert set(features) == {"x"}, "a slice is no feature"
        np.testing.assert_array_equal(features["x"], X[index])
        assert label == LABEL[index]


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_the_label_may_be_a_slice_too(tmp_path: Path, form: str, suffix: str) -> None:
    dataset = opened(form, write(form, tmp_path / f"a{suffix}", X, LABEL), slices=("label",))
    assert read(dataset.slices) == {"label": [str(label).encode() for label in LABEL]}
    assert dataset.labels is not None
    assert dataset.labels.tolist() == list(LABEL)


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_a_record_without_the_field_is_refused(tmp_path: Path, form: str, suffix: str) -> None:
    path = write(form, tmp_path / f"a{suffix}", X, LABEL)
    with pytest.raises(DataError, match=r"field 'site', which `slices` names: expected text or an integer"):
        opened(form, path, slices=("site",))


def arrays(form: str, folder: Path, wanted: Wanted, **more: Any) -> Any:
    found = {"x": X, "label": LABEL, "site": np.array(SITE), "dark": np.array(DARK)} | more
    if form == "npy":
        for name, array in found.items():
            np.save(folder / f"{name}.npy", array)
        return NpyDataset.open(files_of(*folder.glob("*.npy")), "evaluation.uri", wanted, ("x",))
    if form == "npz":
        np.savez(folder / "a.npz", **found)
        return NpzDataset.open(files_of(folder / "a.npz"), "evaluation.uri", wanted, ("x",))
    for name, part in {"a": slice(0, 9), "b": slice(9, 20)}.items():
        np.savez(folder / f"{name}.npz", **{key: array[part] for key, array in found.items()})
    return open_npz(files_of(*folder.glob("*.npz")), "evaluation.uri", wanted, ("x",), sparse=False)


@pytest.mark.parametrize("form", ["npz", "npy", "several npz"])
def test_arrays_are_slices(tmp_path: Path, form: str) -> None:
    dataset = arrays(form, tmp_path, Wanted(slices=("site", "dark")))
    assert read(dataset.slices) == NAMES
    assert [set(features) for _, features, _ in dataset.read([3])] == [{"x"}]


def test_an_array_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"the array 'speaker', which `slices` names, got x, label, site, dark"):
        arrays("npz", tmp_path, Wanted(slices=("speaker",)))


def test_an_input_of_the_model_may_be_a_slice(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, label=LABEL, dark=np.array(DARK, np.int32))
    wanted = Wanted(slices=("dark",))
    dataset = NpzDataset.open(files_of(tmp_path / "a.npz"), "evaluation.uri", wanted, ("x", "dark"))
    assert [set(features) for _, features, _ in dataset.read([3])] == [{"x", "dark"}]


def test_calibration_data_may_hold_the_fields_of_the_evaluation(tmp_path: Path) -> None:
    dataset = arrays("npz", tmp_path, Wanted(besides=("site", "dark", "speaker")))
    assert [set(features) for _, features, _ in dataset.read([3])] == [{"x"}]
    assert dataset.slices == {}


PATHS = {"cat/lab_01.png": b"lab", "cat/field_02.png": b"field", "dog/lab_03.png": b"lab"}


def test_the_slices_of_images_are_found_in_their_paths() -> None:
    files = dict.fromkeys(PATHS, Path)
    dataset = ImageDataset.open(files, "w", "x", 3, slices=(r"/(?P<site>[a-z]+)_", r"^(?P<animal>\w+)/"))
    assert dict(zip(dataset.ids, dataset.slices["site"].tolist(), strict=True)) == PATHS
    assert set(dataset.slices["animal"].tolist()) == {b"cat", b"dog"}
    with pytest.raises(DataError, match=r"cat/1\.png: expected a path in which `slices` finds"):
        ImageDataset.open({"cat/1.png": Path}, "w", "x", 3, slices=(r"/(?P<site>[a-z]+)_",))


def test_a_field_of_too_many_values_is_no_slice() -> None:
    check_slices({"site": np.array([f"{n:03}" for n in range(100)], "S")}, "evaluation.uri a.csv")
    with pytest.raises(DataError, match=r"at most 100 different values of 'time', .* got 101, such as 000, 001, 002"):
        check_slices({"time": np.array([f"{n:03}" for n in range(101)], "S")}, "evaluation.uri a.csv")
