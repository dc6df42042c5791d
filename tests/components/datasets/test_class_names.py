"""The order of class folders, which decides what every label means."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from litegate.datasets.class_names import class_order
from litegate.datasets.images import ImageDataset
from litegate.errors import DataError, SpecError
from litegate.spec import parse_spec

TWELVE = [str(number) for number in range(12)]


def test_folders_that_are_numbers_are_ordered_as_numbers() -> None:
    assert class_order(sorted(TWELVE), (), "data") == tuple(TWELVE)
    assert class_order(["010", "002", "011"], (), "data") == ("002", "010", "011")


def test_other_folders_are_ordered_as_text_and_numbers_among_them_where_both_orders_are_the_same() -> None:
    assert class_order(["class_2", "class_10", "ant"], (), "data") == ("ant", "class_10", "class_2")
    assert class_order(["A", "9", "0"], (), "data") == ("0", "9", "A")


def test_the_spec_names_the_order() -> None:
    assert class_order(["a", "b", "10", "9"], ["b", "9", "10", "a"], "data") == ("b", "9", "10", "a")


@pytest.mark.parametrize(
    ("found", "named", "message"),
    [
        (["1", "01", "2"], [], r"data: expected class folders with numbers of their own.*`classes`, got 01, 1"),
        (["10", "9", "none"], [], r"expected class folders that are all numbers or all names.*got 10, 9, none"),
        (["a", "b"], ["a", "b", "c"], r"data, classes: expected the names of class folders, got c, of which there"),
        (["a", "b"], ["a"], r"data, classes: expected all class folders, got a list without b"),
    ],
)
def test_an_order_that_is_not_clear_is_refused(found: list[str], named: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        class_order(found, named, "data")


@pytest.mark.parametrize(("order", "labels"), [((), list(range(12))), (TWELVE[::-1], list(range(11, -1, -1)))])
def test_labels_are_the_positions_of_the_folders(tmp_path: Path, order: list[str], labels: list[int]) -> None:
    picture = io.BytesIO()
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(picture, "PNG")
    (tmp_path / "a.png").write_bytes(picture.getvalue())
    files = {f"{name}/a.png": partial(Path, tmp_path / "a.png") for name in TWELVE}
    dataset = ImageDataset.open(files, "evaluation.uri", "image", 1, order=order)
    found = {dataset.ids[index].partition("/")[0]: label for index, _, label in dataset.read(range(12))}
    assert [found[name] for name in TWELVE] == labels


@pytest.mark.parametrize("section", ["calibration", "evaluation"])
def test_only_images_have_class_folders_to_name(section: str) -> None:
    data = {"uri": "d.npz", "format": "npz"}
    keys = {"model": {"name": "m", "uri": "m.keras"}, "calibration": data, "evaluation": data}
    with pytest.raises(SpecError, match=rf"{section}.classes.* classes only for images"):
        parse_spec(keys | {section: data | {"classes": ["a"]}})
    with pytest.raises(SpecError, match=rf"{section}.classes.* none of them twice"):
        parse_spec(keys | {section: {"uri": "d", "format": "images", "classes": ["a", "a"]}})
