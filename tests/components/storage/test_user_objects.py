"""Objects that users bring, on a local folder and on a real S3 protocol server."""

from __future__ import annotations

from pathlib import Path

import pytest

from litegate.errors import DataError
from litegate.storage.s3 import s3_client
from litegate.storage.user_objects import DIGEST_SUFFIX, fetch, list_entries, put


def test_a_cached_s3_object_is_verified_before_it_is_used(
    s3_bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    s3_client().put_object(Bucket=s3_bucket, Key="data.npz", Body=b"good!")
    (entry,) = list_entries(f"s3://{s3_bucket}/data.npz", "evaluation.uri")
    path = fetch(entry, tmp_path, "evaluation.uri")
    beside = path.with_suffix(DIGEST_SUFFIX)
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
