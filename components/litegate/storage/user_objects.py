"""Objects that users bring: local files and S3, listed into manifests and fetched as pinned.

S3 is reached through boto3's own configuration (`AWS_ENDPOINT_URL`, credentials, region), so any
S3-compatible server works. An S3 object is pinned by its ETag and read with `If-Match`; a local file
by size and modification time.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
import threading
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from litegate.digest import digest_file, digest_json
from litegate.disk import naming_full
from litegate.errors import DataError
from litegate.records import Record
from litegate.records.fields import Count
from litegate.storage.copies import holds
from litegate.storage.globs import matches, split_glob
from litegate.storage.scratch import claim
from litegate.storage.use import use_local

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

__all__ = [
    "DIGEST_SUFFIX",
    "MANIFEST",
    "Entry",
    "Listed",
    "fetch",
    "is_s3",
    "is_whole",
    "list_entries",
    "listed",
    "manifest_bytes",
    "manifest_digest",
    "object_digest",
    "object_name",
    "put",
    "s3_client",
    "split_s3",
    "sync_folder",
    "write_whole",
]


log = logging.getLogger("litegate")

MANIFEST = "manifest.jsonl"
"""Name of the file that lists the objects of a data set."""

DIGEST_SUFFIX = ".sha256"
"""Of the file beside a fetched object that says what the object was when it came."""


class Entry(Record):
    """One pinned object: `name` relative to its data set, `pin` an ETag or `size:mtime_ns`."""

    name: str
    uri: str
    size: Count
    pin: str


class Listed(NamedTuple):
    """An object as it was found, and when it was last written, in seconds since the epoch."""

    entry: Entry
    modified: float


def is_s3(uri: str) -> bool:
    """Whether `uri` is an S3 address rather than a local path."""
    return uri.startswith("s3://")


def split_s3(uri: str) -> tuple[str, str]:
    """Bucket and key (or prefix) of an S3 address."""
    parts = urlsplit(uri, allow_fragments=False)
    return parts.netloc, uri.removeprefix(f"s3://{parts.netloc}").lstrip("/")


_making_client = threading.Lock()


@cache
def s3_client() -> S3Client:
    """The process's S3 client: standard retries, bounded waits. Any thread may be the first that asks for it."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "max_attempts": 5}, connect_timeout=5, read_timeout=60)
    with _making_client:
        return boto3.client("s3", config=config)


def list_entries(uri: str, where: str) -> tuple[Entry, ...]:
    """Every object of a data set or model: the file itself, all files below a folder or prefix, or those of a glob.

    Args:
        uri: `s3://bucket/key`, `s3://bucket/prefix/`, or a local path; with `*` or `?` all that it stands for.
        where: the spec key that names it, for the message.

    Returns:
        Entries sorted by name; a single object has its own base name.

    Raises:
        DataError: if there is nothing.
    """
    entries = tuple(sorted((each.entry for each in listed(uri, where)), key=lambda entry: entry.name))
    if not entries:
        raise DataError(where, "an existing file, folder or S3 object", f"nothing at {uri}")
    return entries


def listed(uri: str, where: str) -> Iterator[Listed]:
    """The same in no order, each with its time; nothing where there is nothing.

    Raises:
        DataError: the S3 server refuses.
    """
    folder, pattern = split_glob(uri) or (uri, "")
    found = _list_s3(folder, pattern, where) if is_s3(folder) else _list_local(Path(folder))
    return (each for each in found if not pattern or matches(each.entry.name, pattern))


def manifest_digest(entries: tuple[Entry, ...]) -> str:
    """Digest of what the entries hold, by name, size and pin; it does not depend on the folder."""
    return digest_json([[entry.name, entry.size, entry.pin] for entry in entries])


def fetch(entry: Entry, cache_folder: Path, where: str) -> Path:
    """A local file with the pinned object's bytes.

    A local object is used where it lies; an S3 object is downloaded once into `cache_folder`, with its digest beside
    it, by which it is verified from then on. An ETag is not always a digest.

    Raises:
        DataError: if the object is gone or is no longer the pinned one.
    """
    if not is_s3(entry.uri):
        path = Path(entry.uri)
        if not path.is_file() or _local_pin(path) != entry.pin:
            raise DataError(where, f"{entry.uri} as it was when the run began", "a changed or missing file")
        return path
    target = cache_folder / "objects" / object_name(entry)
    beside = target.with_suffix(DIGEST_SUFFIX)
    if use_local(target) and use_local(beside):
        if is_whole(target):
            return target
        log.warning("the cached copy of %s (%s) is damaged: it is fetched again", entry.uri, target)
    seen = hashlib.sha256()
    write_whole(target, _of_size(entry, _seen(seen, _s3_blocks(entry, where))))
    write_whole(beside, iter((seen.hexdigest().encode(),)))
    return target


def is_whole(path: Path) -> bool:
    """Whether a fetched object is there, and is what it was when it came."""
    try:
        return holds(path, path.with_suffix(DIGEST_SUFFIX).read_text().strip())
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def object_digest(entry: Entry, path: Path) -> str:
    """SHA-256 of what `fetch` has just given for an entry."""
    return path.with_suffix(DIGEST_SUFFIX).read_text().strip() if is_s3(entry.uri) else digest_file(path)


