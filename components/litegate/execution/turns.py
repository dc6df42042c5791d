"""One computation of a result at a time: who comes for the same one meanwhile waits, and then finds it."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["turn"]

log = logging.getLogger("litegate")
_POLL = 0.1


@contextmanager
def turn(path: Path, given_up: threading.Event, seconds: float) -> Iterator[None]:
    """Hold a lock meanwhile, which the kernel gives back however the process ends; on this host alone.

    Whoever has waited long enough goes on without it: computing a result twice is a waste, and nothing worse.

    Args:
        path: stands for what is computed; there while it is.
        given_up: once it is set nobody waits.
        seconds: how long to wait.
    """
    descriptor = _locked(path, given_up, time.monotonic() + seconds)
    try:
        yield
    finally:
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)


def _locked(path: Path, given_up: threading.Event, end: float) -> int | None:
    path.parent.mkdir(parents=True, exist_ok=True)
    said = False
    while not given_up.is_set() and time.monotonic() < end:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            if not said:
                log.info("another run computes the same result: waiting for it")
            said = True
            given_up.wait(_POLL)
            continue
        except OSError:  # a file system without locks
            os.close(descriptor)
            return None
        if _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)  # the one who had it has removed it
    return None


def _is_still(path: Path, descriptor: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False
