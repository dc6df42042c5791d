"""What a command ends with: the only table of exit codes, which help texts and documents repeat."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """The exit code of a command; `__doc__` of a member says what it means."""

    def __new__(cls, value: int, doc: str) -> Self:
        """A member of what its line gives."""
        member = int.__new__(cls, value)
        member._value_ = value
        member.__doc__ = doc
        return member

    DONE = 0, "a variant passed the gate, and `litegate run` has promoted it"
    ERROR = 1, "anything else: a server does not answer, or a step that every variant needs failed"
    BAD_INPUT = 2, "the spec, the model or the data cannot be used; the message says what was expected"
    REJECTED = 3, "nothing passed: every variant that could be measured is proved to break the policy"
    NOT_CHAMPION = 4, "a version passed and is not champion: its approval is pending, or it is blocked"
    UNDECIDED = 5, "nothing passed, and more samples would decide about at least one variant"
    FAILED = 6, "nothing passed: no variant could be built and measured"
    INTERRUPTED = 130, "interrupted by Ctrl-C or SIGTERM"
