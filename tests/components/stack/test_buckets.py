from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from litegate.stack.buckets import dump, restore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGE = bytes(9 << 20)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Callable[[], AbstractContextManager[S3Client]]:
    """Each call is a server that knows nothing yet."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)

    @contextmanager
    def fresh() -> Iterator[S3Client]:
        with mock_aws():
            yield boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")

    return fresh


def contents(client: S3Client) -> dict[str, tuple[str, int]]:
    found = {}
    for bucket in client.list_buckets()["Buckets"]:
        for item in client.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
            found[f"{bucket['Name']}:{item['Key']}"] = (item["ETag"], item["Size"])
    return found


def test_every_object_comes_back_with_its_etag(server, tmp_path):
    (tmp_path / "large").write_bytes(LARGE)
    with server() as client:
        client.create_bucket(Bucket="one")
        client.create_bucket(Bucket="empty")
        for key in ("a", "a/b", "folder/", "/slash", "../up", "ä ö", "x" * 300):
            client.put_object(Bucket="one", Key=key, Body=key.encode())
        client.upload_file(str(tmp_path / "large"), "one", "uploaded in parts")
        client.put_object(Bucket="one", Key="put at once", Body=LARGE)
        before = contents(client)
        assert dump(client, tmp_path / "s3.tar") == 9

    with server() as client:
        assert contents(client) == {}
        restore(client, tmp_path / "s3.tar")
        assert contents(client) == before
        assert {bucket["Name"] for bucket in client.list_buckets()["Buckets"]} == {"one", "empty"}


def test_a_dump_that_breaks_off_leaves_the_earlier_one(server, tmp_path, monkeypatch):
    with server() as client:
        client.create_bucket(Bucket="one")
        client.put_object(Bucket="one", Key="a", Body=b"1")
        dump(client, tmp_path / "s3.tar")
        saved = (tmp_path / "s3.tar").read_bytes()

        monkeypatch.setattr(client, "get_object", lambda **_: pytest.fail("the server is gone"))
        with pytest.raises(pytest.fail.Exception):
            dump(client, tmp_path / "s3.tar")

    assert (tmp_path / "s3.tar").read_bytes() == saved


def test_restoring_without_a_dump_does_nothing(server, tmp_path):
    with server() as client:
        restore(client, tmp_path / "s3.tar")
        assert contents(client) == {}
