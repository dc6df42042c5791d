"""Labels that do not fit the metric or the output are named with what to do, before a model is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.datasets.fields import Wanted
from litegate.datasets.npz import NpzDataset
from litegate.datasets.shards import open_shards
from litegate.datasets.webdataset import WebDatasetShard
from litegate.errors import DataError
from litegate.lint.labels import check_labels, lists_of
from litegate.spec.metric_facts import BUILT_IN, MetricFacts
from tests.components.datasets.writers import files_of, npy, tar

Array = np.ndarray[Any, np.dtype[Any]]
WHERE = "evaluation.uri data.npz"


def dataset(folder: Path, label: Any) -> NpzDataset:
    arrays = {"x": np.zeros((6, 2), np.float32)} | ({} if label is None else {"label": np.asarray(label)})
    np.savez(folder / "data.npz", **arrays)
    return NpzDataset.open({"data.npz": lambda: folder / "data.npz"}, WHERE)


CLASSES = np.arange(6) % 3
FINE = [
    ("top1", CLASSES, 3),
    ("top1", CLASSES[:, np.newaxis].astype(np.uint8), 3),
    ("roc_auc", CLASSES[:, np.newaxis, np.newaxis] > 1, 2),
    ("top1", CLASSES + 50, None),
    ("mae", CLASSES + 50, None),
    ("mse", np.zeros((6, 7)), None),
]


@pytest.mark.parametrize(("metric", "label", "classes"), FINE)
def test_labels_that_fit_are_taken(tmp_path: Path, metric: str, label: Array, classes: int | None) -> None:
    check_labels(dataset(tmp_path, label), BUILT_IN[metric], classes, WHERE)


WRONG = [
    ("mae", None, None, "labels, which mae needs, got none"),
    ("top1", CLASSES + 1, 3, r"labels from 0 to 2, got 3 for sample 2 \(2 such labels; numbered from 1\?\)"),
    ("top1", CLASSES * 2, 3, r"labels from 0 to 2, got 4 for sample 2 \(2 such labels\)"),
    ("top1", CLASSES - 1, 3, "labels from 0 to 2, got -1 for sample 0"),
    ("roc_auc", CLASSES, 2, "labels from 0 to 1, got 2 for sample 2"),
    ("top1", np.eye(3)[CLASSES], 3, r"targets: float64 of shape \(samples, 3\) \(one-hot\? save label.argmax"),
    ("top1", np.ones((6, 3), int), 3, r"shape \(samples, 3\) \(independent labels\?; .* a metric of your own, or mae"),
    ("top1", CLASSES.astype(np.float32), 3, r"targets: float32 of shape \(samples\) \(if .* save them as integers"),
    ("macro_f1", CLASSES + 0.5, 3, r"targets: float64 of shape \(samples\) \(mae, mse"),
]


@pytest.mark.parametrize(("metric", "label", "classes", "said"), WRONG, ids=lambda value: str(value)[:40])
def test_labels_that_do_not_fit_are_named(tmp_path: Path, metric: str, label: Any, classes: Any, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_labels(dataset(tmp_path, label), BUILT_IN[metric], classes, WHERE)


def test_preprocess_may_make_classes_of_other_labels(tmp_path: Path) -> None:
    for label in (np.eye(3)[CLASSES], CLASSES + 1):
        check_labels(dataset(tmp_path, label), BUILT_IN["top1"], 3, WHERE, relabelled=True)


def test_a_users_metric_that_declares_no_classes_takes_any_labels(tmp_path: Path) -> None:
    for label in (np.eye(3)[CLASSES], CLASSES + 50, CLASSES / 7):
        check_labels(dataset(tmp_path, label), MetricFacts(name="m:Own"), 3, WHERE)
    with pytest.raises(DataError, match="m:Own, which judges classes"):
        check_labels(dataset(tmp_path, CLASSES / 7), MetricFacts(name="m:Own", classifies=True), 3, WHERE)


LISTS = [("map50", (2,)), ("wer", (2,)), ("metrics:Own", (2,)), ("mae", None), ("top1", None)]


@pytest.mark.parametrize(("name", "longest"), LISTS)
def test_lists_of_several_lengths_are_for_metrics_that_take_them(
    tmp_path: Path, name: str, longest: tuple[int, ...] | None
) -> None:
    path = tar(tmp_path / "a.tar", [(f"{at}.label.npy", npy(np.arange(at + 0.5))) for at in range(2)])
    shards = open_shards(files_of(path), WebDatasetShard.open, {}, Wanted(features={"x": "label"}), WHERE)
    facts = BUILT_IN.get(name) or MetricFacts(name=name, classifies=name == "top1")
    assert lists_of(shards, facts) == longest
    if longest is None:
        with pytest.raises(DataError, match=rf"labels of one shape for {name}, got lists of several"):
            check_labels(shards, facts, None, WHERE)
    else:
        check_labels(shards, facts, None, WHERE)
