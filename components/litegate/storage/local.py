"""Files below a local folder. A file's version is its size and the time of its last change."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO

from litegate.storage.protocol import BLOCK, PAGE, Coming, Content, Refused, Stored
from litegate.storage.use import use_local
from litegate.storage.whole_files import write_first, write_whole

__all__ = ["LocalStorage"]

_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


class LocalStorage:
    """The files below a folder, or a file; see `Storage`. Links to files are followed, links to folders are not.

    Args:
        root: a path; it need not exist.
    """

    kind = "local"

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def uri(self, name: str) -> str:
        """The path, as the root was given."""
        return str(self.path(name))

    def path(self, name: str) -> Path:
        """Where it lies.

        Raises:
            ValueError: the name leaves the root.
        """
        parts = PurePosixPath(name)
        if parts.is_absolute() or ".." in parts.parts:
            raise ValueError(f"{name!r} is not a name below {self._root}")
        return self._root / parts

    def find(self, name: str) -> Stored | None:
        """A file, or None where there is none, or something else."""
        return _stored(self.path(name), name)

    def pages(self, prefix: str = "", *, deep: bool = True) -> Iterator[Sequence[Stored]]:
        """The files of the folder and of those below it; in the folders that the prefix names and no others."""
        found = self._found(prefix, deep)
        while page := list(islice(found, PAGE)):
            yield page

    def children(self) -> Sequence[str]:
        """What is directly in the folder."""
        return sorted(path.name for path in self._root.iterdir()) if self._root.is_dir() else []

    def read(self, name: str, version: str | None = None) -> Iterator[bytes]:
        """The content of a file, as it is when it is opened."""
        with self.path(name).open("rb") as file:
            if version not in (None, _version(os.fstat(file.fileno()))):
                raise Refused(f"{self.uri(name)} has changed")
            yield from _blocks(file)

    def read_span(self, name: str, version: str, start: int, size: int) -> bytes:
        """Part of a file, as it is when it is opened."""
        with self.path(name).open("rb") as file:
            if _version(os.fstat(file.fileno())) != version:
                raise Refused(f"{self.uri(name)} has changed")
            file.seek(start)
            content = file.read(size)
        if len(content) != size:
            raise Refused(f"{self.uri(name)} ends before byte {start + size:,}")
        return content

    def ask_span(self, name: str, version: str, start: int, size: int, threads: Executor) -> Coming:
        """Read in a thread."""
        return threads.submit(self.read_span, name, version, start, size)

    def put(self, name: str, content: Content) -> None:
        """Written beside it and renamed."""
        write_whole(self.path(name), _streamed(content))

    def put_if_absent(self, name: str, content: Content) -> bool:
        """Written beside it and linked to its name, which only one can."""
        return write_first(self.path(name), _streamed(content))

    def touch(self, name: str) -> bool:
        """The time of modification is that of the last use."""
        return use_local(self.path(name))

    def delete(self, names: Sequence[str]) -> None:
        """Remove the files; folders stay."""
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def _found(self, prefix: str, deep: bool) -> Iterator[Stored]:
        for folder, _, names in os.walk(self.path(prefix.rpartition("/")[0])):
            for path in (Path(folder, name) for name in names):
                name = path.relative_to(self._root).as_posix()
                stored = _stored(path, name) if name.startswith(prefix) else None
                if stored is not None:
                    yield stored
            if not deep:
                return


def _stored(path: Path, name: str) -> Stored | None:
    try:
        status = path.stat()
    except OSError as error:
        if error.errno not in _ABSENT:
            raise
        return None
    return Stored(name, status.st_size, status.st_mtime, _version(status)) if stat.S_ISREG(status.st_mode) else None


def _version(status: os.stat_result) -> str:
    return f"{status.st_size}:{status.st_mtime_ns}"


def _streamed(content: Content) -> Iterable[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        yield from _blocks(file)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block
