"""What came of a step's process, told from how it ended and what it said: done, bad input, or a kind of failure."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from litegate.diagnosis import NO_ROOM, is_no_memory, of_last_words
from litegate.errors import BadInput, StepFailed
from litegate.execution.executor import Ending, PreparedStep
from litegate.execution.returned.reading import described_error
from litegate.failures import CRASHES, FailureKind, named_signal
from litegate.records import FileEvaluations, FileFailure, FileShards

__all__ = ["check_ending", "files_refined", "last_words", "refined", "signal_kind"]


def check_ending(ending: Ending, prepared: PreparedStep, killed: bool) -> None:
    """Return if the step has left a result.

    Args:
        killed: whether we have ended it, with whoever waits for it.

    Raises:
        BadStepInput: the step refused its input.
        StepFailed: anything else.
    """
    name = prepared.step.name
    found = _by_the_end(ending, prepared, killed)
    if found is not None:
        kind, detail = found
        raise StepFailed(name, kind, _with_last_words(detail, ending))
    if ending.code != 0:
        _raise_described(ending, prepared.folder, name)
    if not os.path.lexists(prepared.folder / "result.json"):
        detail = _with_last_words("exit code 0 without a result", ending)
        raise StepFailed(name, FailureKind.NO_RESULT, detail)


def _by_the_end(ending: Ending, prepared: PreparedStep, killed: bool) -> tuple[FailureKind, str] | None:
    """What needs no words of the process: somebody or something ended it."""
    if ending.timed_out:
        return FailureKind.TIMEOUT, f"no result after {prepared.seconds:g} s"
    if ending.exceeded is not None:
        return ending.exceeded
    if ending.code < 0:
        return (FailureKind.INTERRUPTED, "ended with its task") if killed else signal_kind(ending)
    return None


def _raise_described(ending: Ending, folder: Path, name: str) -> None:
    """Of a process that left by itself."""
    error = described_error(folder)
    if error is None:
        kind, detail = last_words(ending)
        raise StepFailed(name, refined(kind, ending), _with_last_words(detail, ending))
    if ending.code == BadInput.exit_code and error.bad_input is not None:
        raise error.bad_input
    if error.kind in CRASHES:
        raise StepFailed(name, refined(error.kind, ending), _with_last_words(error.message, ending))
    raise StepFailed(name, error.kind, error.message)


def _with_last_words(detail: str, ending: Ending) -> str:
    return f"{detail}; last said: {ending.said}" if ending.said else detail


def signal_kind(ending: Ending) -> tuple[FailureKind, str]:
    """Kind and name of the signal that ended a process."""
    kind, name = named_signal(-ending.code)
    if kind is FailureKind.KILLED and ending.memory_short:
        name += ", probably by the kernel, which ran out of memory meanwhile"
    return refined(kind, ending), name


def refined(kind: FailureKind, ending: Ending) -> FailureKind:
    """The kind of a death in the light of what was said and happened meanwhile."""
    if kind is FailureKind.KILLED and ending.memory_short:
        return FailureKind.OOM_KILLED
    return of_last_words(kind, ending.said)


def last_words(ending: Ending) -> tuple[FailureKind, str]:
    """Kind and detail of a process that left with an exit code and no description of its own."""
    if NO_ROOM.search(ending.said):
        return FailureKind.DISK_FULL, f"exit code {ending.code}"
    kind = FailureKind.OUT_OF_MEMORY if is_no_memory(ending.said) else FailureKind.PYTHON_ERROR
    return kind, f"exit code {ending.code}"


Several = TypeVar("Several", FileEvaluations, FileShards)


def files_refined(result: Several, ending: Ending) -> Several:
    """The same, with what the kernel did to single files' processes meanwhile, which the step cannot see."""
    files = (_file_refined(each, ending) if isinstance(each, FileFailure) else each for each in result.files)
    return result.model_copy(update={"files": tuple(files)})


def _file_refined(failure: FileFailure, ending: Ending) -> FileFailure:
    if failure.kind is not FailureKind.KILLED or not ending.memory_short:
        return failure
    message = f"{failure.message}, probably by the kernel, which ran out of memory meanwhile"
    return failure.model_copy(update={"kind": FailureKind.OOM_KILLED, "message": message})
