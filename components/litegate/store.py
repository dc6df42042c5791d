"""The workspace: results by key and files by digest, written whole or not at all, never overwritten.

Layout below the root, a local folder or an S3 prefix:

    results/<step>/<key>.json     what a step found for exactly these inputs
    files/<sha256>                bytes, named by their own digest
    marks/<name>.json             how far somebody has come: small, and the only thing that is overwritten

An object's time of modification says when it was last used, to within a day: `litegate clean` goes by it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from litegate.digest import digest_bytes, digest_file
from litegate.errors import StoreError
from litegate.records import FileRef
from litegate.storage import is_s3, s3_client, split_s3, write_whole
from litegate.use import use_local, use_s3

__all__ = ["Store", "result_name"]


class Store:
    """Content-addressed storage of step results.

    Args:
        root: the workspace, `s3://bucket/prefix` or a local folder.
        cache: local folder for files that were fetched; each is verified against its digest.
    """

    def __init__(self, root: str, cache: Path) -> None:
        self.root, self.cache = root.rstrip("/"), cache

    def result(self, step: str, key: str) -> Any | None:
        """The stored result of a step, or None."""
        data = self._read(result_name(step, key))
        return None if data is None else json.loads(data)

    def use_result(self, step: str, key: str, files: set[FileRef]) -> bool:
        """Mark a result and its files as used now, the files first; False if any of them is gone."""
        return all(self._use(f"files/{ref.digest}") for ref in files) and self._use(result_name(step, key))

    def forget_result(self, step: str, key: str) -> None:
        """Remove a result, so that another one can be kept."""
        self._delete(result_name(step, key))

    def keep_result(self, step: str, key: str, result: Any) -> None:
        """Publish a result; the first writer wins."""
        self._publish(result_name(step, key), json.dumps(result, sort_keys=True).encode())

    def keep_file(self, path: Path, name: str) -> FileRef:
        """Publish a file under its digest and return the reference to it."""
        ref = FileRef(name=name, digest=digest_file(path), bytes=path.stat().st_size)
        if not self._use(f"files/{ref.digest}"):
            with path.open("rb") as file:
                self._publish(f"files/{ref.digest}", file)
        return ref

    def fetch(self, ref: FileRef) -> Path:
        """A local, verified copy of a file.

        Raises:
            StoreError: if the workspace does not hold it, or holds other bytes under its name.
        """
        target = self.cache / "files" / ref.digest
        if target.exists() and target.stat().st_size == ref.bytes:
            use_local(target)
            return target
        data = self._read(f"files/{ref.digest}")
        if data is None:
            raise StoreError(f"{self.uri(ref)} ({ref.name}) is missing: clear the step that made it")
        if digest_bytes(data) != ref.digest:
            raise StoreError(f"{self.uri(ref)} ({ref.name}) is damaged: its bytes are {digest_bytes(data)}")
        write_whole(target, iter((data,)))
        return target

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
        if not is_s3(self.root):
            path = Path(self.root, name)
            return path.read_bytes() if path.exists() else None
        bucket, key = split_s3(f"{self.root}/{name}")
        try:
            return s3_client().get_object(Bucket=bucket, Key=key)["Body"].read()
        except s3_client().exceptions.NoSuchKey:
            return None

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


def _blocks(data: bytes | IO[bytes], size: int = 1 << 20) -> Iterator[bytes]:
    if isinstance(data, bytes):
        yield data
        return
    while block := data.read(size):
        yield block


def result_name(step: str, key: str) -> str:
    """The object in the workspace that holds a step's result."""
    return f"results/{step}/{key}.json"
