"""The workspace: results by key and files by digest, written whole or not at all, never overwritten.

Layout below the root, a local folder or an S3 prefix:

    results/<step>/<key>.json     what a step found for exactly these inputs
    files/<sha256>                bytes, named by their own digest
    marks/<name>.json             how far somebody has come: small, and the only thing that is overwritten

An object's time of modification says when it was last used, to within a day: `litegate clean` goes by it.

Nothing is believed by its size or its name alone: files are verified by their digest before they are handed out, and
results carry a digest of their own.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from litegate.digest import OtherBytes, digest_file, digest_json, verified
from litegate.errors import StoreError
from litegate.records import FileRef
from litegate.storage.copies import holds, private_folder
from litegate.storage.use import use_local, use_s3
from litegate.storage.user_objects import is_s3, s3_client, split_s3, write_whole

__all__ = ["Store", "result_name"]

log = logging.getLogger("litegate")

_BLOCK = 1 << 20


class Store:
    """Content-addressed storage of step results.

    Args:
        root: the workspace, `s3://bucket/prefix` or a local folder.
        cache: local folder for files that were fetched; each is verified against its digest.
    """

    def __init__(self, root: str, cache: Path) -> None:
        self.root, self.cache = root.rstrip("/"), cache

    def result(self, step: str, key: str) -> Any | None:
        """The stored result of a step, or None; one that is damaged is removed, so that another one can be kept."""
        name = result_name(step, key)
        data = self._read(name)
        if data is None:
            return None
        try:
            kept = json.loads(data)
            if kept["digest"] == _result_digest(step, key, kept["result"]):
                return kept["result"]
        except (ValueError, TypeError, KeyError, RecursionError):
            pass
        log.warning("%s/%s is damaged: it is removed, and computed again", self.root, name)
        self._delete(name)
        return None

    def use_result(self, step: str, key: str, files: set[FileRef]) -> bool:
        """Mark a result and its files as used now, the files first; False if any of them is gone."""
        return all(self._use(f"files/{ref.digest}") for ref in files) and self._use(result_name(step, key))

    def forget_result(self, step: str, key: str) -> None:
        """Remove a result, so that another one can be kept."""
        self._delete(result_name(step, key))

    def keep_result(self, step: str, key: str, result: Any) -> None:
        """Publish a result; the first writer wins."""
        kept = {"digest": _result_digest(step, key, result), "result": result}
        self._publish(result_name(step, key), json.dumps(kept, sort_keys=True).encode())

    def keep_file(self, path: Path, name: str) -> FileRef:
        """Publish a file under its digest and return the reference to it."""
        ref = FileRef(name=name, digest=digest_file(path), bytes=path.stat().st_size)
        if not self._use(f"files/{ref.digest}"):
            with path.open("rb") as file:
                self._publish(f"files/{ref.digest}", file)
        return ref

    def keep_copy(self, ref: FileRef, copy: Path) -> None:
        """Publish a verified copy of a file, which then becomes the one in the cache."""
        if not self._use(f"files/{ref.digest}"):
            with copy.open("rb") as file:
                self._publish(f"files/{ref.digest}", file)
        with suppress(OSError):  # on another file system it is fetched when it is needed
            copy.replace(self._cached(ref))

    def fetch(self, ref: FileRef) -> Path:
        """A local, verified copy of a file.

        Raises:
            StoreError: if the workspace does not hold it, or holds other bytes under its name.
        """
        target = self._cached(ref)
        if use_local(target):
            if holds(target, ref.digest):
                return self._of_size(ref, target)
            log.warning("the cached copy of %s (%s) is damaged: it is fetched again", ref.name, target)
        try:
            write_whole(target, verified(self._blocks(f"files/{ref.digest}"), ref.digest))
        except FileNotFoundError:
            raise StoreError(f"{self.uri(ref)} ({ref.name}) is missing: clear the step that made it") from None
        except OtherBytes as other:
            todo = "remove it, and clear the step that made it"
            raise StoreError(f"{self.uri(ref)} ({ref.name}) is damaged: {other}; {todo}") from None
        return self._of_size(ref, target)

    def mark(self, name: str) -> Any | None:
        """How far the one that a mark belongs to has come, or None."""
        data = self._read(f"marks/{name}.json")
        return None if data is None else json.loads(data)

    def set_mark(self, name: str, value: Any) -> None:
        """Replace a mark, whole or not at all."""
        data = json.dumps(value, sort_keys=True).encode()
        if is_s3(self.root):
            bucket, key = split_s3(f"{self.root}/marks/{name}.json")
            s3_client().put_object(Bucket=bucket, Key=key, Body=data)
        else:
            write_whole(Path(self.root, "marks", f"{name}.json"), iter((data,)))

    def uri(self, ref: FileRef) -> str:
        """Where the workspace keeps a file."""
        return f"{self.root}/files/{ref.digest}"

    def _cached(self, ref: FileRef) -> Path:
        folder = private_folder(self.cache) / "files"
        folder.mkdir(exist_ok=True)
        return folder / ref.digest

    def _of_size(self, ref: FileRef, path: Path) -> Path:
        size = path.stat().st_size
        if size != ref.bytes:
            raise StoreError(f"{self.uri(ref)} ({ref.name}): expected {ref.bytes:,} bytes, got {size:,}")
        return path

    def _use(self, name: str) -> bool:
        """Whether an object is there; if it is, it counts as used now."""
        if not is_s3(self.root):
            return use_local(Path(self.root, name))
        return use_s3(s3_client(), *split_s3(f"{self.root}/{name}"))

    def _delete(self, name: str) -> None:
        if not is_s3(self.root):
            Path(self.root, name).unlink(missing_ok=True)
            return
        bucket, key = split_s3(f"{self.root}/{name}")
        s3_client().delete_object(Bucket=bucket, Key=key)

    def _read(self, name: str) -> bytes | None:
        with suppress(FileNotFoundError):
            return b"".join(self._blocks(name))
        return None

    def _blocks(self, name: str) -> Iterator[bytes]:
        """The content of an object.

        Raises:
            FileNotFoundError: it is not there.
        """
        if not is_s3(self.root):
            with Path(self.root, name).open("rb") as file:
                yield from _blocks(file)
            return
        bucket, key = split_s3(f"{self.root}/{name}")
        try:
            body = s3_client().get_object(Bucket=bucket, Key=key)["Body"]
        except s3_client().exceptions.NoSuchKey:
            raise FileNotFoundError(f"{self.root}/{name}") from None
        yield from body.iter_chunks(_BLOCK)

    def _publish(self, name: str, data: bytes | IO[bytes]) -> None:
        if is_s3(self.root):
            self._put(name, data)
        elif not Path(self.root, name).exists():
            write_whole(Path(self.root, name), _blocks(data))

    def _put(self, name: str, data: bytes | IO[bytes]) -> None:
        """A conditional PUT: whoever comes second finds equal content, for the name decides it."""
        from botocore.exceptions import ClientError

        bucket, key = split_s3(f"{self.root}/{name}")
        try:
            s3_client().put_object(Bucket=bucket, Key=key, Body=data, IfNoneMatch="*")
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("PreconditionFailed", "ConditionalRequestConflict"):
                raise


def _blocks(data: bytes | IO[bytes]) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    while block := data.read(_BLOCK):
        yield block


def _result_digest(step: str, key: str, result: Any) -> str:
    """Of a result and of what it is the result of: under another name it is damaged."""
    return digest_json([step, key, result])


def result_name(step: str, key: str) -> str:
    """The object in the workspace that holds a step's result."""
    return f"results/{step}/{key}.json"
