"""The workspace on a local folder and on a real S3 protocol server."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest

from litegate.digest import digest_bytes
from litegate.errors import DataError, StoreError
from litegate.records import FileRef
from litegate.storage import objects
from litegate.storage import user_objects as storage
from litegate.storage.user_objects import fetch, list_entries, manifest_digest, put, s3_client, split_s3
from litegate.storage.workspace import Store

KEY = "k" * 64


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return Store(str(tmp_path / "workspace"), tmp_path / "cache")
    bucket = request.getfixturevalue("s3_bucket")
    return Store(f"s3://{bucket}/workspace", tmp_path / "cache")


def test_a_result_is_found_again_and_never_overwritten(store: Store) -> None:
    assert store.result("convert", "k") is None
    store.keep_result("convert", "k", {"value": 1})
    store.keep_result("convert", "k", {"value": 2})
    assert store.result("convert", "k") == {"value": 1}


def test_a_file_comes_back_under_its_digest(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"bytes")
    ref = store.keep_file(path, "int8.tflite")
    assert ref == FileRef(name="int8.tflite", digest=digest_bytes(b"bytes"), bytes=5)
    assert store.keep_file(path, "again.tflite").digest == ref.digest
    assert store.fetch(ref).read_bytes() == b"bytes"
    assert store.uri(ref).endswith(f"/files/{ref.digest}")


def test_a_mark_is_replaced(store: Store) -> None:
    assert store.mark("watch-1") is None
    for value in ({"uri": "a"}, {"uri": "b"}):
        store.set_mark("watch-1", value)
        assert store.mark("watch-1") == value
    assert store.mark("watch-2") is None


def test_a_use_is_noted_once_a_day(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"bytes")
    ref = store.keep_file(path, "file")
    store.keep_result("convert", KEY, {"value": 1})
    first = last_uses(store)
    assert store.use_result("convert", KEY, {ref})
    assert last_uses(store) == first
    time.sleep(1.1)  # S3 counts in seconds
    now = time.time()
    monkeypatch.setattr("litegate.storage.use.time.time", lambda: now + 86_400)
    assert store.use_result("convert", KEY, {ref})
    assert all(last_uses(store)[name] > used for name, used in first.items())
    assert store.result("convert", KEY) == {"value": 1}
    assert store.fetch(ref).read_bytes() == b"bytes"


def test_a_result_without_its_files_is_of_no_use(store: Store) -> None:
    store.keep_result("convert", KEY, {"value": 1})
    assert not store.use_result("convert", KEY, {FileRef(name="gone", digest="0" * 64, bytes=1)})
    store.forget_result("convert", KEY)
    store.forget_result("convert", KEY)
    store.keep_result("convert", KEY, {"value": 2})
    assert store.result("convert", KEY) == {"value": 2}


def last_uses(store: Store) -> dict[str, float]:
    return {item.name: item.used for page in objects.pages(store.root) for item in page}


def test_a_missing_file_is_an_error_that_names_it(store: Store) -> None:
    with pytest.raises(StoreError, match=r"int8\.tflite\) is missing"):
        store.fetch(FileRef(name="int8.tflite", digest="0" * 64, bytes=1))


def test_damaged_bytes_are_never_handed_out(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"good!")
    ref = store.keep_file(path, "file")
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"bad!!")
    put(damaged, store.uri(ref))
    with pytest.raises(StoreError, match="is damaged"):
        store.fetch(ref)
    assert not (tmp_path / "cache" / "files" / ref.digest).exists()


def test_a_cached_copy_that_was_altered_at_equal_size_is_fetched_again(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"good!")
    ref = store.keep_file(path, "float32.tflite")
    cached = store.fetch(ref)
    before = cached.stat()
    cached.write_bytes(b"bad!!")
    os.utime(cached, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.fetch(ref).read_bytes() == b"good!"
    assert f"the cached copy of float32.tflite ({cached}) is damaged: it is fetched again" in caplog.messages


def test_a_damaged_file_of_the_workspace_says_what_to_do(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"good!")
    ref = store.keep_file(tmp_path / "file", "file")
    (tmp_path / "damaged").write_bytes(b"bad!!")
    put(tmp_path / "damaged", store.uri(ref))
    with pytest.raises(StoreError, match="remove it, and clear the step that made it"):
        store.fetch(ref)


def test_a_reference_with_another_size_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"good!")
    ref = store.keep_file(tmp_path / "file", "file")
    for _ in range(2):
        with pytest.raises(StoreError, match="expected 4 bytes, got 5"):
            store.fetch(ref.model_copy(update={"bytes": 4}))


def test_the_cache_is_its_owners_alone(store: Store, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir(mode=0o777)
    (tmp_path / "file").write_bytes(b"good!")
    store.fetch(store.keep_file(tmp_path / "file", "file"))
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700


def test_a_cached_s3_object_is_verified_before_it_is_used(
    s3_bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    s3_client().put_object(Bucket=s3_bucket, Key="data.npz", Body=b"good!")
    (entry,) = list_entries(f"s3://{s3_bucket}/data.npz", "evaluation.uri")
    path = fetch(entry, tmp_path, "evaluation.uri")
    beside = path.with_suffix(storage.DIGEST_SUFFIX)
    for damage in (lambda: path.write_bytes(b"bad!!"), lambda: beside.write_text("0" * 64)):
        damage()
        caplog.clear()
        assert fetch(entry, tmp_path, "evaluation.uri").read_bytes() == b"good!"
        assert f"the cached copy of {entry.uri} ({path}) is damaged: it is fetched again" in caplog.messages
    beside.unlink()
    path.write_bytes(b"bad!!")
    assert fetch(entry, tmp_path, "evaluation.uri").read_bytes() == b"good!", "what says nothing of itself is no proof"


def test_an_s3_object_that_comes_in_half_is_not_kept(s3_bucket: str, tmp_path: Path) -> None:
    s3_client().put_object(Bucket=s3_bucket, Key="data.npz", Body=b"half")
    (entry,) = list_entries(f"s3://{s3_bucket}/data.npz", "evaluation.uri")
    with pytest.raises(ConnectionError, match="4 bytes of 8 came"):
        fetch(entry.model_copy(update={"size": 8}), tmp_path, "evaluation.uri")
    assert not list((tmp_path / "objects").iterdir())


def test_names_that_leave_their_folder_are_refused() -> None:
    for name in ("../x", "/etc/passwd", "a/../../x", "", "x" * 2000):
        with pytest.raises(ValueError, match="relative path"):
            FileRef(name=name, digest="0" * 64, bytes=0)
    for name in ("a\0b", "a\nb", "a\x1b[31m"):
        with pytest.raises(ValueError, match="control characters"):
            FileRef(name=name, digest="0" * 64, bytes=0)


def test_s3_objects_are_listed_pinned_and_fetched_once(s3_bucket: str, tmp_path: Path) -> None:
    for name in ("a/1.txt", "a/2.txt", "ab/3.txt"):
        s3_client().put_object(Bucket=s3_bucket, Key=f"data/{name}", Body=name.encode())
    entries = list_entries(f"s3://{s3_bucket}/data/a", "evaluation.uri")
    assert [entry.name for entry in entries] == ["1.txt", "2.txt"]
    path = fetch(entries[0], tmp_path, "evaluation.uri")
    assert path.read_bytes() == b"a/1.txt"
    assert fetch(entries[0], tmp_path, "evaluation.uri") == path
    (single,) = list_entries(f"s3://{s3_bucket}/data/ab/3.txt", "evaluation.uri")
    assert (single.name, single.size) == ("3.txt", 8)


def test_an_object_that_changed_since_the_run_began_is_refused(s3_bucket: str, tmp_path: Path) -> None:
    local = tmp_path / "file"
    for uri in (str(tmp_path / "data.npz"), f"s3://{s3_bucket}/data.npz"):
        local.write_bytes(b"before")
        put(local, uri)
        (entry,) = list_entries(uri, "calibration.uri")
        local.write_bytes(b"after it")
        put(local, uri)
        with pytest.raises(DataError, match=r"calibration\.uri"):
            fetch(entry, tmp_path / "cache", "calibration.uri")


@pytest.mark.parametrize("uri", ["s3://{bucket}/nothing", "s3://no-such-bucket/x", "{folder}/nothing"])
def test_nothing_at_a_uri_is_bad_input_that_names_the_key(s3_bucket: str, tmp_path: Path, uri: str) -> None:
    with pytest.raises(DataError, match=r"model\.uri: expected .*, got"):
        list_entries(uri.format(bucket=s3_bucket, folder=tmp_path), "model.uri")


def test_a_manifest_digest_follows_the_content_and_not_the_folder(tmp_path: Path) -> None:
    def digest(folder: str, text: str) -> str:
        path = tmp_path / folder / "x.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        storage.os.utime(path, ns=(1, 1))
        return manifest_digest(list_entries(str(path.parent), "x"))

    assert digest("a", "same") == digest("b", "same")
    assert digest("a", "same") != digest("c", "more of it")


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("s3://b/k", ("b", "k")),
        ("s3://b/k/with#hash?", ("b", "k/with#hash?")),
        ("s3://b", ("b", "")),
        ("s3://b/", ("b", "")),
    ],
)
def test_s3_addresses_are_split_at_the_bucket(uri: str, parts: tuple[str, str]) -> None:
    assert split_s3(uri) == parts


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def blocks():
        yield b"half"
        raise OSError("connection lost")

    with pytest.raises(OSError, match="connection lost"):
        storage.write_whole(tmp_path / "target", blocks())
    assert list(tmp_path.iterdir()) == []
