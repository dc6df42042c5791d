"""Local files that are there whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from litegate.disk import naming_full
from litegate.storage.scratch import claim

__all__ = ["sync_folder", "write_first", "write_whole"]

_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EXDEV)


def write_whole(target: Path, blocks: Iterable[bytes]) -> None:
    """Write a file whole or not at all: temporary name in the same folder, flush, rename; on disk when this returns.

    Raises:
        DiskFull: there is no room.
    """
    with _written(target.parent, blocks) as temporary:
        temporary.replace(target)


def write_first(target: Path, blocks: Iterable[bytes]) -> bool:
    """The same, unless there is such a file: of several who write it at once exactly one does.

    A file system without hard links cannot decide that: there, the last one of those who come at the same moment wins.

    Returns:
        Whether it was us.

    Raises:
        DiskFull: there is no room.
    """
    if target.exists():
        return False
    with _written(target.parent, blocks) as temporary:
        try:
            target.hardlink_to(temporary)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            temporary.replace(target)
    return True


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on disk: a file that was renamed or removed comes back after a power cut else."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _written(folder: Path, blocks: Iterable[bytes]) -> Iterator[Path]:
    """A temporary file with these bytes, which is given its name meanwhile and then gone."""
    with naming_full(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".tmp-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                claim(handle)
                for block in blocks:
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            yield temporary
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()
        sync_folder(folder)
