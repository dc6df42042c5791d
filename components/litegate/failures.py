"""The kinds of failure of a step, and for each of them whether trying again can help."""

from __future__ import annotations

import signal
from enum import StrEnum
from typing import Self

__all__ = ["CRASHES", "FailureKind", "Retry", "named_signal"]


class Retry(StrEnum):
    """Who may try again what failed."""

    NEVER = "no"
    """It would end in the same way again, or has been tried often enough."""
    AT_ONCE = "at once"
    """`StepRun`, within the same task: it may well go differently a moment later."""
    LATER = "later"
    """A scheduler such as Airflow, which starts the whole task again."""


class FailureKind(StrEnum):
    """How a step failed. The value is what is stored and shown; `__doc__` of a member says what happened.

    Attributes:
        retry: who may try again. A kind that does not say so is never retried.
    """

    retry: Retry

    def __new__(cls, value: str, doc: str = "", retry: Retry = Retry.NEVER) -> Self:
        """A member of what its line gives."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.__doc__ = doc
        member.retry = retry
        return member

    @classmethod
    def of(cls, value: object) -> FailureKind:
        """The kind that somebody names who is not believed; if there is none, `PYTHON_ERROR`: it is never retried."""
        return next((kind for kind in cls if kind == value), cls.PYTHON_ERROR)

    # Native code crashed.
    SEGFAULT = "segfault", "native code used memory that is not its own: SIGSEGV"
    ABORT = "abort", "native code gave up: SIGABRT"
    BUS_ERROR = "bus_error", "native code used memory that is not there: SIGBUS"
    ILLEGAL_INSTRUCTION = "illegal_instruction", "native code for another processor: SIGILL"
    ARITHMETIC_ERROR = "arithmetic_error", "native code divided by zero, or the like: SIGFPE"
    CRASH = "crash", "ended by any other signal, or a process of its own died without one"

    # It took more than there was.
    OUT_OF_MEMORY = (
        "out_of_memory",
        "an allocation beyond the step's own limit failed: a `MemoryError`, `std::bad_alloc`, "
        "TensorFlow's `ResourceExhausted`",
    )
    OOM_KILLED = "oom_killed", "SIGKILL, while the kernel was killing processes for lack of memory", Retry.AT_ONCE
    TIMEOUT = "timeout", "no result or answer in time; a stopped process too"
    TOO_MANY_PROCESSES = "too_many_processes", "more processes or threads than it may have"
    DISK_LIMIT = "disk_limit", "its files took more than they may"
    DISK_FULL = (
        "disk_full",
        "the disk of a folder that it writes to is full, or the work folder's had less than 256 MiB left; "
        "the message names the folder",
    )

    # It was ended from outside.
    KILLED = "killed", "SIGKILL from outside", Retry.AT_ONCE
    SIGNAL = "signal", "SIGTERM, SIGINT, SIGHUP and the like from outside", Retry.AT_ONCE
    INTERRUPTED = "interrupted", "ended with whoever waits for it, as its task by `on_kill`", Retry.LATER
    STOPPED = "stopped", "ended because another process of the same step had failed"

    # Something around it.
    INFRASTRUCTURE = "infrastructure", "a server did not answer", Retry.LATER
    NOT_ISOLATED = "not_isolated", "isolation is required, and this host does not give it"
    OUTDATED = "outdated", "what it builds on has changed since another task looked"
    UNREPORTED = "unreported", "its task failed and left no reason"

    # What it did itself.
    BAD_INPUT = "bad_input", "the step refused its input: exit code 2"
    PYTHON_ERROR = "python_error", "an exception, also of the task's own process, or an exit code of its own"
    EXIT_CODE = "exit_code", "the training command ended with another exit code than 0"
    NO_RESULT = "no_result", "exit code 0 without a result, or a step before it left none"
    FORGED_RESULT = (
        "forged_result",
        "a result that the step cannot have made: not a valid record, about something else than its request, or naming "
        "a file that the step was not given and did not write",
    )

    # What it found out about a variant.
    UNSUPPORTED = "unsupported", "the converter cannot make this variant of the model"
    NOT_CALIBRATED = "not_calibrated", "the converter took fewer calibration samples than there are"
    UNREADABLE = "unreadable", "the file is not a TFLite model that can be read"
    WRONG_SCHEME = "wrong_scheme", "the file is quantized otherwise than the variant says"
    WRONG_IO = "wrong_io", "the file's inputs or outputs are not those that the variant says"
    SPECIFICATION = "specification", "the file breaks the quantization specification"
    NOT_RUNNABLE = "not_runnable", "LiteRT cannot run the file"
    NOT_FINITE = "not_finite", "it gave NaN or infinity"
    NOT_REPEATABLE = "not_repeatable", "it gave another answer when the same samples came again"
    CONSTANT = "constant", "it gave the same answer to different samples"
    KERNELS_DISAGREE = "kernels_disagree", "default and reference kernels do not compute the same model"

    NO_EVIDENCE = "no_evidence", "the spec's device has no record of the file, or none of one of the samples"

    # What a run came to.
    REJECTED = "rejected", "nothing passed the gate, or a person said no"
    ALERT = "alert", "a requalification found something that somebody must look at"


_SIGNALS = {
    "SIGSEGV": FailureKind.SEGFAULT,
    "SIGABRT": FailureKind.ABORT,
    "SIGBUS": FailureKind.BUS_ERROR,
    "SIGILL": FailureKind.ILLEGAL_INSTRUCTION,
    "SIGFPE": FailureKind.ARITHMETIC_ERROR,
    "SIGKILL": FailureKind.KILLED,
    **dict.fromkeys(("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGPWR"), FailureKind.SIGNAL),
}
CRASHES = frozenset({*_SIGNALS.values(), FailureKind.CRASH, FailureKind.OUT_OF_MEMORY, FailureKind.EXIT_CODE})
"""Kinds of which the last words of a process tell more."""


def named_signal(number: int) -> tuple[FailureKind, str]:
    """Kind and name of a signal."""
    name = next((each.name for each in signal.Signals if each == number), f"signal {number}")
    return _SIGNALS.get(name, FailureKind.CRASH), name
