"""The formats of records: the same samples come out of each, and what is damaged is named."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from litegate.datasets import data_files, shard_format
from litegate.datasets.fields import Wanted
from litegate.datasets.npz import NpyDataset
from litegate.datasets.shards import ShardedDataset, open_shards
from litegate.errors import DataError
from litegate.runtimes.litert import Tensor
from tests.components.datasets.test_readers import picture
from tests.components.datasets.writers import example, files_of, npy, tar, tfrecord, write

Array = np.ndarray[Any, np.dtype[Any]]
FORMS = {"csv": ".csv", "parquet": ".parquet", "tfrecord": ".tfrecord", "webdataset": ".tar"}
RNG = np.random.default_rng(5)
X, LABEL = RNG.normal(size=(20, 4, 2)).astype(np.float32), np.arange(20) % 3


def tensor(*shape: int, dtype: Any = np.float32) -> Tensor:
    return Tensor((-1, *shape), np.dtype(dtype), 0.0, 0)


ONE = {"x": tensor(4, 2)}


def opened(form: str, *paths: Path, inputs: Any = ONE, **wanted: Any) -> ShardedDataset:
    suffixes, open_shard = shard_format(form)
    return open_shards(data_files(files_of(*paths), suffixes), open_shard, inputs, Wanted(**wanted), "evaluation.uri")


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_every_format_gives_the_same_samples(tmp_path: Path, form: str, suffix: str) -> None:
    dataset = opened(form, write(form, tmp_path / f"a{suffix}", X, LABEL))
    assert dataset.labels is not None
    assert (dataset.labels.tolist(), dataset.labelled, len(dataset.ids)) == (LABEL.tolist(), True, 20)
    read = list(dataset.read([19, 0, 8]))
    assert [(index, label) for index, _, label in read] == [(0, 0), (8, 2), (19, 1)]
    for index, features, _ in read:
        assert (features["x"].shape, features["x"].dtype) == ((4, 2), np.float32)
        np.testing.assert_array_equal(features["x"], X[index])


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_shards_are_one_data_set_whatever_lies_beside_them(tmp_path: Path, form: str, suffix: str) -> None:
    (tmp_path / "_SUCCESS").touch()
    (tmp_path / "info.json").write_text("{}")
    halves = [write(form, tmp_path / f"{name}{suffix}", X[part], LABEL[part]) for name, part in SPLIT.items()]
    dataset = opened(form, tmp_path / "_SUCCESS", tmp_path / "info.json", *halves)
    assert len(set(dataset.ids)) == 20
    assert dataset.ids[0].startswith(f"a{suffix}:")
    assert dataset.ids[19].startswith(f"b{suffix}:")
    for index, features, label in dataset.read(range(20)):
        np.testing.assert_array_equal(features["x"], X[index])
        assert label == LABEL[index]


SPLIT = {"a": slice(0, 9), "b": slice(9, 20)}


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_labels_that_are_no_integers_are_targets(tmp_path: Path, form: str, suffix: str) -> None:
    dataset = opened(form, write(form, tmp_path / f"a{suffix}", X, LABEL + 0.5))
    assert (dataset.labels, dataset.labelled) == (None, True)
    assert [float(np.ravel(label)[0]) for _, _, label in dataset.read([0, 1])] == [0.5, 1.5]


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_a_data_set_may_have_no_labels(tmp_path: Path, form: str, suffix: str) -> None:
    path = write(form, tmp_path / f"a{suffix}", X, LABEL)
    features = {"x": [f"f{at}" for at in range(8)]} if form == "csv" else {"x": "x"}
    dataset = opened(form, path, label="class" if form != "webdataset" else "other", features=features)
    if form != "webdataset":  # whose class file is the label whatever its name
        assert (dataset.labels, dataset.labelled) == (None, False)
        assert [label for _, _, label in dataset.read([3])] == [None]


@pytest.mark.parametrize(("form", "suffix"), FORMS.items())
def test_a_truncated_or_changed_file_is_refused_by_name(tmp_path: Path, form: str, suffix: str) -> None:
    whole = write(form, tmp_path / f"a{suffix}", X, LABEL).read_bytes()
    damaged = [whole[: len(whole) // 2 - 5], gzip.compress(whole)]
    damaged += [] if form == "parquet" else [b"\x1f\x8b" + whole[2:]]  # its first bytes mean nothing
    for content in damaged:
        (tmp_path / f"a{suffix}").write_bytes(content)
        with pytest.raises(DataError, match=rf"evaluation\.uri: a\{suffix}"):
            list(opened(form, tmp_path / f"a{suffix}").read(range(20)))


@pytest.mark.parametrize("form", ["parquet", "tfrecord"])
def test_one_changed_byte_of_the_data_is_found(tmp_path: Path, form: str) -> None:
    path = write(form, tmp_path / "a", X, LABEL)
    whole = bytearray(path.read_bytes())
    at = bytes(whole).find(X[11, 2, 1].tobytes())
    whole[at] ^= 1
    path.write_bytes(whole)
    with pytest.raises(DataError, match=r"checksum|Corrupt|CRC"):
        list(opened(form, path).read(range(20)))


@pytest.mark.parametrize("form", ["tfrecord", "webdataset"])
def test_an_index_is_small_and_nothing_else_is_held(tmp_path: Path, form: str) -> None:
    x = np.zeros((300, 2_000), np.float32)
    path = write(form, tmp_path / "a", x, np.arange(300))
    tracemalloc.start()
    dataset = opened(form, path, inputs={"x": tensor(2_000)})
    assert sum(1 for _ in dataset.read(range(300))) == 300
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.nbytes / 3


@dataclass(frozen=True)
class Choice:
    says: str
    fields: dict[str, Any]
    inputs: dict[str, Tensor]
    expected: dict[str, Any] | str
    features: dict[str, Any] | None = None


PAIR = {"left": tensor(2), "right": tensor()}
CHOICES = [
    Choice("by name, others ignored", {"x": [1.0, 2], "id": 7}, {"x": tensor(2)}, {"x": [1, 2]}),
    Choice("the only field", {"whatever": [1.0, 2]}, {"x": tensor(2)}, {"x": [1, 2]}),
    Choice("two inputs", {"left": [1.0, 2], "right": 3.0}, PAIR, {"left": [1, 2], "right": 3}),
    Choice("of signatures", {"a/x": [1.0, 2], "b/x": [3.0, 4]}, {"x": tensor(2)}, {"a/x": [1, 2], "b/x": [3, 4]}),
    Choice("as told", {"image/raw": [1.0, 2], "size": 2}, {"x": tensor(2)}, {"x": [1, 2]}, {"x": "image/raw"}),
    Choice("stacked", {"b": 1.0, "a": 2, "id": 9}, {"x": tensor(2)}, {"x": [2, 1]}, {"x": ["a", "b"]}),
    Choice("whole numbers for floats", {"x": [1, 2]}, {"x": tensor(2)}, {"x": [1, 2]}),
    Choice("integers for integers", {"x": [1, 2]}, {"x": tensor(2, dtype=np.int32)}, {"x": [1, 2]}),
    Choice("too large", {"x": [1, 300]}, {"x": tensor(2, dtype=np.uint8)}, "values that fit uint8, got .* to 300"),
    Choice("floats for integers", {"x": [1.5]}, {"x": tensor(1, dtype=np.int32)}, "values that fit int32"),
    Choice("text", {"x": b"cat"}, {"x": tensor(2)}, "sample 0: field 'x': expected a readable image"),
    Choice("several", {"a": 1.0, "b": 2.0}, {"x": tensor(2)}, "fields named x, or `features` in the spec .* got a, b"),
    Choice("one missing", {"left": 1.0, "up": 2.0}, PAIR, "fields named left, right, or"),
    Choice("none of that name", {"x": 1.0}, {"x": tensor()}, "got x", {"x": "y"}),
    Choice("lists to stack", {"a": [1.0, 2], "b": 2}, {"x": tensor(2)}, "single numbers to stack", {"x": ["a", "b"]}),
]  # fmt: skip


@pytest.mark.parametrize("row", CHOICES, ids=lambda row: row.says)
def test_fields_go_to_inputs_by_name_or_as_the_spec_says(tmp_path: Path, row: Choice) -> None:
    path = tfrecord(tmp_path / "a.tfrecord", [example(row.fields)] * 2)

    def read() -> dict[str, Any]:
        ((_, features, _),) = opened("tfrecord", path, inputs=row.inputs, features=row.features).read([0])
        return {name: value.tolist() for name, value in features.items()}

    if isinstance(row.expected, str):
        with pytest.raises(DataError, match=row.expected):
            read()
    else:
        assert read() == row.expected


def image_bytes(form: str, path: Path) -> Path:
    pictures = [picture(value) for value in (10, 20)]
    if form == "tfrecord":
        return tfrecord(path, [example({"x": data, "label": 1}) for data in pictures])
    if form == "webdataset":
        return tar(path, [(f"{at}.{kind}", data) for at, one in enumerate(pictures) for kind, data in _files(one)])
    column = [{"bytes": data, "path": None} for data in pictures] if form == "hugging face" else pictures
    pq.write_table(pa.table({"x": column, "label": [1, 1]}), path)
    return path


def _files(data: bytes) -> list[tuple[str, bytes]]:
    return [("png", data), ("json", json.dumps({"label": 1, "caption": "a cat"}).encode())]


@pytest.mark.parametrize("form", ["tfrecord", "webdataset", "parquet", "hugging face"])
def test_encoded_images_are_decoded_as_in_a_folder(tmp_path: Path, form: str) -> None:
    path = image_bytes(form, tmp_path / "a")
    reader = "parquet" if form == "hugging face" else form
    dataset = opened(reader, path, inputs={"x": tensor(-1, -1, 3)})
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [1, 1]
    ((_, features, _),) = dataset.read([1])
    assert (features["x"].shape, features["x"].dtype) == ((4, 6, 3), np.float32)
    assert features["x"][0, 0].tolist() == [20, 0, 0]


def test_a_mask_may_be_an_image(tmp_path: Path) -> None:
    members = [("1.x.npy", npy(np.zeros((4, 2)))), ("1.label.png", picture(3, mode="L"))]
    ((_, _, label),) = opened("webdataset", tar(tmp_path / "a.tar", members)).read([0])
    assert (label.shape, label.max()) == ((4, 6), 3)


def several(*fields: dict[str, Any]) -> Callable[[Path], Path]:
    return lambda path: tfrecord(path, [example(each) for each in fields])


def table(**columns: Any) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        pq.write_table(pa.table(columns), path)
        return path

    return make


def text(content: str) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        path.write_text(content)
        return path

    return make


def archive(*members: tuple[str, bytes]) -> Callable[[Path], Path]:
    return lambda path: tar(path, members)


GOOD = {"x": [1.0, 2], "label": 1}
ARRAY = npy(np.zeros(2, np.float32))
BAD = [
    ("tfrecord", "label missing", several(GOOD, {"x": [1.0, 2]}), "record 1: expected an integer as label in 'label'"),
    ("tfrecord", "field missing", several(GOOD, {"label": 1}), "1: expected the field 'x', got no fields"),
    ("tfrecord", "no Example", lambda path: tfrecord(path, [b"\xff\xff"]), "record 0: expected a tf.Example"),
    ("tfrecord", "empty", lambda path: tfrecord(path, []), "at least one sample"),
    ("tfrecord", "text as label", several({"x": [1.0, 2], "label": b"cat"}), "a readable image"),
    ("parquet", "empty cell", table(x=[[1.0, 2], None], label=[1, 2]), "row 1: column 'x': expected a value"),
    ("parquet", "empty label", table(x=[[1.0, 2]] * 2, label=[1, None]), "a label in every row"),
    ("parquet", "text as label", table(x=[[1.0, 2]], label=["cat"]), "numbers as labels, .* text such as 'cat'"),
    ("parquet", "text", table(x=["cat"], label=[1]), "row 0: column 'x': expected numbers"),
    ("parquet", "ragged", table(x=[[[1.0], [1.0, 2]]], label=[1]), "lists of one length"),
    ("csv", "no header", text(""), "at least one sample, got 1 empty files"),
    ("csv", "twice", text("a,a\n1,2\n"), "line 1: expected a header with a name for each column"),
    ("csv", "columns", text("a,b\n1,2\n1\n"), "line 3: expected 2 columns, as in the header, got 1"),
    ("csv", "word", text("a,b,label\n1,dog,1\n"), "line 2: column 'b': expected a number, got 'dog'"),
    ("csv", "empty cell", text("a,b,label\n1,,1\n"), "line 2: column 'b': expected a number, got an empty cell"),
    ("csv", "word as label", text("a,b,label\n1,2,dog\n"), "column 'label': expected a number, got 'dog'"),
    ("csv", "open quote", text('a,b,label\n"1,2,1\n'), "line 2: expected columns on one line"),
    ("webdataset", "no key", archive(("x", b"")), "files named <key>.<field>"),
    ("webdataset", "scattered", archive(("1.npy", b""), ("2.npy", b""), ("1.cls", b"1")), "one after the other"),
    ("webdataset", "class", archive(("1.npy", ARRAY), ("1.cls", b"dog")), r"1\.cls: expected an integer class"),
    ("webdataset", "array", archive(("1.npy", b"nothing"), ("1.cls", b"1")), "an array in NumPy's format"),
    ("webdataset", "objects", archive(("1.npy", npy([{}])), ("1.cls", b"1")), "never unpickled"),
    ("webdataset", "json", archive(("1.npy", ARRAY), ("1.json", b"{")), r"1\.json: expected JSON"),
    ("webdataset", "too short", archive(("1.npy", ARRAY[:-2]), ("1.cls", b"1")), "8 bytes, as its header says, got 6"),
    ("webdataset", "outside", archive(("../1.npy", ARRAY)), "a path that leads out of it"),
    ("webdataset", "absolute", archive(("/1.npy", ARRAY)), "a path that leads out of it"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("form", "case", "make", "message"), BAD, ids=lambda value: value if isinstance(value, str) else ""
)
def test_damaged_records_are_named(tmp_path: Path, form: str, case: str, make: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(opened(form, make(tmp_path / "a"), inputs={"x": tensor(2)}).read([0, 1][: 1 + (case != "text")]))


def test_a_byte_order_mark_tabs_and_empty_lines_are_read_over(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes("\ufefflabel\ta\tb\r\n3\t1\t2\r\n\r\n4\t5\t6".encode())
    dataset = opened("csv", tmp_path / "a.tsv", inputs={"x": tensor(2)})
    assert dataset.labels is not None
    assert dataset.labels.tolist() == [3, 4]
    assert [features["x"].tolist() for _, features, _ in dataset.read([0, 1])] == [[1, 2], [5, 6]]


def test_npy_files_are_the_arrays_of_a_data_set(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "label.npy", LABEL)
    both = NpyDataset.open(files_of(tmp_path / "x.npy", tmp_path / "label.npy"), "calibration.uri")
    alone = NpyDataset.open(files_of(tmp_path / "x.npy"), "calibration.uri")
    assert both.labels is not None
    assert both.labels.tolist() == LABEL.tolist()
    assert (alone.labelled, list(alone.headers)) == (False, ["arr_0"])
    for dataset, name in ((both, "x"), (alone, "arr_0")):
        ((_, features, _),) = dataset.read([7])
        np.testing.assert_array_equal(features[name], X[7])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(X)[:-4], "640 bytes, as its header says, got 636"),
        (npy(X).replace(b"(20, 4, 2)", b"(90000000, 4, 2)")[:-6], "bytes, as its header says"),
        (npy(np.array([{}], object)), "never unpickled"),
        (b"", "whole .npy files"),
        (npy(np.float32(1)), "samples along the first axis"),
    ],
)
def test_an_npy_file_that_is_not_what_it_says_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=message):
        NpyDataset.open(files_of(tmp_path / "x.npy"), "calibration.uri")
