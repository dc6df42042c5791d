"""The schema that is inferred from a dataset in each format."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from litegate.datasets.schema import infer_schema
from litegate.errors import DataError
from litegate.records import DataRef, FileRef, InferredSchema, TensorSpec
from litegate.storage.user_objects import list_entries
from tests.components.datasets.writers import write

X = np.arange(5 * 4, dtype=np.float32).reshape(5, 4)
LABEL = np.array([0, 1, 2, 1, 0])
INPUTS = {"x": TensorSpec(shape=(-1, 4), dtype="float32")}
IMAGE = {"image": TensorSpec(shape=(-1, 6, 5, 3), dtype="float32")}


class Files:
    """The files of one dataset as a step has them."""

    def __init__(self, uri: Path, folder: Path) -> None:
        self.manifest = folder / "manifest.jsonl"
        self.manifest.write_text("\n".join(entry.model_dump_json() for entry in list_entries(str(uri), "DATA")))

    def path(self, _: FileRef) -> Path:
        return self.manifest

    def fetch(self, entry: Any, _: str) -> Path:
        return Path(entry.uri)


def seen(uri: Path, form: Any, folder: Path, inputs: Any = None) -> InferredSchema:
    manifest = FileRef(name="manifest.jsonl", digest="0" * 64, bytes=0)
    ref = DataRef(uri=str(uri), format=form, digest="0" * 64, manifest=manifest)
    return infer_schema(ref, Files(uri, folder), "DATA", inputs or INPUTS)  # type: ignore[arg-type]


def fields(found: InferredSchema) -> dict[str, tuple[str, tuple[int, ...]]]:
    return {name: (each.dtype, each.shape) for name, each in found.fields.items()}


def test_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", x=X, y=LABEL)
    found = seen(tmp_path / "data.npz", "npz", tmp_path)
    assert (found.samples, fields(found)) == (5, {"x": ("float32", (4,)), "y": ("int64", ())})


def test_arrays_in_files(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    for name, value in (("x", X), ("label", LABEL)):
        np.save(tmp_path / "set" / f"{name}.npy", value)
    found = seen(tmp_path / "set", "npy", tmp_path)
    assert (found.samples, set(found.fields)) == (5, {"x", "label"})


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("tfrecord", {"x": ("float32", (4,)), "label": ("int64", (1,))}),
        ("parquet", {"x": ("float32", (4,)), "label": ("int64", ())}),
        ("webdataset", {"x": ("float32", (4,)), "": ("int64", ())}),
        ("csv", {f"f{at}": ("float64", ()) for at in range(4)} | {"label": ("int64", ())}),
    ],
)
def test_records(form: str, expected: dict[str, tuple[str, tuple[int, ...]]], tmp_path: Path) -> None:
    ending = {"webdataset": "tar"}.get(form, form)
    found = seen(write(form, tmp_path / f"data.{ending}", X, LABEL), form, tmp_path)
    assert (found.samples, fields(found)) == (5, expected)


def test_a_column_of_text_is_text(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("name,x,label\nanna,0.5,1\nberta,0.25,0\n")
    found = seen(tmp_path / "data.csv", "csv", tmp_path)
    assert fields(found) == {"name": ("text", ()), "x": ("float64", ()), "label": ("int64", ())}


def test_images_have_the_classes_of_their_folders(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "set" / name).mkdir(parents=True)
        content = io.BytesIO()
        Image.new("RGB", (5, 6)).save(content, "png")
        (tmp_path / "set" / name / "1.png").write_bytes(content.getvalue())
    found = seen(tmp_path / "set", "images", tmp_path, IMAGE)
    assert (found.samples, found.classes, fields(found)) == (2, ("cat", "dog"), {"image": ("image", (6, 5, 3))})


def test_an_empty_file_has_no_samples(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("x,label\n")
    with pytest.raises(DataError, match="expected at least one sample, got 1 empty files"):
        seen(tmp_path / "data.csv", "csv", tmp_path)


@pytest.mark.parametrize("form", ["npz", "parquet"])
def test_whole_numbers_of_any_type_have_a_range(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"data.{form}"
    for label, wanted in ((LABEL + 0.5, (None, None)), (LABEL - 1.0, (-1, 1)), (LABEL > 1, (0, 1))):
        np.savez(path, x=X, label=label) if form == "npz" else write(form, path, X, label)
        found = seen(path, form, tmp_path).fields["label"]
        assert (found.low, found.high) == wanted
