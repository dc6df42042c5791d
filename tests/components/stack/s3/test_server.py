"""The embedded S3 server, as a process of its own that is killed: what it has acknowledged is there afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from litegate.stack.servers import listens
from tests.servers import free_port

KEYS = {"AWS_ACCESS_KEY_ID": "LITEGATETEST", "AWS_SECRET_ACCESS_KEY": "a secret/with+signs"}


class Server:
    """The server on a folder of its own; it can be killed and started again at the same address."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "litegate.stack.s3", "127.0.0.1", str(self.port), str(self.folder)]
        with (self.folder.parent / "s3.log").open("ab") as log:
            self.process = subprocess.Popen(command, env=os.environ | KEYS, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while not listens(self.url):
            assert self.process.poll() is None, (self.folder.parent / "s3.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def client(self, key: str = KEYS["AWS_ACCESS_KEY_ID"], secret: str = KEYS["AWS_SECRET_ACCESS_KEY"]) -> Any:
        config = Config(retries={"max_attempts": 1}, signature_version="s3v4")
        given = {"aws_access_key_id": key, "aws_secret_access_key": secret}
        return boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", config=config, **given)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    started = Server(tmp_path_factory.mktemp("s3") / "objects")
    yield started
    started.kill()


def described(client: Any, bucket: str) -> dict[str, Any]:
    """Everything that a client sees of a bucket's objects."""
    found = {}
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", ()):
            got = client.get_object(Bucket=bucket, Key=item["Key"])
            seen = (item["ETag"], got["ETag"], got["ContentType"], got["Metadata"], got["LastModified"])
            found[item["Key"]] = (*seen, got["Body"].read())
    return found


def test_what_was_acknowledged_survives_a_kill_to_the_byte_and_the_etag(server: Server) -> None:
    client = server.client()
    for bucket in ("kinds", "empty", "gone"):
        client.create_bucket(Bucket=bucket)
    client.delete_bucket(Bucket="gone")
    client.put_object(Bucket="kinds", Key="plain", Body=b"bytes", ContentType="text/plain", Metadata={"who": "me"})
    client.put_object(Bucket="kinds", Key="folder/größe ü+%&?#.txt", Body="größe".encode())
    client.put_object(Bucket="kinds", Key="k" * 900, Body=b"")
    client.put_object(Bucket="kinds", Key="twice", Body=b"first")
    client.put_object(Bucket="kinds", Key="twice", Body=b"second")
    client.copy_object(Bucket="kinds", Key="copy", CopySource={"Bucket": "kinds", "Key": "plain"})
    for key in ("one", "two", "three"):
        client.put_object(Bucket="kinds", Key=f"deleted/{key}", Body=b"x")
    client.delete_object(Bucket="kinds", Key="deleted/one")
    client.delete_objects(Bucket="kinds", Delete={"Objects": [{"Key": "deleted/two"}, {"Key": "deleted/three"}]})
    large = server.folder.parent / "large"
    large.write_bytes(os.urandom(20 << 20))
    client.upload_file(str(large), "kinds", "multipart", Config=TransferConfig(use_threads=False))
    before = described(client, "kinds")
    assert "-" in before["multipart"][0]

    server.kill()
    server.start()

    after = described(server.client(), "kinds")
    assert after == before
    assert set(after) == {"plain", "folder/größe ü+%&?#.txt", "k" * 900, "twice", "copy", "multipart"}
    assert [each["Name"] for each in server.client().list_buckets()["Buckets"]] == ["empty", "kinds"]


def test_a_kill_amid_uploads_loses_nothing_that_was_acknowledged_and_leaves_nothing_in_part(server: Server) -> None:
    client, acknowledged = server.client(), set()
    client.create_bucket(Bucket="amid")

    def upload() -> None:
        for number in range(10_000):
            try:
                client.put_object(Bucket="amid", Key=str(number), Body=str(number).encode() * 10_000)
            except (BotoCoreError, ClientError):
                return
            acknowledged.add(str(number))

    thread = threading.Thread(target=upload)
    thread.start()
    while len(acknowledged) < 20:
        time.sleep(0.01)
    server.kill()
    thread.join()
    server.start()

    found = described(server.client(), "amid")
    assert acknowledged <= set(found)
    assert len(found) <= len(acknowledged) + 1
    assert all(each[-1] == key.encode() * 10_000 for key, each in found.items())


def test_a_conditional_put_does_not_replace_what_is_there(server: Server) -> None:
    client = server.client()
    client.create_bucket(Bucket="conditional")
    client.put_object(Bucket="conditional", Key="a", Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket="conditional", Key="a", Body=b"second", IfNoneMatch="*")
    server.kill()
    server.start()
    assert server.client().get_object(Bucket="conditional", Key="a")["Body"].read() == b"first"


def test_a_damaged_file_is_set_aside_and_the_rest_is_served(server: Server) -> None:
    client = server.client()
    client.create_bucket(Bucket="damaged")
    client.put_object(Bucket="damaged", Key="a", Body=b"abc")
    client.put_object(Bucket="damaged", Key="b", Body=b"abc")
    path = next((server.folder / "damaged").iterdir())
    server.kill()
    path.write_bytes(path.read_bytes()[:-1] + b"d")
    server.start()
    assert len(described(server.client(), "damaged")) == 1
    assert "is damaged" in (server.folder.parent / "s3.log").read_text()
    assert len(list(server.folder.glob("damaged-*"))) == 1


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("litegate", "litegate", "InvalidAccessKeyId"),
        (KEYS["AWS_ACCESS_KEY_ID"], "another", "SignatureDoesNotMatch"),
    ],
)
def test_whoever_has_not_the_keys_neither_reads_nor_writes(server: Server, key: str, secret: str, code: str) -> None:
    stranger = server.client(key, secret)
    for call in (
        stranger.list_buckets,
        lambda: stranger.create_bucket(Bucket="strangers"),
        lambda: stranger.put_object(Bucket="kinds", Key="plain", Body=b"theirs"),
        lambda: stranger.get_object(Bucket="kinds", Key="plain"),
    ):
        with pytest.raises(ClientError, match=code):
            call()
    assert "strangers" not in [each["Name"] for each in server.client().list_buckets()["Buckets"]]


