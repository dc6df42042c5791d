"""Where a step that takes long keeps what it has done so far: a next try on this host goes on from there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from litegate.diagnosis import kind_of
from litegate.failures import Retry
from litegate.storage.copies import private_folder

__all__ = ["progress_folder"]

_KEPT = 7 * 24 * 3600
"""Seconds for which the progress of a try that nobody has repeated is kept."""


@contextmanager
def progress_folder(cache: Path, name: str) -> Iterator[Path]:
    """A folder that outlives the process and the worker, until a try has ended that no other one can follow.

    Args:
        name: of the result that the step works on: what other code or another request has left is never found.
    """
    shelf = private_folder(private_folder(cache) / "progress")
    _forget(shelf)
    folder = private_folder(shelf / name)
    try:
        yield folder
    except Exception as error:
        if kind_of(error).retry is Retry.NEVER:  # what is there may be the cause
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _forget(shelf: Path) -> None:
    for old in shelf.iterdir():
        if old.stat().st_mtime < time.time() - _KEPT:
            shutil.rmtree(old, ignore_errors=True)
