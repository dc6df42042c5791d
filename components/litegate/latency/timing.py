"""Timing in a process of its own, so that a file that crashes or hangs loses its own latency and no other's."""

from __future__ import annotations

import mmap
import multiprocessing
import struct
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from litegate.diagnosis import exhausted, kind_of, message_of
from litegate.errors import StepFailed
from litegate.failures import FailureKind, Retry, named_signal
from litegate.latency.rounds import Samples, Times, time_in_rounds
from litegate.processes import die_with_parent
from litegate.runtimes import Model, load_runtime
from litegate.runtimes.batches import batches, fixed_batch

__all__ = ["Died", "Job", "Timed", "time_files"]

Array = np.ndarray[Any, np.dtype[Any]]

_LONGEST_TURN = 300.0
"""Seconds that one file may take to be loaded, or for one slice."""
_SAMPLES = 32
_TURN = struct.Struct("qq")
_NOBODY = -1


@dataclass(frozen=True)
class Job:
    """What is timed.

    Attributes:
        files: path and signature of each file, by name.
        features: samples of each signature, by input.
        say: gets lines about how far it is, as `Work.say` does.
    """

    runtime: str
    files: Mapping[str, tuple[Path, str]]
    features: Mapping[str, Mapping[str, Array]]
    say: Callable[..., None]


@dataclass(frozen=True)
class Died:
    """Why a file has no times."""

    kind: FailureKind
    message: str


@dataclass(frozen=True)
class Timed:
    """The times of all files but those that died; and what computed, by file."""

    times: Times
    kernels: Mapping[str, str]
    died: Mapping[str, Died]


def time_files(job: Job) -> Timed:
    """Time all files together; where one of them dies, the others begin anew without it.

    Raises:
        StepFailed: the process was ended from outside, which says nothing of any file.
    """
    left, died = dict(job.files), dict[str, Died]()
    while left:
        found = _attempt(replace(job, files=left))
        if isinstance(found, Timed):
            return Timed(found.times, found.kernels, died)
        name, died[name] = found
        job.say("benchmark: %s is left out: %s", name, died[name].message)
        del left[name]
    return Timed(Times(), {}, died)


class _Turn:
    """Whose turn it is, where two processes see it."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, _TURN.size)
        self._count = 0
        self.set(_NOBODY)

    def set(self, file: int) -> None:
        self._count += 1
        _TURN.pack_into(self._shared, 0, file, self._count)

    def get(self) -> tuple[int, int]:
        """The file, and how many turns there were."""
        file, count = _TURN.unpack_from(self._shared)
        return file, count


def _attempt(job: Job) -> Timed | tuple[str, Died]:
    """The times, or the file that died and how."""
    # Forked, for nothing has been run here yet: what is imported need not be imported again.
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    turn = _Turn()
    process = context.Process(target=_child, args=(job, turn, theirs))
    process.start()
    theirs.close()
    with closing(ours):
        found = _answer(ours, turn)
        if not isinstance(found, Timed):
            process.kill()
        process.join()
    if isinstance(found, Timed):
        return found
    return _whose(job, turn), found or _death(process.exitcode or 0)


def _answer(ours: Connection, turn: _Turn) -> Timed | Died | None:
    """What the process says; None if it dies without a word."""
    seen = turn.get()
    while not ours.poll(_LONGEST_TURN):
        if turn.get() == seen:
            return Died(FailureKind.TIMEOUT, f"it was not done after {_LONGEST_TURN:g} s")
        seen = turn.get()
    try:
        found: Timed | Died = ours.recv()
    except EOFError:
        return None
    return found


def _whose(job: Job, turn: _Turn) -> str:
    file, _ = turn.get()
    if file == _NOBODY:
        raise StepFailed("benchmark", FailureKind.CRASH, "the process that times the files died before it began")
    return list(job.files)[file]


def _death(code: int) -> Died:
    kind, how = named_signal(-code) if code < 0 else (FailureKind.CRASH, f"exit code {code}")
    if kind.retry is not Retry.NEVER:
        raise StepFailed("benchmark", kind, f"the process that times the files was ended: {how}")
    return Died(kind, f"the process that ran it died: {how}")


def _child(job: Job, turn: _Turn, theirs: Connection) -> None:
    die_with_parent()
    try:
        found: Timed | Died = _timed(job, turn)
    except Exception as error:
        found = Died(exhausted(error) or kind_of(error), message_of(error))
    theirs.send(found)


def _timed(job: Job, turn: _Turn) -> Timed:
    names = list(job.files)
    loaded: dict[str, tuple[Model, Samples]] = {}
    for number, name in enumerate(names):
        turn.set(number)
        loaded[name] = _load(job, *job.files[name])
    times = time_in_rounds(loaded, lambda name: turn.set(names.index(name)), job.say)
    return Timed(times, {name: model.kernels for name, (model, _) in loaded.items()}, {})


def _load(job: Job, path: Path, signature: str) -> tuple[Model, Samples]:
    model = load_runtime(job.runtime).load(path.read_bytes(), signature)
    size = fixed_batch(tensor.shape for tensor in model.inputs.values()) or 1
    features = {name: value[: _SAMPLES * size] for name, value in job.features[signature].items()}
    return model, [model.quantize(batch) for batch in batches(features, size)]
