"""When something was last used: its time of modification, brought up to date once a day.

A file system's own access times are mostly switched off, and S3 has none.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["PRECISION", "is_due", "use_local"]

PRECISION = 86_400
"""Seconds within which a further use is not noted."""


def is_due(modified: float) -> bool:
    """Whether a use of now is to be noted of what was last used then, in seconds since 1970."""
    return time.time() - modified > PRECISION


def use_local(path: Path) -> bool:
    """Whether a file or folder is there; one that is counts as used now."""
    try:
        if is_due(path.stat().st_mtime):
            os.utime(path)
    except FileNotFoundError:
        return False
    return True
