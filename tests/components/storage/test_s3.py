"""What holds for S3 alone, on a real S3 protocol server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from litegate.diagnosis import kind_of
from litegate.failures import FailureKind
from litegate.storage import s3
from litegate.storage.protocol import Refused
from litegate.storage.s3 import S3Storage, client_for, s3_client, split_s3


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


@pytest.mark.usefixtures("s3_bucket")
@pytest.mark.parametrize(
    ("bucket", "code"), [("no-such-bucket", "NoSuchBucket"), ("No_Bucket!", "Invalid bucket name")]
)
def test_a_bucket_that_cannot_be_had_is_refused_and_not_taken_for_empty(bucket: str, code: str) -> None:
    storage = S3Storage(f"s3://{bucket}/x")
    for act in (
        lambda: list(storage.pages()),
        storage.children,
        lambda: storage.put("a", b""),
        lambda: storage.put_if_absent("a", b""),
        lambda: storage.delete(["a"]),
    ):
        with pytest.raises(Refused, match=code):
            act()


def test_without_credentials_it_is_said(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nothing")
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    s3_client().close()
    client_for.cache_clear()
    with pytest.raises(Refused, match="Unable to locate credentials"):
        S3Storage(f"s3://{s3_bucket}").find("a")


def test_a_key_that_ends_with_a_slash_is_no_object(s3_bucket: str) -> None:
    s3_client().put_object(Bucket=s3_bucket, Key="data/", Body=b"")
    s3_client().put_object(Bucket=s3_bucket, Key="data/a/", Body=b"")
    storage = S3Storage(f"s3://{s3_bucket}/data/")
    assert storage.find("") is None
    assert [list(page) for page in storage.pages()] == [[]]
    assert list(storage.children()) == ["a"]


def test_what_is_large_is_uploaded_in_parts_and_the_first_writer_wins(
    s3_bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = (32 << 20) + 1
    monkeypatch.setattr(s3, "LARGE", large)
    (tmp_path / "large").write_bytes(b"first")
    with (tmp_path / "large").open("r+b") as file:
        file.truncate(large)
    storage = S3Storage(f"s3://{s3_bucket}")
    assert storage.put_if_absent("large", tmp_path / "large")
    found = storage.find("large")
    assert found is not None
    assert found.size == large
    assert found.version.endswith('-3"'), "three parts"
    assert not storage.put_if_absent("large", tmp_path / "large")
    assert storage.find("large") == found
    assert "Uploads" not in s3_client().list_multipart_uploads(Bucket=s3_bucket), "no part is left"
    assert next(storage.read("large"))[:6] == b"first\0"


@pytest.mark.parametrize("times", [1, 9])
def test_others_who_write_at_the_same_moment_are_waited_for(
    s3_bucket: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Amazon's servers say 409 where two conditional requests meet."""
    left = list(range(times))

    def conflict(request: Any, **_: object) -> AWSResponse | None:
        if not left:
            return None
        left.pop()
        response = AWSResponse(request.url, 409, {}, None)
        response._content = b"<Error><Code>ConditionalRequestConflict</Code></Error>"
        return response

    monkeypatch.setattr(s3.time, "sleep", lambda _: None)
    s3_client().meta.events.register("before-send.s3.PutObject", conflict)
    storage = S3Storage(f"s3://{s3_bucket}")
    if times == 1:
        assert storage.put_if_absent("a", b"1")
        return
    with pytest.raises(ConnectionError, match=f"s3://{s3_bucket}/a: others are writing it"):
        storage.put_if_absent("a", b"1")


def test_an_error_of_the_server_stays_what_it_is(s3_bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(request: Any, **_: object) -> AWSResponse:
        response = AWSResponse(request.url, 503, {}, None)
        response._content = b"<Error><Code>SlowDown</Code></Error>"
        return response

    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    s3_client().meta.events.register("before-send.s3.*", fail)
    with pytest.raises(ClientError, match="SlowDown") as caught:
        S3Storage(f"s3://{s3_bucket}").put_if_absent("a", b"1")
    assert kind_of(caught.value) is FailureKind.INFRASTRUCTURE
