"""Every error that litegate raises on purpose.

    LitegateError            anything else than the following           exit code 1
    ├── BadInput             the user's input is wrong; never retried   exit code 2
    │   ├── SpecError        a key of the spec
    │   ├── DataError        a calibration or evaluation dataset
    │   └── ModelError       the source model
    ├── GateRejected         nothing passed the gate                    exit code 3
    ├── StepFailed           a step's child process died, or raised
    ├── StoreError           a stored object is missing or not what its digest says
    │   └── Gone             it is missing
    ├── StackError           the embedded servers
    │   └── NoAnswer         one of them gave no answer for as long as it is asked
    └── DiskFull             nothing more can be written to a folder

Each message says what was wrong, where, what was expected and what was found.
"""

from __future__ import annotations

from litegate.exit_codes import ExitCode
from litegate.failures import FailureKind

__all__ = [
    "BadInput",
    "DataError",
    "DiskFull",
    "GateRejected",
    "Gone",
    "LitegateError",
    "ModelError",
    "NoAnswer",
    "SpecError",
    "StackError",
    "StepFailed",
    "StoreError",
]


class LitegateError(Exception):
    """Base of all errors raised on purpose; `exit_code` is what a command ends with."""

    exit_code: int = ExitCode.ERROR


class BadInput(LitegateError):
    """What the user gave cannot be used: trying again gives the same answer.

    Args:
        where: the spec key, file or tensor that is wrong, as the user knows it.
        expected: what would have been right.
        got: what was found.
    """

    exit_code = ExitCode.BAD_INPUT

    def __init__(self, where: str, expected: str, got: str) -> None:
        super().__init__(where, expected, got)
        self.where, self.expected, self.got = where, expected, got

    def __str__(self) -> str:
        return f"{self.where}: expected {self.expected}, got {self.got}"


class SpecError(BadInput):
    """A key of the spec is unknown, missing, or has a value that it cannot have."""


class DataError(BadInput):
    """A calibration or evaluation dataset is missing, unreadable or does not fit the model."""


class ModelError(BadInput):
    """The source model is missing, unreadable or cannot be converted at all."""


class GateRejected(LitegateError):
    """Every variant was recorded, and none of them passed the gate."""

    exit_code = ExitCode.REJECTED


class StepFailed(LitegateError):
    """A step did not deliver its result.

    Args:
        step: the step's name.
        kind: how it ended; it says for itself whether trying again can help.
        detail: what it said last, bounded.
    """

    def __init__(self, step: str, kind: FailureKind, detail: str) -> None:
        super().__init__(step, kind, detail)
        self.step, self.kind, self.detail = step, FailureKind(kind), detail

    def __str__(self) -> str:
        return f"step {self.step} failed ({self.kind}): {self.detail}"


class StoreError(LitegateError):
    """An object of the workspace is missing, or its bytes are not what its digest says."""


class Gone(StoreError):
    """An object of the workspace is not there, or not there any more."""


class DiskFull(LitegateError):
    """The disk of a folder, or the user's part of it, is full.

    Args:
        folder: where something was to be written.
    """

    START = "the disk of "

    def __init__(self, folder: str) -> None:
        super().__init__(folder)
        self.folder = folder

    def __str__(self) -> str:
        return f"{self.START}{self.folder} is full; make room there and run it again"


class StackError(LitegateError):
    """A server of the embedded stack did not start, stop or answer."""


class NoAnswer(StackError):
    """A server gave no answer: what it was asked to do may be done all the same."""
