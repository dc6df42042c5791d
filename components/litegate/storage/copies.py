"""Local copies of what lies elsewhere: whole files, verified by their digest before they are used.

The size of a file proves nothing. Each is read once in a process, and again if anything has touched it since.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from litegate.digest import digest_file

__all__ = ["holds", "private_folder"]

_State = tuple[int, int, int, int, int]
_read: dict[str, tuple[_State, str]] = {}
"""By path, the state in which this process has read a file, and the digest that it had."""


def holds(path: Path, digest: str) -> bool:
    """Whether a file is there, and its bytes are those that `digest` names."""
    try:
        state = _state(path)
        known = _read.get(str(path))
        if known is None or known[0] != state:
            known = _read[str(path)] = state, digest_file(path)
    except FileNotFoundError:
        return False
    return known[1] == digest


def private_folder(path: Path) -> Path:
    """A folder that only its owner can look into and write to, made if need be.

    What was verified must be what is read: nobody else may change it in between.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(PermissionError):  # it is somebody else's, who may share it
        if path.stat().st_mode & 0o077:
            path.chmod(0o700)
    return path


def _state(path: Path) -> _State:
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