def object_name(entry: Entry) -> str:
    """The name that a fetched S3 object has in a cache."""
    return digest_json([entry.uri, entry.pin])


def manifest_bytes(entries: tuple[Entry, ...]) -> bytes:
    """The manifest of a data set: an entry a line, as JSON."""
    return "\n".join(entry.model_dump_json() for entry in entries).encode()


def write_whole(target: Path, blocks: Iterator[bytes]) -> None:
    """Write a file whole or not at all: temporary name in the same folder, flush, rename; on disk when this returns.

    Raises:
        DiskFull: there is no room.
    """
    with naming_full(target.parent):
        _write_whole(target, blocks)


def _write_whole(target: Path, blocks: Iterator[bytes]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".tmp-")
    try:
        with os.fdopen(handle, "wb") as file:
            claim(handle)
            for block in blocks:
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink()
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk: a file that was renamed or removed comes back after a power cut else."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put(path: Path, uri: str) -> None:
    """Copy a local file to `uri`, whole or not at all, replacing what was there."""
    if is_s3(uri):
        bucket, key = split_s3(uri)
        s3_client().upload_file(str(path), bucket, key)
    else:
        with path.open("rb") as file:
            write_whole(Path(uri), iter(partial(file.read, 1 << 20), b""))


def _list_local(root: Path) -> Iterator[Listed]:
    if root.is_file():
        yield _local_entry(root, root.name)
    elif root.is_dir():
        for path in root.rglob("*"):
            if path.is_file():
                yield _local_entry(path, path.relative_to(root).as_posix())


def _local_entry(path: Path, name: str) -> Listed:
    status = path.stat()
    entry = Entry(name=name, uri=str(path), size=status.st_size, pin=f"{status.st_size}:{status.st_mtime_ns}")
    return Listed(entry, status.st_mtime)


def _local_pin(path: Path) -> str:
    return _local_entry(path, path.name).entry.pin


def _list_s3(uri: str, pattern: str, where: str) -> Iterator[Listed]:
    """What is at an address; of a folder that a pattern follows, little more than what matches."""
    bucket, key = split_s3(uri)
    prefix = key if key.endswith("/") or not key else key + "/"
    try:
        head = _head(bucket, key) if key and not key.endswith("/") else None
        if head is not None:
            entry = _s3_entry(bucket, key, key.rsplit("/", 1)[-1], head["ContentLength"], head["ETag"])
            yield Listed(entry, head["LastModified"].timestamp())
            return
        one_level: dict[str, Any] = {"Delimiter": "/"} if pattern and "/" not in pattern and "**" not in pattern else {}
        within = prefix + re.split(r"[*?]", pattern, maxsplit=1)[0]
        for page in s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=within, **one_level):
            for item in page.get("Contents", ()):
                if not item["Key"].endswith("/"):
                    name = item["Key"].removeprefix(prefix)
                    entry = _s3_entry(bucket, item["Key"], name, item["Size"], item["ETag"])
                    yield Listed(entry, item["LastModified"].timestamp())
    except Exception as error:
        raise _s3_error(error, uri, where) from None


def _head(bucket: str, key: str) -> Any:
    from botocore.exceptions import ClientError

    try:
        return s3_client().head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
            return None
        raise


def _s3_entry(bucket: str, key: str, name: str, size: int, etag: str) -> Entry:
    return Entry(name=name, uri=f"s3://{bucket}/{key}", size=size, pin=etag)


def _s3_blocks(entry: Entry, where: str, size: int = 1 << 20) -> Iterator[bytes]:
    bucket, key = split_s3(entry.uri)
    try:
        body = s3_client().get_object(Bucket=bucket, Key=key, IfMatch=entry.pin)["Body"]
        yield from body.iter_chunks(size)
    except Exception as error:
        raise _s3_error(error, entry.uri, where) from None


def _of_size(entry: Entry, blocks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for block in blocks:
        size += len(block)
        yield block
    if size != entry.size:
        raise ConnectionError(f"{entry.uri}: {size:,} bytes of {entry.size:,} came")


def _seen(digest: hashlib._Hash, blocks: Iterator[bytes]) -> Iterator[bytes]:
    for block in blocks:
        digest.update(block)
        yield block


def _s3_error(error: Exception, uri: str, where: str) -> Exception:
    """What the user can mend becomes a `DataError`; a server that does not answer stays what it is."""
    from botocore.exceptions import ClientError, NoCredentialsError, ParamValidationError

    if isinstance(error, ClientError):
        code = error.response["Error"]["Code"]
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if 400 <= status < 500 and status not in (408, 409, 429):
            return DataError(where, "a readable S3 object or prefix", f"{code} from S3 for {uri}")
    if isinstance(error, NoCredentialsError | ParamValidationError):
        return DataError(where, "a readable S3 object or prefix", f"{uri}: {error}")
    return error
