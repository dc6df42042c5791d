"""Deleting what a step leaves behind, whatever it did so that it cannot be deleted."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["remove"]


def remove(folder: Path) -> None:
    """Delete a folder with all that is in it, after its step has ended; what cannot be deleted is left."""
    try:
        shutil.rmtree(folder)
    except (OSError, RecursionError):  # folders that may not be read, or that lie too deep
        with suppress(OSError):
            _dismantle(folder)


def _dismantle(folder: Path) -> None:
    """Empty each folder into the one around it, so that no path grows long, and delete it."""
    folder.chmod(0o700)
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                _empty(Path(entry), folder)
                Path(entry).rmdir()
            else:
                Path(entry).unlink()
    folder.rmdir()


def _empty(inner: Path, outer: Path) -> None:
    inner.chmod(0o700)
    for entry in os.scandir(inner):
        if entry.is_dir(follow_symlinks=False):
            Path(entry).chmod(0o700)  # or its own `..` cannot be changed
        Path(entry).rename(outer / secrets.token_hex(16))
