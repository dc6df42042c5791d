"""The processes of a pass: shares of the data go round until every file has seen all that it is to see.

Who has nothing left takes half of what another has not begun, so that all are busy to the end however slow a file is.

A process that dies takes nobody along. Which file was at fault is certain only where a process runs no other: so the
file that it ran is taken out of the common pass and run alone, and if it was reading, reading alone is tried. What
dies alone is at fault.
"""

from __future__ import annotations

import math
import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from litegate.diagnosis import of_last_words
from litegate.errors import StepFailed
from litegate.evaluation.board import ELSEWHERE, Board
from litegate.evaluation.kept import Kept
from litegate.evaluation.lockstep import BATCH, FileFailed, Job
from litegate.evaluation.stage import Stage
from litegate.evaluation.worker import Rows, Share, serve
from litegate.failures import FailureKind, named_signal
from litegate.progress import Progress

__all__ = ["Pool", "processes_for"]

Array = np.ndarray[Any, np.dtype[Any]]
Files = tuple[int, ...]
_PER_PROCESS = 256
"""So few samples are not worth a process of their own."""
_POLL = 0.5
_LAST_WORDS = 4000


def processes_for(samples: int) -> int:
    """As many as there are cores, but no more than the samples are worth."""
    return max(1, min(len(os.sched_getaffinity(0)), math.ceil(samples / _PER_PROCESS)))


@dataclass
class _Process:
    """One of them, and what it is to do.

    Attributes:
        files: the only ones that it may run.
        received: number of the first batch of its share that was not handed back yet; None while it waits.
    """

    number: int
    files: Files
    process: Any
    connection: Connection
    said: Path
    received: int | None = None


