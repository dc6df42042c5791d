"""Trying again what was ended from outside: by somebody's SIGKILL, or by a kernel that was short of memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from litegate.errors import StepFailed
from litegate.failures import Retry

__all__ = ["persistently"]

log = logging.getLogger("litegate")

Result = TypeVar("Result")


def persistently(attempt: Callable[[], Result], waits: Sequence[float], given_up: threading.Event) -> Result:
    """What the first attempt gives that is not ended from outside.

    Args:
        waits: seconds before each further attempt.
        given_up: once it is set there is no further one.

    Raises:
        StepFailed: the last attempt was ended from outside too, or one failed for another reason.
    """
    for number, wait in enumerate(waits, 2):
        try:
            return attempt()
        except StepFailed as failure:
            if failure.kind.retry is not Retry.AT_ONCE or given_up.is_set():
                raise
            said = "%s: killed from outside (%s): trying again in %g s (%d of %d)"
            log.warning(said, failure.step, failure.kind, wait, number, len(waits) + 1)
            if given_up.wait(wait):
                raise
    return attempt()
