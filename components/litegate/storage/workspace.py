"""The workspace: results by key and files by digest, written whole or not at all, never overwritten.

Layout below the root, a local folder or an S3 prefix:

    results/<step>/<key>.json     what a step found for exactly these inputs
    files/<sha256>                bytes, named by their own digest
    jobs/<id>/...                 what is on its way to another host or back: see `litegate.remote.job`
    marks/<name>.json             how far somebody has come: small, and the only thing that is overwritten

An object's time of modification says when it was last used, to within a day: `litegate clean` goes by it.

Nothing is believed by its size or its name alone: files are verified by their digest before they are handed out, and
results carry a digest of their own.
"""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

from litegate.digest import OtherBytes, digest_file, digest_json, verified
from litegate.errors import Gone, StoreError
from litegate.records import FileRef
from litegate.storage.copies import holds, private_folder
from litegate.storage.opening import open_storage
from litegate.storage.use import use_local
from litegate.storage.whole_files import write_whole

__all__ = ["Workspace", "result_name"]

log = logging.getLogger("litegate")


class Workspace:
    """Content-addressed storage of step results.

    Args:
        root: the workspace, `s3://bucket/prefix` or a local folder.
        cache: local folder for files that were fetched; each is verified against its digest.
    """

    def __init__(self, root: str, cache: Path) -> None:
        self.root, self.cache = root.rstrip("/"), cache
        self._storage = open_storage(self.root)

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
        self._storage.delete([name])
        return None

    def use_result(self, step: str, key: str, files: set[FileRef]) -> bool:
        """Mark a result and its files as used now, the files first; False if any of them is gone."""
        return all(self._storage.touch(file_name(ref)) for ref in files) and self._storage.touch(result_name(step, key))

    def forget_result(self, step: str, key: str) -> None:
        """Remove a result, so that another one can be kept."""
        self._storage.delete([result_name(step, key)])

    def keep_result(self, step: str, key: str, result: Any) -> None:
        """Publish a result; the first writer wins."""
        kept = {"digest": _result_digest(step, key, result), "result": result}
        self._storage.put_if_absent(result_name(step, key), json.dumps(kept, sort_keys=True).encode())

    def keep_file(self, path: Path, name: str) -> FileRef:
        """Publish a file under its digest and return the reference to it."""
        ref = FileRef(name=name, digest=digest_file(path), bytes=path.stat().st_size)
        self._publish(ref, path)
        return ref

    def keep_copy(self, ref: FileRef, copy: Path) -> None:
        """Publish a verified copy of a file, which then becomes the one in the cache."""
        self._publish(ref, copy)
        with suppress(OSError):  # on another file system it is fetched when it is needed
            copy.replace(self._cached(ref))

    def fetch(self, ref: FileRef) -> Path:
        """A local, verified copy of a file.

        Raises:
            Gone: the workspace does not hold it.
            StoreError: it holds other bytes under its name.
        """
        target = self._cached(ref)
        if use_local(target):
            if holds(target, ref.digest):
                return self._of_size(ref, target)
            log.warning("the cached copy of %s (%s) is damaged: it is fetched again", ref.name, target)
        try:
            write_whole(target, verified(self._storage.read(file_name(ref)), ref.digest))
        except FileNotFoundError:
            raise Gone(f"{self.uri(ref)} ({ref.name}) is missing: clear the step that made it") from None
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
        self._storage.put(f"marks/{name}.json", json.dumps(value, sort_keys=True).encode())

    def uri(self, ref: FileRef) -> str:
        """Where the workspace keeps a file."""
        return self._storage.uri(file_name(ref))

    def _cached(self, ref: FileRef) -> Path:
        folder = private_folder(self.cache) / "files"
        folder.mkdir(exist_ok=True)
        return folder / ref.digest

    def _of_size(self, ref: FileRef, path: Path) -> Path:
        size = path.stat().st_size
        if size != ref.bytes:
            raise StoreError(f"{self.uri(ref)} ({ref.name}): expected {ref.bytes:,} bytes, got {size:,}")
        return path

    def _read(self, name: str) -> bytes | None:
        """A small object as a whole, or None."""
        with suppress(FileNotFoundError):
            return b"".join(self._storage.read(name))
        return None

    def _publish(self, ref: FileRef, path: Path) -> None:
        """Whoever comes second finds equal content, for the name decides it."""
        if not self._storage.touch(file_name(ref)):
            self._storage.put_if_absent(file_name(ref), path)


def _result_digest(step: str, key: str, result: Any) -> str:
    """Of a result and of what it is the result of: under another name it is damaged."""
    return digest_json([step, key, result])


def result_name(step: str, key: str) -> str:
    """The object in the workspace that holds a step's result."""
    return f"results/{step}/{key}.json"


def file_name(ref: FileRef) -> str:
    """The object in the workspace that holds a file."""
    return f"files/{ref.digest}"
