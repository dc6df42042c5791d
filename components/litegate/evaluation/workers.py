"""Processes that evaluate samples, each with its own interpreters and its own reader.

They are started once and get their parts of one block of samples after the other. None of them holds more than
a batch of samples, and only the outcomes come back.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any, Self

import numpy as np

from litegate.errors import StepFailed
from litegate.evaluation.lockstep import Job, Lockstep
from litegate.failures import FailureKind, named_signal
from litegate.outcomes.columns import Outcomes
from litegate.processes import die_with_parent
from litegate.progress import Progress

__all__ = ["Workers", "processes_for"]

Array = np.ndarray[Any, np.dtype[Any]]
_PER_PROCESS = 256
"""So few samples are not worth a process of their own."""
_POLL = 0.5
"""Seconds between two looks at processes that are yet to see their first samples."""
_STOP = -(2**62)
"""The count that tells the processes that nobody waits for their outcomes."""


def processes_for(samples: int) -> int:
    """As many as there are cores, but no more than the samples are worth."""
    return max(1, min(len(os.sched_getaffinity(0)), math.ceil(samples / _PER_PROCESS)))


class Workers:
    """A context in which blocks of samples are evaluated.

    Args:
        job: what every process evaluates.
        processes: with 1 the work is done in this process.
        progress: is told how many samples all of them together have seen.
    """

    def __init__(self, job: Job, processes: int, progress: Progress) -> None:
        self._job, self._processes, self._progress = job, processes, progress
        self._here: Lockstep | None = None
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        if self._processes > 1:
            context = multiprocessing.get_context("spawn")
            self._done = context.Value("q", 0)
            self._pool = ProcessPoolExecutor(self._processes, context, _start_worker, (self._job, self._done))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._pool is not None:
            if error is not None:
                self._done.value = _STOP
            self._pool.shutdown(cancel_futures=True)

    def evaluate(self, indices: Array) -> dict[str, Outcomes]:
        """Outcomes of every file of the job on the samples at `indices`, in their order.

        Raises:
            BadInput: data, model, metric or the user's code do not fit.
            StepFailed: an output is not finite, or a process died.
        """
        parts = [self._evaluate_here(indices)] if self._pool is None else self._evaluate_there(self._pool, indices)
        outcomes = {name: Outcomes.concatenate([part[name] for part in parts]) for name in self._job.files}
        return {name: _in_order(found, indices) for name, found in outcomes.items()}

    def _evaluate_here(self, indices: Array) -> dict[str, Outcomes]:
        if self._here is None:
            self._here = Lockstep(self._job)
        return self._here.outcomes(indices, self._progress.add)

    def _evaluate_there(self, pool: ProcessPoolExecutor, indices: Array) -> list[dict[str, Outcomes]]:
        """Each process gets neighbours, which lie together where the data is read from."""
        shares = np.array_split(np.sort(indices), min(self._processes, len(indices)))
        futures = [pool.submit(_evaluate, share) for share in shares]
        started = multiprocessing.active_children()
        try:
            self._wait(futures)
            return [future.result() for future in futures]
        except BrokenProcessPool:
            kind, how = _death(started)
            raise StepFailed(
                "evaluate", kind, f"a process that ran {' and '.join(self._job.files)} died: {how}"
            ) from None

    def _wait(self, futures: Sequence[Future[Any]]) -> None:
        waiting = set(futures)
        while waiting:
            finished, waiting = wait(waiting, max(_POLL, self._progress.wait), FIRST_EXCEPTION)
            for future in finished:
                future.result()
            if waiting:
                self._progress.reach(self._done.value)


def _death(processes: list[BaseProcess]) -> tuple[FailureKind, str]:
    """What the first process died of; the pool ends the others by SIGTERM."""
    for process in processes:
        process.join(5)
    codes = [process.exitcode or 0 for process in processes]
    code = next((code for code in codes if code not in (0, -signal.SIGTERM)), 0)
    return named_signal(-code) if code < 0 else (FailureKind.CRASH, f"exit code {code}")


def _in_order(outcomes: Outcomes, indices: Array) -> Outcomes:
    """The rows in the order of `indices`, whichever process saw them."""
    rows = np.argsort(outcomes.index)
    return outcomes.take(rows[np.argsort(np.argsort(indices))])


_job: Job | None = None
_done: Any = None
_lockstep: Lockstep | None = None


def _start_worker(job: Job, done: Any) -> None:
    """Loads nothing: what fails in here is reported as a process that died."""
    global _job, _done
    die_with_parent()
    _job, _done = job, done


def _evaluate(indices: Array) -> dict[str, Outcomes]:
    global _lockstep
    assert _job is not None
    if _lockstep is None:
        _lockstep = Lockstep(_job)
    return _lockstep.outcomes(indices, _count)


def _count(samples: int) -> None:
    with _done.get_lock():
        _done.value += samples
        if _done.value < 0:
            raise StepFailed("evaluate", FailureKind.STOPPED, "another process failed")
