"""A process that evaluates: it takes one batch of its share after the other, and hands back what the files gave.

It is forked before any file was loaded, so that it has the dataset's index in common with the others and starts at
once. What a file does to it, it does to nobody else.
"""

from __future__ import annotations

import os
import time
import traceback
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from litegate.diagnosis import exhausted, kind_of, message_of
from litegate.errors import StepFailed
from litegate.evaluation.board import ELSEWHERE, Board
from litegate.evaluation.lockstep import BATCH, FileFailed, Job, Lockstep, joined
from litegate.failures import FailureKind
from litegate.processes import die_with_parent

__all__ = ["ROW", "Rows", "Share", "serve"]

Array = np.ndarray[Any, np.dtype[Any]]
ROW = "row"
"""The column that says to which rows of the identity those of a file belong."""
_TOGETHER, _AT_LEAST_EVERY = 16, 0.25
"""So many batches are handed back at once, and so often, in seconds."""


@dataclass(frozen=True)
class Share:
    """Batches that a process is to evaluate, of which others may take the later half.

    Attributes:
        start: number of the first batch.
        samples: their indices, `BATCH` for each batch.
        wanted: by file, which of the samples it is to see; None for all.
    """

    start: int
    samples: Array | range
    wanted: dict[int, Array | None]


@dataclass(frozen=True)
class Rows:
    """What was found on some batches.

    Attributes:
        start, end: of the batches.
        identity: columns that say which samples these are.
        files: by file, the columns of the samples that it was to see.
    """

    start: int
    end: int
    identity: dict[str, Array]
    files: dict[int, dict[str, Array]] = field(default_factory=dict)


def serve(number: int, job: Job, board: Board, connection: Connection, said: Path) -> None:
    """Work until the connection is closed or an error was handed over.

    Args:
        said: what native code says goes there, so that a death can be told from its last words.
    """
    die_with_parent()
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(descriptor, 2)
    try:
        worker = _Worker(number, job, board, connection)
        while (share := connection.recv()) is not None:
            worker.evaluate(share)
            connection.send(None)
    except EOFError:
        return
    except Exception as error:
        connection.send(_sendable(error))


def _sendable(error: Exception) -> Exception:
    """What it was raised for does not come along, so that its kind has to be told from here."""
    kind = exhausted(error) or kind_of(error)
    if kind is FailureKind.BAD_INPUT or isinstance(error, StepFailed):
        return error
    print(traceback.format_exc(), flush=True)  # noqa: T201 (the step's output; the error output is for last words)
    return StepFailed("evaluate", kind, message_of(error))


class _Worker:
    def __init__(self, number: int, job: Job, board: Board, connection: Connection) -> None:
        self._number, self._board, self._connection = number, board, connection
        self._lockstep = Lockstep(job, self._enter)

    def evaluate(self, share: Share) -> None:
        """As many batches as nobody else takes."""
        batches, waiting, since = self._lockstep.batches(share.samples), list[Rows](), time.monotonic()
        while (number := self._board.claim(self._number)) is not None:
            waiting.append(self._rows(number, share, *next(batches)))
            if len(waiting) == _TOGETHER or time.monotonic() - since > _AT_LEAST_EVERY:
                self._hand_back(waiting)
                waiting, since = [], time.monotonic()
        batches.close()  # type: ignore[attr-defined]
        self._hand_back(waiting)

    def _rows(self, number: int, share: Share, index: Array, labels: Array, features: dict[str, Array]) -> Rows:
        rows = Rows(number, number + 1, self._lockstep.identity(index, labels, features))
        offset = (number - share.start) * BATCH
        assert np.array_equal(index, share.samples[offset : offset + len(index)]), "samples in another order"
        for file, wanted in share.wanted.items():
            places = np.arange(len(index)) if wanted is None else np.flatnonzero(wanted[offset : offset + len(index)])
            if self._board.dropped[file] or not len(places):
                continue
            inputs = features if wanted is None else {name: value[places] for name, value in features.items()}
            try:
                rows.files[file] = self._lockstep.measured(file, index[places], inputs, labels[places]) | {ROW: places}
            except FileFailed as failed:
                self._board.dropped[file] = 1
                self._connection.send(failed)
        return rows

    def _hand_back(self, waiting: list[Rows]) -> None:
        if not waiting:
            return
        sizes = np.cumsum([0, *(len(rows.identity["index"]) for rows in waiting)])
        files = {}
        for file in {file for rows in waiting for file in rows.files}:
            found = [(rows.files[file], base) for rows, base in zip(waiting, sizes, strict=False) if file in rows.files]
            files[file] = joined([columns | {ROW: columns[ROW] + base} for columns, base in found])
        identity = joined([rows.identity for rows in waiting])
        self._connection.send(Rows(waiting[0].start, waiting[-1].end, identity, files))

    def _enter(self, file: int | None) -> None:
        self._board.enter(self._number, ELSEWHERE if file is None else file)
