"""What C++ code says on its own, on standard error or standard output."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["saying"]

_STREAMS = (1, 2)


@contextmanager
def saying() -> Iterator[Callable[[], str]]:
    """What is written there meanwhile, as a function; it goes nowhere else."""
    kept = {stream: os.dup(stream) for stream in _STREAMS}
    with os.fdopen(os.memfd_create("said"), "w+b") as file:
        for stream in _STREAMS:
            os.dup2(file.fileno(), stream)

        def said() -> str:
            file.seek(0)
            return file.read().decode(errors="replace")

        try:
            yield said
        finally:
            for stream, copy in kept.items():
                os.dup2(copy, stream)
                os.close(copy)
