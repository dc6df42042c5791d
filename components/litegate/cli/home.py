"""Whether the folder of all local state can be one."""

from __future__ import annotations

import tempfile
from pathlib import Path

from litegate.errors import BadInput

__all__ = ["unusable"]

_WHERE = "--home (or LITEGATE_HOME)"


def unusable(home: Path, error: OSError | None = None) -> BadInput | None:
    """What is wrong with a home; None if nothing is.

    Args:
        error: what a command ended with; without one nothing is written, for a command may only look.
    """
    place = next(folder for folder in (home, *home.parents) if folder.exists())
    if not place.is_dir():
        return BadInput(_WHERE, "a folder, or a place for one", f"the file {place}")
    if error is None:
        return None
    try:
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=home):
            return None
    except OSError as found:
        return BadInput(_WHERE, "a folder that can be written", f"{home}: {found.strerror}")
