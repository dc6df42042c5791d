"""The format of a dataset by its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.errors import DataError
from litegate.first_spec.data_format import data_format
from tests.components.datasets.writers import tar

PNG = b"\x89PNG"


@pytest.mark.parametrize(
    ("names", "form"),
    [
        (["a.npz"], "npz"),
        (["image.npy", "label.npy"], "npy"),
        (["part-0.parquet", "_SUCCESS"], "parquet"),
        (["train.tfrecord-00000-of-00002", "train.tfrecord-00001-of-00002"], "tfrecord"),
        (["x.tsv"], "csv"),
        (["cat/1.JPG", "dog/2.png", "readme.txt"], "images"),
    ],
)
def test_names_tell_it(names: list[str], form: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert data_format(str(tmp_path), "DATA", tmp_path) == form


@pytest.mark.parametrize(
    ("members", "form"),
    [
        (["cat/1.png", "dog/2.png"], "images"),
        (["0001.png", "0001.cls"], "webdataset"),
        (["train/0001.png", "train/0001.json"], "webdataset"),
        (["train/0001.left.png", "train/0001.right.png"], "webdataset"),
    ],
)
def test_a_tar_is_looked_into(members: list[str], form: str, tmp_path: Path) -> None:
    path = tar(tmp_path / "data.tar", [(name, PNG) for name in members])
    assert data_format(str(path), "DATA", tmp_path) == form


def test_what_is_not_there_or_not_known_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"DATA .*none\.npz: expected a file or folder with data, got nothing"):
        data_format(str(tmp_path / "none.npz"), "DATA", tmp_path)
    (tmp_path / "notes.docx").touch()
    with pytest.raises(DataError, match=r"or --format, got notes\.docx"):
        data_format(str(tmp_path), "DATA", tmp_path)