class Pool:
    """A context in which samples are evaluated.

    Args:
        job: what every process evaluates.
        processes: at most so many at a time.
        patience: seconds that a file may take for one batch.
        folder: for what the processes say.
        progress: is told how many samples they have seen.

    Attributes:
        failures: files that cannot be evaluated.
    """

    def __init__(self, job: Job, processes: int, patience: float, folder: Path, progress: Progress) -> None:
        self._job, self._patience, self._folder, self._progress = job, patience, folder, progress
        self._all: Files = tuple(range(len(job.files)))
        self._free = list(range(processes))
        self._running: list[_Process] = []
        self._alone: set[int] = set()
        self._tried: set[int] = set()
        self._seen = 0
        self.failures: dict[int, FileFailed] = {}

    def __enter__(self) -> Self:
        self._board = Board(len(self._free), max(1, len(self._all)), self._folder / "board")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for each in list(self._running):
            self._end(each)
        self._board.close()

    def evaluate(self, samples: Array | range, wanted: Mapping[int, Array | None], kept: Kept) -> None:
        """Run every file on the samples that it is to see.

        Args:
            samples: in the order in which the dataset gives them.
            kept: where what they give goes.
            wanted: by file, which of the samples; None for all. Those that have failed are left out.

        Raises:
            BadInput: data, model, metric or the user's code do not fit.
            StepFailed: a process died of the data or the user's code.
        """
        stage = Stage(samples, {file: rows for file, rows in wanted.items() if file not in self.failures}, kept)
        self._board.dropped[:] = [file in self.failures or file in self._alone for file in self._all]
        self._queue: deque[tuple[Files, int, int]] = deque()
        common = tuple(file for file in stage.wanted if file not in self._alone)
        if common:
            self._queue.extend((common, *part) for part in _parts(stage.batches, len(self._free) + len(self._running)))
        for file in self._alone & set(stage.wanted):
            self._queue.append(((file,), 0, stage.batches))
        while self._queue or any(each.received is not None for each in self._running):
            self._assign(stage)
            self._listen(stage)
        self._seen += len(samples)

    def _assign(self, stage: Stage) -> None:
        """Work for all that have none."""
        for each in [each for each in self._running if each.received is None]:
            task = self._task_for(each.files)
            if task is not None:
                self._give(each, stage, *task)
            elif self._queue:  # of another kind
                self._end(each)
        while self._free and self._queue:
            files, start, end = self._queue.popleft()
            self._give(self._start(files), stage, files, start, end)

    def _task_for(self, files: Files) -> tuple[Files, int, int] | None:
        """The next one that a process with these files may do, or half of another's."""
        for task in self._queue:
            if _may_run(files, task[0]):
                self._queue.remove(task)
                return task
        if self._queue:
            return None
        others = [other for other in self._running if other.received is not None and _may_run(files, other.files)]
        for other in sorted(others, key=lambda other: -self._board.left(other.number)):
            half = self._board.take_half(other.number)
            if half is not None:
                return (other.files, *half)
        return None

    def _start(self, files: Files) -> _Process:
        number = self._free.pop()
        ours, theirs = multiprocessing.get_context("fork").Pipe()
        said = self._folder / f"said-{number}"
        process = multiprocessing.get_context("fork").Process(
            target=serve, args=(number, self._job, self._board, theirs, said), daemon=True
        )
        process.start()
        theirs.close()
        self._running.append(_Process(number, files, process, ours, said))
        return self._running[-1]

    def _give(self, each: _Process, stage: Stage, files: Files, start: int, end: int) -> None:
        wanted = {
            file: None if (rows := stage.wanted[file]) is None else rows[start * BATCH : end * BATCH]
            for file in files
            if file in stage.wanted and file not in self.failures and (file not in self._alone or len(files) == 1)
        }
        each.received = start
        self._board.give(each.number, start, end)
        with suppress(BrokenPipeError, ConnectionResetError):  # it died at once: `_listen` hears what it said before
            each.connection.send(Share(start, stage.samples[start * BATCH : end * BATCH], wanted))

    def _listen(self, stage: Stage) -> None:
        by_connection = {each.connection: each for each in self._running}
        for ready in wait(list(by_connection), max(_POLL, self._progress.wait)):
            assert isinstance(ready, Connection)
            each = by_connection[ready]
            try:
                self._hear(each, ready.recv(), stage)
            except (EOFError, ConnectionResetError):
                self._died(each, stage)
        for each in list(self._running):
            file = self._board.at(each.number)
            if each.received is not None and file != ELSEWHERE and self._board.seconds_at(each.number) > self._patience:
                message = f"no answer for {BATCH} samples after {self._patience:g} s"
                self._fail(FileFailed(file, FailureKind.TIMEOUT, message))
                self._requeue(each)
                self._end(each)

    def _hear(self, each: _Process, message: Any, stage: Stage) -> None:
        if message is None:
            each.received = None
        elif isinstance(message, Rows):
            stage.add(message, set(each.files) - (self._alone if len(each.files) > 1 else set()))
            each.received = message.end
            self._progress.reach(self._seen + stage.seen)
        elif isinstance(message, FileFailed):
            if message.certain or len(each.files) == 1:
                self._fail(message)
            else:
                self._isolate(message.file, self._board.begun(each.number), stage)
        else:
            raise message

    def _died(self, each: _Process, stage: Stage) -> None:
        each.process.join()
        kind, how = _death(each.process.exitcode, _words(each.said))
        file, batch = self._board.at(each.number), max(0, self._board.begun(each.number))  # it may have begun none
        self._end(each)
        if not each.files:
            raise StepFailed("evaluate", kind, f"a process that read the data died: {how}")
        if len(each.files) == 1:
            if file == ELSEWHERE and batch not in self._tried:
                self._try_reading(batch)
                self._requeue(each)
                return
            self._fail(FileFailed(each.files[0], kind, f"its process died: {how}"))
        elif file == ELSEWHERE:
            self._try_reading(batch)
            for suspect in each.files:
                self._isolate(suspect, batch, stage)
        else:
            self._isolate(file, batch, stage)
        self._requeue(each)

    def _try_reading(self, batch: int) -> None:
        """Whether the data or the user's code is at fault."""
        self._tried.add(batch)
        self._queue.appendleft(((), batch, batch + 1))

    def _requeue(self, each: _Process) -> None:
        """What it has not handed back, for others."""
        gone = self.failures.keys() | (self._alone if len(each.files) > 1 else set())
        files = tuple(file for file in each.files if file not in gone)
        if each.received is not None and files and each.received < self._board.end(each.number):
            self._queue.append((files, each.received, self._board.end(each.number)))

    def _isolate(self, file: int, batch: int, stage: Stage) -> None:
        """Run a file alone from now on, and again from the first sample of the stage: first where it was."""
        if file in self._alone or file in self.failures:
            return
        self._alone.add(file)
        self._board.dropped[file] = 0
        stage.forget(file)
        for start, end in ((batch, batch + 1), (0, batch), (batch + 1, stage.batches)):
            if start < end:
                self._queue.append(((file,), start, end))

    def _fail(self, failure: FileFailed) -> None:
        self.failures.setdefault(failure.file, failure)
        self._board.dropped[failure.file] = 1
        self._queue = deque(task for task in self._queue if task[0] != (failure.file,))

    def _end(self, each: _Process) -> None:
        each.process.kill()
        each.process.join()
        each.connection.close()
        self._running.remove(each)
        self._free.append(each.number)


def _may_run(files: Files, task: Files) -> bool:
    """Whether a process with some files may do what is for others: what is to run alone runs where no other does."""
    return files == task or (min(len(files), len(task)) > 1 and set(task) <= set(files))


def _parts(batches: int, processes: int) -> Iterable[tuple[int, int]]:
    """Neighbours, which lie together where the data is read from, for each process."""
    cuts = [batches * number // processes for number in range(processes + 1)]
    return [(start, end) for start, end in pairwise(cuts) if start < end]


def _words(path: Path) -> str:
    try:
        return path.read_text(errors="replace")[-_LAST_WORDS:].strip()
    except OSError:
        return ""


def _death(code: int | None, said: str) -> tuple[FailureKind, str]:
    kind, how = named_signal(-code) if code is not None and code < 0 else (FailureKind.CRASH, f"exit code {code}")
    words = said.splitlines()[-1] if said else ""
    return of_last_words(kind, said), f"{how}; last said: {words}" if words else how
