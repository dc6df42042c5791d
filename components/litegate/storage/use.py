"""When something was last used: its time of modification, brought up to date once a day.

A file system's own access times are mostly switched off, and S3 has none.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = ["PRECISION", "use_local", "use_s3"]

PRECISION = 86_400
"""Seconds within which a further use is not noted."""


def use_local(path: Path) -> bool:
    """Whether a file or folder is there; one that is counts as used now."""
    try:
        if time.time() - path.stat().st_mtime > PRECISION:
            os.utime(path)
    except FileNotFoundError:
        return False
    return True


def use_s3(client: S3Client, bucket: str, key: str) -> bool:
    """Whether an object is there; one that is counts as used now. An old one is copied onto itself."""
    from botocore.exceptions import ClientError

    try:
        last = client.head_object(Bucket=bucket, Key=key)["LastModified"]
        if time.time() - last.timestamp() > PRECISION:
            client.copy_object(
                Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": key}, MetadataDirective="REPLACE"
            )
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            return False
        raise
    return True
