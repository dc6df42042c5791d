"""How long steps took, by what they were run for: kept where their results are, for those who ask beforehand.

A time is no result. It is overwritten by the next one, and a run goes on without it.
"""

from __future__ import annotations

import logging
import math
from contextlib import suppress
from dataclasses import dataclass

from litegate.errors import LitegateError
from litegate.storage.workspace import Workspace

__all__ = ["Time", "keep_time", "label_of", "stored_time"]

log = logging.getLogger("litegate")


@dataclass(frozen=True)
class Time:
    """What computing a step took the last time.

    Attributes:
        seconds: of wall-clock time, with the start of its process.
        files: how many it was computed for; 1 for a step that has a single result.
    """

    seconds: float
    files: int = 1


def label_of(model: str, variant: str = "") -> str:
    """What a step is run for: a model, and one of its variants where the step works on one."""
    return f"{model}/{variant or 'all'}"


def keep_time(workspace: Workspace, step: str, label: str, time: Time) -> None:
    """Keep what a step took; a workspace that does not take it is no failure."""
    try:
        workspace.set_mark(_mark(step, label), {"seconds": round(time.seconds, 3), "files": time.files})
    except (LitegateError, OSError) as error:
        log.info("%s: how long it took is not kept: %s", step, error)


def stored_time(workspace: Workspace, step: str, label: str) -> Time | None:
    """What the step took the last time that it was computed for this; None where nothing is known."""
    with suppress(ValueError, TypeError, KeyError):
        found = workspace.mark(_mark(step, label))
        time = Time(float(found["seconds"]), int(found["files"])) if found else None
        return time if time and math.isfinite(time.seconds) and time.seconds >= 0 and time.files > 0 else None
    return None


def _mark(step: str, label: str) -> str:
    return f"times/{label}/{step}"
