"""Several requests at a time: MLflow has no batch for many runs, and each of its answers takes milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

__all__ = ["at_once"]

_AT_ONCE = 4
"""A single-process MLflow server answers no faster if more ask, and SQLite has one writer at a time."""


def at_once(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    """The results of `jobs`, in their order; when one fails, or we are to end, those that have not begun are left."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        running = [pool.submit(job) for job in jobs]
        try:
            return [each.result() for each in running]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
