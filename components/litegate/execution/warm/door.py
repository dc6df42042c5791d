"""Where a warm parent is found: a socket in a folder that is its owner's alone, named by the interpreter.

Who asks for a step shows that it may read the key that lies beside the socket, by handing over the open file. A
confined step may not, whatever of its isolation a host does not offer; and there is no secret in it that a fork of the
parent could find in its memory.
"""

from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

from litegate.digest import digest_bytes
from litegate.work.sockets import short_address

__all__ = ["Door", "connected", "forget", "is_there", "open_key"]

_QUEUE = 64


class Door:
    """The parent's side; callers may come from here on, and wait.

    Attributes:
        listener: the socket.

    Raises:
        OSError: the folder cannot be made, or cannot be written to.
    """

    def __init__(self, folder: Path, python: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._folder, self._python = folder, python
        forget(folder, python)
        self._key = os.open(_key_in(folder, python), os.O_CREAT | os.O_EXCL | os.O_RDONLY | os.O_CLOEXEC, 0o400)
        self.listener = _listening(_socket_in(folder, python))

    def is_key(self, descriptor: int) -> bool:
        """Whether it is our key, opened by somebody who may read it."""
        may_read = not fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_PATH
        return may_read and os.path.sameopenfile(descriptor, self._key)

    def close(self) -> None:
        """Nobody finds us any more."""
        self.listener.close()
        forget(self._folder, self._python)


def forget(folder: Path, python: Path) -> None:
    """Remove what is left of a parent."""
    path = _socket_in(folder, python)
    for left in (path, _begun(path), _key_in(folder, python)):
        left.unlink(missing_ok=True)


def is_there(folder: Path, python: Path) -> bool:
    """Whether the parent of an interpreter can be found, or was there and has not taken its leave."""
    return _socket_in(folder, python).exists()


def connected(folder: Path, python: Path) -> socket.socket | None:
    """A connection to the parent of an interpreter; None if there is none in this folder.

    Raises:
        OSError: it does not answer.
    """
    if not is_there(folder, python):
        return None
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with short_address(folder, _socket_in(folder, python).name) as address:
            connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def open_key(folder: Path, python: Path) -> int:
    """What a caller hands over.

    Raises:
        OSError: it may not.
    """
    return os.open(_key_in(folder, python), os.O_RDONLY | os.O_CLOEXEC)


def _listening(path: Path) -> socket.socket:
    """A socket that has its name only when it answers: who finds it before that would take its parent for dead."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with short_address(path.parent, _begun(path).name) as address:
        listener.bind(address)
    listener.listen(_QUEUE)
    listener.setblocking(False)
    _begun(path).rename(path)
    return listener


def _begun(path: Path) -> Path:
    return path.with_suffix(".begun")


def _socket_in(folder: Path, python: Path) -> Path:
    return folder / digest_bytes(os.fsencode(python.absolute()))[:16]


def _key_in(folder: Path, python: Path) -> Path:
    return _socket_in(folder, python).with_suffix(".key")
