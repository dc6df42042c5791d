"""Datasets on S3 of which few samples are read: the same samples, and little else is fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from litegate.datasets import Dataset, npz_spans, open_dataset
from litegate.datasets.sampling import choose_stratified
from litegate.datasets.snapshots import snapshot_data
from litegate.errors import DataError
from litegate.runtimes.litert import Tensor
from litegate.spec import parse_spec
from litegate.storage import spans
from litegate.storage.connections import Asked
from litegate.storage.s3 import s3_client
from litegate.storage.user_objects import put
from litegate.work.step_work import Work
from tests.components.datasets.writers import example, tfrecord

SHARDS, SAMPLES, WIDTH = 3, 400, 512
INPUTS = {"x": Tensor((-1, WIDTH), np.dtype(np.float32), 0.0, 0)}
CHOSEN = 12


@dataclass
class Traffic:
    """What was asked of the server: the `Range` of each GET request, None for a whole object; and the bytes sent."""

    ranges: list[str | None] = field(default_factory=list)
    sent: int = 0

    @property
    def whole(self) -> int:
        return self.ranges.count(None)


@pytest.fixture
def traffic(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Traffic:
    """What the dataset costs, where a request is worth no more than a few rows."""
    monkeypatch.setattr(spans, "GAP", 1 << 12)
    monkeypatch.setattr(npz_spans, "_TAIL", 1 << 12)
    seen = Traffic()

    def came(asked: Asked) -> bytes | None:
        seen.ranges.append(f"bytes {asked.part.first}-{asked.part.last}")
        seen.sent += asked.part.last - asked.part.first + 1
        return content(asked)

    def answered(parsed: Any, **_: Any) -> None:
        if "ContentLength" in parsed:  # else it was only prepared
            seen.ranges.append(parsed.get("ContentRange"))
            seen.sent += parsed["ContentLength"]

    content = Asked.content
    monkeypatch.setattr(Asked, "content", came)
    s3_client().meta.events.register("after-call.s3.GetObject", answered)
    return seen


@pytest.fixture
def arrays() -> list[tuple[np.ndarray, np.ndarray]]:
    random = np.random.default_rng(3)
    return [(random.normal(size=(SAMPLES, WIDTH)).astype(np.float32), np.arange(SAMPLES) % 4) for _ in range(SHARDS)]


@pytest.fixture
def opened(tmp_path: Path, s3_bucket: str) -> Callable[..., Dataset]:
    """What opens the dataset at `s3://<bucket>/data/`, pinned now, each time with an empty cache."""
    count = iter(range(100))

    def open_it(form: str, *, sparse: bool = True, snapshot: bool = True) -> Dataset:
        data = {"uri": f"s3://{s3_bucket}/data/", "format": form}
        spec = parse_spec({"model": {"name": "x", "uri": "x"}, "calibration": data, "evaluation": data})
        folder = tmp_path / f"work-{next(count)}"
        folder.mkdir()
        work = Work(folder, folder / "cache")
        ref = snapshot_data(spec.calibration, "calibration.uri", work)
        work.path(ref.manifest).parent.mkdir(parents=True)
        (work.outputs / ref.manifest.digest).rename(work.path(ref.manifest))
        return open_dataset(ref, work, "calibration.uri", INPUTS, sparse=sparse)

    return open_it


def upload(folder: Path, bucket: str) -> int:
    """Put the files of a folder into the bucket; their bytes."""
    for path in sorted(folder.iterdir()):
        put(path, f"s3://{bucket}/data/{path.name}")
    return sum(path.stat().st_size for path in folder.iterdir())


@pytest.fixture
def npz(tmp_path: Path, arrays: Any) -> Callable[..., Path]:
    """What writes the samples as npz files, all or some of them."""

    def write(save: Any = np.savez, shards: int = SHARDS) -> Path:
        (tmp_path / "npz").mkdir()
        for at, (x, label) in enumerate(arrays[:shards]):
            save(tmp_path / "npz" / f"part-{at}.npz", x=x, label=label)
        return tmp_path / "npz"

    return write


@pytest.fixture
def records(tmp_path: Path, arrays: Any) -> Path:
    """The samples as TFRecord files, each with its index beside it."""
    folder = tmp_path / "tfrecord"
    folder.mkdir()
    for at, (x, label) in enumerate(arrays):
        payloads = [example({"x": one, "label": each}) for one, each in zip(x, label, strict=True)]
        tfrecord(folder / f"part-{at}.tfrecord", payloads)
        lines, offset = [], 0
        for payload in payloads:
            lines.append(f"{offset} {len(payload) + 16}\n")
            offset += len(payload) + 16
        (folder / f"part-{at}.tfrecord.idx").write_text("".join(lines))
    return folder


def rows(dataset: Dataset) -> list[tuple[int, list[float], Any]]:
    chosen = choose_stratified(dataset.ids, dataset.labels, CHOSEN, 7)
    return [(index, features["x"].tolist(), label) for index, features, label in dataset.read(chosen)]


@pytest.mark.parametrize("shards", [1, SHARDS])
def test_of_stored_arrays_only_labels_and_rows_are_fetched(
    npz: Any, opened: Any, traffic: Traffic, s3_bucket: str, shards: int
) -> None:
    size = upload(npz(shards=shards), s3_bucket)
    found = rows(opened("npz"))
    assert traffic.whole == 0
    assert traffic.sent < 0.2 * size
    assert len(traffic.ranges) <= shards * (2 + 2) + CHOSEN, "the ends, the labels and another head; the rows"
    assert found == rows(opened("npz", sparse=False))
    assert traffic.whole == shards


def test_the_joined_files_are_one_dataset(npz: Any, opened: Any, s3_bucket: str, arrays: Any) -> None:
    upload(npz(), s3_bucket)
    dataset = opened("npz")
    assert len(dataset.ids) == SHARDS * SAMPLES
    assert (dataset.ids[SAMPLES + 2], dataset.ids[-1]) == ("part-1.npz:2", f"part-2.npz:{SAMPLES - 1}")
    assert list(dataset.ids) == [dataset.ids[index] for index in range(len(dataset.ids))]
    assert dataset.labels.tolist() == [label for _, labels in arrays for label in labels.tolist()]
    (index, features, label) = next(iter(dataset.read([2 * SAMPLES + 5])))
    assert (index, label) == (2 * SAMPLES + 5, 1)
    assert np.array_equal(features["x"], arrays[2][0][5])


def test_files_with_other_arrays_are_not_joined(npz: Any, opened: Any, s3_bucket: str) -> None:
    folder = npz()
    np.savez(folder / "part-9.npz", x=np.zeros((5, WIDTH)), label=np.zeros(5, int))
    upload(folder, s3_bucket)
    with pytest.raises(DataError, match=r"part-9.npz: expected the arrays of part-0.npz: .*float32.*, got .*float64"):
        opened("npz")


def test_packed_arrays_are_fetched_whole(npz: Any, opened: Any, traffic: Traffic, s3_bucket: str) -> None:
    upload(npz(np.savez_compressed), s3_bucket)
    found = rows(opened("npz"))
    assert traffic.whole == SHARDS
    assert found == rows(opened("npz", sparse=False))


def test_arrays_in_columns_are_read_right(tmp_path: Path, opened: Any, s3_bucket: str, arrays: Any) -> None:
    (tmp_path / "f").mkdir()
    np.savez(tmp_path / "f" / "a.npz", x=np.asfortranarray(arrays[0][0]), label=arrays[0][1])
    upload(tmp_path / "f", s3_bucket)
    assert rows(opened("npz")) == rows(opened("npz", sparse=False))


def test_a_damaged_label_is_found(npz: Any, opened: Any, s3_bucket: str) -> None:
    folder = npz(shards=1)
    content = bytearray((folder / "part-0.npz").read_bytes())
    content[content.index(np.arange(SAMPLES, dtype=np.int64)[:4].tobytes()) + 8 * 9] ^= 2
    (folder / "part-0.npz").write_bytes(content)
    upload(folder, s3_bucket)
    with pytest.raises(DataError, match="Bad CRC-32"):
        opened("npz")


def test_of_indexed_records_only_the_chosen_are_fetched(
    records: Path, opened: Any, traffic: Traffic, s3_bucket: str, arrays: Any
) -> None:
    size = upload(records, s3_bucket)
    dataset = opened("tfrecord")
    assert (dataset.labels, dataset.labelled, len(dataset.ids)) == (None, True, SHARDS * SAMPLES)
    found = rows(dataset)
    assert traffic.whole == 0
    assert traffic.sent < 0.2 * size
    assert len(traffic.ranges) <= SHARDS + 1 + CHOSEN, "the indexes, the first record, the chosen ones"
    assert len(found) == CHOSEN
    for index, x, label in found:
        values, labels = arrays[index // SAMPLES]
        assert (x, label) == (values[index % SAMPLES].tolist(), labels[index % SAMPLES])
    whole = opened("tfrecord", sparse=False)
    assert list(whole.ids) == list(dataset.ids)
    assert whole.labels is not None, "the indexes are no data, and all else is as without them"


def test_without_an_index_for_each_file_records_are_read_as_ever(
    records: Path, opened: Any, traffic: Traffic, s3_bucket: str
) -> None:
    (records / "part-1.tfrecord.idx").unlink()
    upload(records, s3_bucket)
    assert opened("tfrecord").labels is not None
    assert traffic.whole == SHARDS


INDEXES = {
    "old": (lambda text: text[: text.rindex("\n", 0, -1) + 1], "records that fill the file's"),
    "shifted": (lambda text: text.replace("0 ", "1 ", 1), "records that fill the file's"),
    "words": (lambda text: text.replace("0 ", "zero ", 1), "an offset and a size in each line"),
    "of a tar": (
        lambda text: "\n".join(f"{line} a b" for line in text.splitlines()),
        "an offset and a size in each line",
    ),
    "empty": (lambda text: "", "records that fill the file's"),
}


@pytest.mark.parametrize("damage", INDEXES)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_an_index_of_something_else_is_refused(records: Path, opened: Any, s3_bucket: str, damage: str) -> None:
    index = records / "part-1.tfrecord.idx"
    change, message = INDEXES[damage]
    index.write_text(change(index.read_text()))
    upload(records, s3_bucket)
    with pytest.raises(DataError, match=message) as caught:
        opened("tfrecord")
    assert "part-1.tfrecord: its index part-1.tfrecord.idx" in str(caught.value)


def test_a_damaged_record_is_found(records: Path, opened: Any, s3_bucket: str) -> None:
    for path in records.glob("*.tfrecord"):
        content = np.frombuffer(path.read_bytes(), np.uint8).reshape(SAMPLES, -1).copy()
        content[1:, 200] ^= 1  # every record but the first, which says what the fields are
        path.write_bytes(content.tobytes())
    upload(records, s3_bucket)
    with pytest.raises(DataError, match="a wrong checksum of its data"):
        rows(opened("tfrecord"))


def test_a_file_that_changes_between_index_and_rows_is_refused(npz: Any, opened: Any, s3_bucket: str) -> None:
    folder = npz()
    upload(folder, s3_bucket)
    dataset = opened("npz")
    np.savez(folder / "part-1.npz", x=np.ones((SAMPLES, WIDTH), np.float32), label=np.arange(SAMPLES) % 4)
    upload(folder, s3_bucket)
    with pytest.raises(DataError, match="PreconditionFailed"):
        rows(dataset)