def test_an_unsigned_request_is_refused_and_a_presigned_address_is_not(server: Server) -> None:
    import httpx

    client = server.client()
    client.create_bucket(Bucket="presigned")
    client.put_object(Bucket="presigned", Key="a b", Body=b"abc")
    address = client.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "a b"})
    assert httpx.get(address, trust_env=False).content == b"abc"
    assert httpx.get(address.replace("a%20b", "a%20c"), trust_env=False).status_code == 403
    assert httpx.get(f"{server.url}/presigned/a%20b", trust_env=False).status_code == 403
    assert httpx.post(f"{server.url}/moto-api/reset", trust_env=False).status_code == 403
    assert "presigned" in [each["Name"] for each in client.list_buckets()["Buckets"]]


def test_a_file_is_uploaded_in_signed_chunks_too(server: Server) -> None:
    """As boto3 does for a stream whose length it does not know beforehand, with a checksum behind it."""
    client = server.client()
    client.create_bucket(Bucket="stream")
    with (server.folder.parent / "s3.log").open("rb") as file:
        client.put_object(Bucket="stream", Key="log", Body=file, ChecksumAlgorithm="SHA256")
    assert client.get_object(Bucket="stream", Key="log")["Body"].read()


def test_other_services_of_the_simulator_and_odd_names_are_out_of_reach(server: Server) -> None:
    given = {"aws_access_key_id": KEYS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"]}
    sqs = boto3.client("sqs", endpoint_url=server.url, region_name="us-east-1", **given)
    with pytest.raises(ClientError):
        sqs.create_queue(QueueName="queue")
    with pytest.raises(ClientError, match="InvalidBucketName"):
        server.client().create_bucket(Bucket="..upper..")
    assert not [path.name for path in server.folder.parent.iterdir() if path.name not in ("objects", "s3.log", "large")]
