"""Homes of an older litegate: its S3 server kept its objects in one tar file, the workspace among them.

Each object was a member named `bucket/key`. They are carried over once, at the first start of this litegate.
"""

from __future__ import annotations

import logging
import tarfile
from collections.abc import Mapping
from functools import partial
from typing import IO, TYPE_CHECKING

from litegate.stack.home import Home
from litegate.storage.protocol import BLOCK
from litegate.storage.whole_files import write_whole

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["carry_over"]

log = logging.getLogger("litegate")

_WORKSPACE = "litegate", "workspace/"


def carry_over(client: S3Client, home: Home) -> None:
    """Put the objects of an older home where they are now; nothing happens where there are none.

    The old file goes when all of it has been carried over, so that it is tried again after an interruption.
    """
    if not home.old_buckets.exists():
        return
    with tarfile.open(home.old_buckets) as tar:
        for member in tar:
            bucket, headers = member.name.partition("/")[0], member.pax_headers
            if member.isdir():
                client.create_bucket(Bucket=bucket)
            elif body := tar.extractfile(member):
                _carry(client, home, bucket, headers, body)
    home.old_buckets.unlink()
    log.warning("carried over from %s: the workspace to %s, all else to %s", home.old_buckets, home.workspace, home.s3)


def _carry(client: S3Client, home: Home, bucket: str, headers: Mapping[str, str], body: IO[bytes]) -> None:
    key = headers["litegate.key"]
    target = (home.workspace / key.removeprefix(_WORKSPACE[1])).resolve()
    if (bucket, key[: len(_WORKSPACE[1])]) == _WORKSPACE and target.is_relative_to(home.workspace.resolve()):
        write_whole(target, iter(partial(body.read, BLOCK), b""))
    elif headers["litegate.multipart"] == "True":  # how it was uploaded shows in its ETag, which is what pins it
        from boto3.s3.transfer import TransferConfig

        client.upload_fileobj(body, bucket, key, Config=TransferConfig(use_threads=False))
    else:
        client.put_object(Bucket=bucket, Key=key, Body=body)
