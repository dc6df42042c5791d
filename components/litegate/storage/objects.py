"""Everything below a root, a local folder or an S3 prefix: listed page by page and deleted in batches."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from litegate.errors import StoreError
from litegate.storage.user_objects import is_s3, s3_client, split_s3

__all__ = ["Stored", "delete", "exists", "folders", "pages"]

PAGE = 1000
"""What S3 lists, and deletes, at once."""


@dataclass(frozen=True)
class Stored:
    """An object by its name below the root; `used` is the time of its last use, in seconds since 1970."""

    name: str
    bytes: int
    used: float


def pages(root: str) -> Iterator[Sequence[Stored]]:
    """All objects below a root, a page at a time; those of a page may be deleted before the next is asked for."""
    return _s3_pages(root) if is_s3(root) else _local_pages(Path(root))


def folders(root: str) -> list[str]:
    """Names of the files and folders directly below a root."""
    if not is_s3(root):
        return sorted(path.name for path in Path(root).iterdir()) if Path(root).is_dir() else []
    prefix, found = _prefix(root), []
    for page in _listing(root, Delimiter="/"):
        found += [each["Prefix"].removeprefix(prefix).rstrip("/") for each in page.get("CommonPrefixes", ())]
        found += [each["Key"].removeprefix(prefix) for each in page.get("Contents", ())]
    return found


def exists(root: str, name: str) -> bool:
    """Whether there is an object of this very name."""
    if not is_s3(root):
        return Path(root, name).is_file()
    key = f"{_prefix(root)}{name}"
    answer = s3_client().list_objects_v2(Bucket=split_s3(root)[0], Prefix=key, MaxKeys=1)
    return any(item["Key"] == key for item in answer.get("Contents", ()))


def delete(root: str, names: Sequence[str]) -> None:
    """Delete objects; those that are gone already are as good as deleted.

    Raises:
        StoreError: the server refuses to delete some of them.
    """
    if not is_s3(root):
        for name in names:
            Path(root, name).unlink(missing_ok=True)
        return
    for first in range(0, len(names), PAGE):
        _delete_from_s3(split_s3(root)[0], [f"{_prefix(root)}{name}" for name in names[first : first + PAGE]])


def _local_pages(root: Path) -> Iterator[Sequence[Stored]]:
    found = _local(root)
    while page := list(islice(found, PAGE)):
        yield page


def _local(root: Path) -> Iterator[Stored]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            try:
                status = path.lstat()
            except FileNotFoundError:  # somebody else cleans up too
                continue
            yield Stored(path.relative_to(root).as_posix(), status.st_size, status.st_mtime)


def _s3_pages(root: str) -> Iterator[Sequence[Stored]]:
    prefix = _prefix(root)
    for page in _listing(root):
        yield [
            Stored(item["Key"].removeprefix(prefix), item["Size"], item["LastModified"].timestamp())
            for item in page.get("Contents", ())
        ]


def _listing(root: str, **more: str) -> Iterator[Any]:
    paginator: Any = s3_client().get_paginator("list_objects_v2")
    pages: Iterator[Any] = paginator.paginate(Bucket=split_s3(root)[0], Prefix=_prefix(root), **more)
    return pages


def _delete_from_s3(bucket: str, keys: list[str]) -> None:
    from botocore.exceptions import ClientError

    try:
        answer = s3_client().delete_objects(
            Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True}
        )
    except ClientError:  # some servers do not take batches; what is really wrong shows with a single one
        for key in keys:
            s3_client().delete_object(Bucket=bucket, Key=key)
        return
    if errors := answer.get("Errors"):
        first = f"{errors[0].get('Key')}: {errors[0].get('Code')} {errors[0].get('Message', '')}"
        raise StoreError(f"s3://{bucket}: {len(errors)} objects cannot be deleted, such as {first}")


def _prefix(root: str) -> str:
    key = split_s3(root)[1].rstrip("/")
    return f"{key}/" if key else ""
