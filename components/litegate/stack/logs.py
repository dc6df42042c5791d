"""What the servers say: one file each, kept for the last few starts."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

__all__ = ["EARLIER_STARTS", "rotate", "tail"]

EARLIER_STARTS = 3
_BLOCK = 1 << 15


def rotate(folder: Path) -> None:
    """Make room for the logs of a new start: those of the last one go to the folder `1`, those before it to `2`, ..."""
    logs = list(folder.glob("*.log"))
    if not logs:
        return
    shutil.rmtree(folder / str(EARLIER_STARTS), ignore_errors=True)
    for number in range(EARLIER_STARTS - 1, 0, -1):
        if (folder / str(number)).exists():
            (folder / str(number)).rename(folder / str(number + 1))
    (folder / "1").mkdir(mode=0o700)
    for log in logs:
        log.rename(folder / "1" / log.name)


def tail(log: Path, lines: int = 15) -> tuple[str, ...]:
    """The last lines of a log; none if there is no such log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _BLOCK))
            return tuple(file.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ()
