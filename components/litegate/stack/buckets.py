"""The embedded S3 server keeps everything in memory: these put it on disk and back.

One tar file holds all objects, each a member named `bucket/key`. It is written beside the old one and
takes its place by a rename, so a crash loses nothing that an earlier stop had saved.
"""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["dump", "restore"]


def dump(client: S3Client, target: Path) -> int:
    """Write every object of every bucket to `target`; returns how many there are."""
    count = 0
    temporary = target.with_suffix(".new")
    with temporary.open("wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
        temporary.chmod(0o600)
        for bucket in _bucket_names(client):
            tar.addfile(_member(bucket, tarfile.DIRTYPE))
            for key in _keys(client, bucket):
                answer = client.get_object(Bucket=bucket, Key=key)
                member = _member(f"{bucket}/{key}")
                member.size = answer["ContentLength"]
                # How it was uploaded shows in its ETag, which is what pins it.
                member.pax_headers = {"litegate.key": key, "litegate.multipart": str("-" in answer["ETag"])}
                tar.addfile(member, answer["Body"])
                count += 1
        tar.close()
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    return count


def restore(client: S3Client, source: Path) -> None:
    """Put the objects of an earlier `dump` back; nothing happens if there was none."""
    if not source.exists():
        return
    with tarfile.open(source) as tar:
        for member in tar:
            bucket, headers = member.name.partition("/")[0], member.pax_headers
            if member.isdir():
                client.create_bucket(Bucket=bucket)
            elif body := tar.extractfile(member):
                _put(client, bucket, headers["litegate.key"], body.read(), headers["litegate.multipart"] == "True")


def _put(client: S3Client, bucket: str, key: str, data: bytes, multipart: bool) -> None:
    if multipart:
        from boto3.s3.transfer import TransferConfig

        client.upload_fileobj(io.BytesIO(data), bucket, key, Config=TransferConfig(use_threads=False))
    else:
        client.put_object(Bucket=bucket, Key=key, Body=data)


def _bucket_names(client: S3Client) -> list[str]:
    return [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


def _keys(client: S3Client, bucket: str) -> Iterator[str]:
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", ()):
            yield item["Key"]


def _member(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    return member
