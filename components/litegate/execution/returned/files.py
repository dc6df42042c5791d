"""Taking the files that a result names: each was given to the step, or is a plain file that it wrote.

The child is dead by now, but what it had started may not be: what is published is a copy, verified as it was made.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from litegate.digest import OtherBytes, verified
from litegate.execution.confinement import named
from litegate.execution.returned.reading import Forged
from litegate.records import FileRef, Record
from litegate.storage.workspace import Workspace

__all__ = ["take_files", "written"]

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def take_files(request: Record, result: Record, outputs: Path, staging: Path, workspace: Workspace) -> None:
    """Publish what the step wrote and its result names; all of it, or nothing.

    Args:
        outputs: the child's folder of files, each under its digest; what the result does not name is left there.
        staging: an empty folder that the child cannot write to.

    Raises:
        Forged: the result names a file that the step was not given, and that is not in `outputs` as it says.
    """
    copies = [(ref, _copied(ref, outputs, staging / ref.digest)) for ref in written(request, result)]
    for ref, copy in copies:
        workspace.keep_copy(ref, copy)


def written(request: Record, result: Record) -> list[FileRef]:
    """What the result names beyond what the request does, once for each digest."""
    given, found = set(named(request, FileRef)), set(named(result, FileRef))
    sizes = {(ref.digest, ref.bytes) for ref in found}
    if len({digest for digest, _ in sizes}) != len(sizes):
        raise Forged("the result names one file with two sizes")
    return list({ref.digest: ref for ref in sorted(found - given, key=lambda ref: ref.name)}.values())


def _copied(ref: FileRef, outputs: Path, target: Path) -> Path:
    with os.fdopen(_opened(ref, outputs), "rb") as file, target.open("wb") as copy:
        try:
            for block in verified(_blocks(file, ref.bytes), ref.digest):
                copy.write(block)
        except OtherBytes as other:
            raise Forged(f"{_said(ref)}, and wrote other bytes under that name: {other}") from None
    return target


def _opened(ref: FileRef, outputs: Path) -> int:
    """A descriptor of the plain file of this name; no link is followed, also not in place of the folder."""
    try:
        folder = os.open(outputs, _FOLDER)
        try:
            descriptor = os.open(ref.digest, _FILE, dir_fd=folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise Forged(f"{_said(ref)}, which it was not given and did not write ({error.strerror})") from None
    problem = _problem(ref, os.fstat(descriptor))
    if problem is not None:
        os.close(descriptor)
        raise Forged(f"{_said(ref)}, {problem}")
    return descriptor


def _problem(ref: FileRef, status: os.stat_result) -> str | None:
    if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
        return "which is not a file of its own"
    return None if status.st_size == ref.bytes else f"of {ref.bytes:,} bytes, and wrote {status.st_size:,}"


def _blocks(file: IO[bytes], size: int, block: int = 1 << 20) -> Iterator[bytes]:
    """At most one byte more than there should be: a file that grows must not fill the disk."""
    left = size + 1
    while left and (data := file.read(min(block, left))):
        left -= len(data)
        yield data


def _said(ref: FileRef) -> str:
    return f"the result names {ref.name[:200]!r} ({ref.digest[:12]})"
