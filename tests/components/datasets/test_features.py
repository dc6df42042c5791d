"""From samples to batches: labels arrive with them, and `preprocess` keeps them what they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.datasets.features import FeatureReader
from litegate.datasets.fields import Wanted
from litegate.datasets.npz import NpzDataset
from litegate.errors import DataError
from litegate.runtimes.litert import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
INPUTS = {"x": Tensor((-1, 2), np.dtype(np.float32), 0.0, 0)}


def reader(path: Path, label: Array | None) -> FeatureReader:
    arrays = {} if label is None else {"label": label}
    np.savez(path / "data.npz", x=np.zeros((5, 2), np.float32), **arrays)
    dataset = NpzDataset.open({"data.npz": lambda: path / "data.npz"}, "evaluation.uri")
    return FeatureReader(dataset, INPUTS, "serving_default", "evaluation.uri")


def batches(path: Path, label: Array | None, preprocess: Callable[..., Any] | None = None) -> list[Array | None]:
    return [labels for _, labels, _ in reader(path, label).batches(range(5), preprocess, 3)]


@pytest.mark.parametrize("label", [np.arange(5), np.arange(5) / 2, np.arange(20.0).reshape(5, 2, 2)])
@pytest.mark.parametrize("preprocess", [None, lambda features, label: (features, label)])
def test_labels_arrive_with_their_samples(tmp_path: Path, label: Array, preprocess: Any) -> None:
    first, second = batches(tmp_path, label, preprocess)
    assert (len(first), len(second)) == (3, 2)
    np.testing.assert_array_equal(np.concatenate([first, second]), label)
    assert first.dtype == label.dtype


def test_samples_without_labels_have_none(tmp_path: Path) -> None:
    assert batches(tmp_path, None) == [None, None]
    assert batches(tmp_path, None, lambda features, label: (features, label)) == [None, None]


def test_a_preprocess_may_change_a_target(tmp_path: Path) -> None:
    first, _ = batches(tmp_path, np.ones((5, 4)), lambda features, label: (features, label[:2] * 255))
    assert first.tolist() == [[255, 255]] * 3


@dataclass(frozen=True)
class Wrong:
    label: Any
    returned: Any
    said: str


CLASS, TARGET = np.arange(5), np.zeros((5, 2))


@pytest.mark.parametrize(
    "row",
    [
        Wrong(CLASS, None, "preprocess: expected an integer label, got None for sample 0"),
        Wrong(CLASS, np.zeros(2), "preprocess: expected an integer label"),
        Wrong(CLASS, True, "preprocess: expected an integer label, got True"),
        Wrong(TARGET, None, "preprocess: expected a label of numbers, as the data has, got None for sample 0"),
        Wrong(TARGET, "cat", "a label of numbers, as the data has, got 'cat'"),
        Wrong(None, 3, "preprocess: expected the label None, as the data has none, got 3"),
    ],
    ids=lambda row: row.said,
)
def test_a_preprocess_must_keep_the_kind_of_the_label(tmp_path: Path, row: Wrong) -> None:
    with pytest.raises(DataError, match=row.said):
        batches(tmp_path, row.label, lambda features, label: (features, row.returned))


def test_targets_of_a_batch_must_have_one_shape(tmp_path: Path) -> None:
    sizes = iter(range(1, 6))
    with pytest.raises(DataError, match=r"evaluation\.uri: expected targets of one shape, got \(1,\), \(2,\), \(3,\)"):
        batches(tmp_path, TARGET, lambda features, label: (features, np.zeros(next(sizes))))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_targets_must_be_finite(tmp_path: Path, value: float) -> None:
    label = np.zeros((5, 2))
    label[4, 1] = value
    with pytest.raises(DataError, match=r"evaluation\.uri: label: expected finite numbers, .* in sample 4"):
        batches(tmp_path, label)


def test_a_sample_that_does_not_fit_the_model_is_named_with_what_would(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        batches(tmp_path, None, lambda features, label: ({"x": features["x"][:1]}, label))
    error = caught.value
    assert error.where == "evaluation.uri (sample 0)"
    assert (error.expected, error.got) == ("input 'x' to be shape (batch, 2)", "(1, 1)")


NAMED = Wanted(features={"x": "pixels"})


def named(path: Path, wanted: Wanted, **arrays: Array) -> FeatureReader:
    np.savez(path / "data.npz", **arrays)
    dataset = NpzDataset.open({"data.npz": lambda: path / "data.npz"}, "evaluation.uri", wanted)
    return FeatureReader(dataset, INPUTS, "serving_default", "evaluation.uri")


def test_arrays_of_other_names_feed_the_inputs_that_the_spec_says(tmp_path: Path) -> None:
    pixels = np.arange(10, dtype=np.float32).reshape(5, 2)
    reading = named(tmp_path, NAMED, pixels=pixels, weight=np.zeros(5), label=np.arange(5))
    ((_, labels, features),) = reading.batches([1, 3], None)
    assert labels is not None
    assert (labels.tolist(), list(features)) == ([1, 3], ["x"])
    np.testing.assert_array_equal(features["x"], pixels[[1, 3]])
    with pytest.raises(DataError, match="the arrays that `features` names, pixels among them, got other, label"):
        named(tmp_path, NAMED, other=pixels, label=np.arange(5))


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_an_array_may_be_an_input_and_the_label(tmp_path: Path, dtype: Any) -> None:
    wanted = Wanted(label="pixels", features={"x": "pixels"})
    size = (5, 2) if dtype is np.float32 else (5, 1)
    dataset = named(tmp_path, wanted, pixels=np.arange(math.prod(size)).reshape(size).astype(dtype)).dataset
    for _, features, label in dataset.read([0, 4]):
        np.testing.assert_array_equal(np.ravel(label), features["x"])


CURES = [
    ({"y": np.zeros((5, 2), np.float32)}, "inputs to be x, got y; `features` of the spec says which field feeds"),
    ({"x": np.zeros((5, 2))}, "type float32, got float64; save it so, or name a `preprocess` that makes it so"),
    ({"x": np.zeros((5, 3), np.float32)}, r"\(batch, 2\), got \(5, 3\); save it so"),
]


@pytest.mark.parametrize(("arrays", "said"), CURES)
def test_what_does_not_fit_is_said_with_a_cure(tmp_path: Path, arrays: dict[str, Array], said: str) -> None:
    with pytest.raises(DataError, match=said):
        list(named(tmp_path, Wanted(), **arrays).batches(range(5), None, 5))


def test_channels_that_come_first_are_named(tmp_path: Path) -> None:
    own = named(tmp_path, Wanted(), x=np.zeros((5, 3, 8, 8), np.float32))
    image = replace(own, inputs={"x": Tensor((-1, 8, 8, 3), np.dtype(np.float32), 0.0, 0)})
    with pytest.raises(DataError, match=r"channels first\? Save np.moveaxis\(x, 1, -1\), or name a `preprocess`"):
        list(image.batches(range(5), None))


def test_a_model_without_a_batch_axis_is_named(tmp_path: Path) -> None:
    own = named(tmp_path, Wanted(), x=np.zeros((5, 8, 3), np.float32))
    single = replace(own, inputs={"x": Tensor((8, 3), np.dtype(np.float32), 0.0, 0)})
    with pytest.raises(DataError, match=r"got \(5, 8, 3\); a model without a batch axis\? Save it with one"):
        list(single.batches(range(5), None))
