"""The buckets of the embedded S3 server on disk: a folder a bucket, a file an object.

A file holds one line of JSON that says what the object is, and then its bytes. It is named by the digest of the key,
since a key may be longer than a file's name and hold any character. Files take their place whole, by a rename, and
are on disk when the call returns.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import FakeKey, S3Backend, s3_backends

from litegate.storage.whole_files import sync_folder, write_whole

__all__ = ["Kept"]

log = logging.getLogger("litegate")

_REGION = "us-east-1"


class Kept:
    """What moto holds in memory, and its copy in a folder.

    Args:
        folder: nobody else writes to it while the server runs.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()

    def restore(self) -> None:
        """Give moto what is in the folder; a file that is damaged is set aside, and said."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for bucket in sorted(path for path in self.folder.iterdir() if path.is_dir()):
            self._backend.create_bucket(bucket.name, _REGION)
            for path in sorted(bucket.iterdir()):
                self._restore_object(bucket.name, path)

    def keep_bucket(self, bucket: str) -> None:
        """Make the folder of a bucket, or remove it, as moto has it now."""
        with self._lock:
            target = self.folder / bucket
            if bucket in self._backend.buckets:
                target.mkdir(mode=0o700, exist_ok=True)
            else:
                shutil.rmtree(target, ignore_errors=True)
            sync_folder(self.folder)

    def keep_object(self, bucket: str, key: str) -> bool:
        """Write an object, or remove it, as moto has it now; returns whether moto has it."""
        with self._lock:
            return self._keep_object(bucket, key)

    def keep_objects(self, bucket: str) -> None:
        """Write what is missing of a bucket, and remove what moto no longer has."""
        with self._lock:
            held = {_name(key): key for key in self._backend.buckets[bucket].keys}
            there = {path.name for path in (self.folder / bucket).iterdir()}
            for name in held.keys() - there:
                self._keep_object(bucket, held[name])
            for name in there - held.keys():
                (self.folder / bucket / name).unlink()
            sync_folder(self.folder / bucket)

    def _keep_object(self, bucket: str, key: str) -> bool:
        target = self.folder / bucket / _name(key)
        found = self._backend.buckets[bucket].keys.get(key) if bucket in self._backend.buckets else None
        if isinstance(found, FakeKey):
            write_whole(target, _content(found))
        elif target.parent.is_dir():
            target.unlink(missing_ok=True)
            sync_folder(target.parent)
        return found is not None

    def _restore_object(self, bucket: str, path: Path) -> None:
        if path.name.startswith(".tmp-"):  # a write that was interrupted before anybody was told that it is done
            path.unlink()
            return
        try:
            head, body = _read(path)
        except ValueError as error:
            damaged = path.rename(self.folder / f"damaged-{bucket}-{path.name}")
            log.warning("S3 object in bucket %s is damaged (%s); its file is now %s", bucket, error, damaged)
            return
        key = self._backend.put_object(bucket, head["key"], body, etag=head["etag"], disable_notification=True)
        key.set_metadata(head["metadata"], replace=True)
        key.last_modified = datetime.fromisoformat(head["modified"])

    @property
    def _backend(self) -> S3Backend:
        return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def _name(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _content(key: FakeKey) -> Iterator[bytes]:
    body = key.value
    head = {
        "key": key.name,
        "etag": key.etag.strip('"'),
        "modified": key.last_modified.isoformat(),
        "metadata": dict(key.metadata),
        "sha256": hashlib.sha256(body).hexdigest(),
    }
    yield json.dumps(head).encode() + b"\n"
    yield body


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    """What a file says of its object, and the object's bytes.

    Raises:
        ValueError: they do not fit together.
    """
    first, _, body = path.read_bytes().partition(b"\n")
    head: dict[str, Any] = json.loads(first)
    found = hashlib.sha256(body).hexdigest()
    if not isinstance(head, dict) or head.get("sha256") != found or _name(head["key"]) != path.name:
        raise ValueError(f"expected the digest that its first line names, got {found}")
    return head, body
