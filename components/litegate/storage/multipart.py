"""A large file to S3 in parts, as an object that is new: the last request puts them together, and is conditional.

boto3's own transfers have no condition, and one PUT request takes 5 GiB at most.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

__all__ = ["LARGE", "upload_new"]

LARGE = 64 << 20
"""Bytes from which on a file is uploaded in parts."""

_PART = 16 << 20
_PARTS = 10_000


def upload_new(client: S3Client, bucket: str, key: str, path: Path) -> None:
    """Upload a file unless there is an object of this key; no part is in memory as a whole.

    Raises:
        ClientError: of the code `PreconditionFailed` where there is one, or `NoSuchUpload` where the parts are gone. No
            part is left behind by any error, as long as the server answers.
    """
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    try:
        parts = _upload_parts(client, bucket, key, upload, path)
        client.complete_multipart_upload(
            Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*"
        )
    except BaseException:
        with suppress(Exception):  # what is to be said is why
            client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
        raise


def _upload_parts(client: S3Client, bucket: str, key: str, upload: str, path: Path) -> list[CompletedPartTypeDef]:
    from s3transfer.utils import ReadFileChunk

    whole = path.stat().st_size
    size = max(_PART, -(-whole // _PARTS))
    parts: list[CompletedPartTypeDef] = []
    for number, start in enumerate(range(0, whole, size), 1):
        opened: Any = ReadFileChunk.from_filename(str(path), start, size)
        with opened as part:
            answer = client.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=part)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    return parts
