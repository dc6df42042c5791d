"""A home of an older litegate: its tar file is carried over once, the workspace to its folder."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from litegate.stack.home import Home
from litegate.stack.old_buckets import carry_over


def old_home(path: Path, *objects: tuple[str, str, bytes, bool]) -> Home:
    """A home with the tar file of an older litegate."""
    home = Home(path / "home")
    home.prepare()
    with tarfile.open(home.old_buckets, "w") as tar:
        for bucket, key, body, multipart in objects:
            folder = tarfile.TarInfo(bucket)
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
            member = tarfile.TarInfo(f"{bucket}/{key}")
            member.size = len(body)
            member.pax_headers = {"litegate.key": key, "litegate.multipart": str(multipart)}
            tar.addfile(member, io.BytesIO(body))
    return home


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield boto3.client("s3", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")


def test_the_workspace_goes_to_its_folder_and_all_else_to_the_server(tmp_path: Path, client: Any) -> None:
    home = old_home(
        tmp_path,
        ("litegate", "workspace/files/abc", b"result", False),
        ("litegate", "examples/model.keras", b"model", False),
        ("mine", "large", bytes(9 << 20), True),
    )
    carry_over(client, home)
    assert (home.workspace / "files" / "abc").read_bytes() == b"result"
    assert client.get_object(Bucket="litegate", Key="examples/model.keras")["Body"].read() == b"model"
    assert "-" in client.head_object(Bucket="mine", Key="large")["ETag"]
    assert client.list_objects_v2(Bucket="litegate", Prefix="workspace/")["KeyCount"] == 0
    assert not home.old_buckets.exists()
    carry_over(client, home)  # there is nothing any more


def test_a_key_that_leads_out_of_the_workspace_stays_an_object(tmp_path: Path, client: Any) -> None:
    home = old_home(tmp_path, ("litegate", "workspace/../../evil", b"x", False))
    carry_over(client, home)
    assert not (tmp_path / "evil").exists()
    assert not (home.root / "evil").exists()
