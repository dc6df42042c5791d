"""Unix sockets in folders with long names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["short_address"]


@contextmanager
def short_address(folder: Path, name: str) -> Iterator[str]:
    """The address of a socket by way of an open folder: a socket's address has room for 107 characters only.

    Raises:
        OSError: the folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{name}"
    finally:
        os.close(descriptor)
